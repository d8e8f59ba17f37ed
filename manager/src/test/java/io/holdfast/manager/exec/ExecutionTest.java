package io.holdfast.manager.exec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FdInputStream;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Namespace;
import io.holdfast.core.process.Resource;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysResource;
import io.holdfast.manager.process.RunMark;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.value.Capability;
import io.holdfast.manager.unit.value.ExecCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class ExecutionTest {
    private static final String ID = "0123456789abcdef0123456789abcdef";
    private static final String SOCKET = "/run/holdfast-test/notify";
    private static final String STATUS = "ExecStart=/bin/cat /proc/self/status";

    @TempDir private Path folder;
    private SandboxSupport support = SandboxSupport.find(SandboxSupport.Mode.AS_FOUND);
    private ManagerScope scope = ManagerScope.system(Map.of());
    private final List<String> warnings = new ArrayList<>();

    @BeforeEach
    void rootInTheFolder() throws IOException {
        scope = TestUnits.scopeIn(folder);
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static void assumeRoot() {
        assumeThat(Unistd.geteuid()).as("root, who alone can become others").isZero();
    }

    private Execution execution(ServiceUnit unit, Fd output) {
        return new Execution(
                TestUnits.executed(unit),
                scope,
                OneRun.surroundings(output, folder, Optional.of(Path.of(SOCKET)), ID),
                new DynamicUids(folder.resolve("uids")),
                support,
                warnings::add);
    }

    /** Returns the output of the first ExecStart=, which must succeed. */
    private String run(String... lines) throws Exception {
        ServiceUnit unit = TestUnits.service(scope, lines);
        return run(unit, unit.service().commands().start().getFirst(), Map.of());
    }

    private String run(ServiceUnit unit, ExecCommand command, Map<String, String> more)
            throws Exception {
        Ran ran = ran(unit, command, more);
        assertThat(ran.exit()).as(ran.text()).isEqualTo(new Exit.Exited(0));
        return ran.text();
    }

    /** The output of a program, and its exit. */
    private record Ran(String text, Exit exit) {}

    private Ran ran(ServiceUnit unit, ExecCommand command, Map<String, String> more)
            throws Exception {
        Fd[] pipe = Unistd.pipe2(0);
        try (FdInputStream in = new FdInputStream(pipe[0])) {
            Child started;
            Execution execution;
            try (Fd output = pipe[1]) {
                execution = execution(unit, output);
                execution.prepare();
                started = execution.start(command, more, PassedDescriptors.NONE);
            }
            try (Child child = started) {
                return new Ran(new String(in.readAllBytes(), UTF_8), child.await());
            } finally {
                execution.close(true);
            }
        }
    }

    private Spawn describe(String... lines) throws Exception {
        ServiceUnit unit = TestUnits.service(scope, lines);
        try (Fd output = Fcntl.open("/dev/null", Fcntl.O_WRONLY)) {
            Execution execution = execution(unit, output);
            execution.prepare();
            ExecCommand command = unit.service().commands().start().getFirst();
            try (ExecStreams streams = execution.streams(command, PassedDescriptors.NONE)) {
                return execution
                        .process()
                        .spawn(command, Map.of(), PassedDescriptors.NONE, streams);
            }
        }
    }

    private static Map<String, String> variables(String env) {
        Map<String, String> variables = new LinkedHashMap<>();
        env.lines()
                .forEach(line -> {
                    int equals = line.indexOf('=');
                    variables.put(line.substring(0, equals), line.substring(equals + 1));
                });
        return variables;
    }

    private static String field(String status, String name) {
        return status.lines()
                .filter(line -> line.startsWith(name + ":"))
                .map(line -> line.substring(name.length() + 1).strip().replaceAll("\\s+", " "))
                .findFirst()
                .orElseThrow();
    }

    // ---- environment

    @Test
    void theEnvironmentIsThatOfTheUnitAndNotOurs() throws Exception {
        Files.writeString(folder.resolve("env"), "A=file\nB='two words'\n");
        Map<String, String> found =
                variables(
                        run(
                                "ExecStart=/usr/bin/env",
                                "Environment=A=unit C=c D=d E=e",
                                "EnvironmentFile=" + folder + "/env",
                                "EnvironmentFile=-" + folder + "/missing",
                                "PassEnvironment=HOME NOT_SET_ANYWHERE",
                                "UnsetEnvironment=D E=other",
                                "StateDirectory=s"));
        assertThat(found)
                .containsEntry("A", "file")
                .containsEntry("B", "two words")
                .containsEntry("C", "c")
                .containsEntry("E", "e")
                .containsEntry("HOME", System.getenv("HOME"))
                .containsEntry("INVOCATION_ID", ID)
                .containsEntry("USER", "root")
                .containsEntry("STATE_DIRECTORY", folder + "/state/s")
                .containsEntry("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin")
                .doesNotContainKeys(
                        "D", "NOT_SET_ANYWHERE", "NOTIFY_SOCKET", "WATCHDOG_USEC", "LOGNAME");
    }

    @Test
    void aCommandKnowsTheLocaleAndItsOwnNumber() throws Exception {
        String[] words =
                run("ExecStart=/bin/sh -c 'echo $$$$ $SYSTEMD_EXEC_PID $LANG'").strip().split(" ");
        assertThat(words).hasSize(3);
        assertThat(words[0]).isEqualTo(words[1]);
        assertThat(words[2])
                .isEqualTo(Optional.ofNullable(System.getenv("LANG")).orElse("C.UTF-8"));
        assertThat(run("ExecStart=/usr/bin/env", "UnsetEnvironment=LANG SYSTEMD_EXEC_PID"))
                .doesNotContain("LANG=", "SYSTEMD_EXEC_PID=");
    }

    @ParameterizedTest
    @CsvSource({"'', yes, true", "nobody, no, false", "'', '', false", "nobody, '', true"})
    void theVariablesOfALoginAreSetForUsersOrOnRequest(String user, String set, boolean expected)
            throws Exception {
        assumeRoot();
        String text = run("ExecStart=/usr/bin/env", "User=" + user, "SetLoginEnvironment=" + set);
        assertThat(text.contains("LOGNAME=" + (user.isEmpty() ? "root" : user)))
                .isEqualTo(expected);
        assertThat(text.contains("HOME=")).isEqualTo(expected);
    }

    @Test
    void anEnvironmentFileMayBeWrittenByAnEarlierCommand() throws Exception {
        Path file = folder.resolve("env");
        ServiceUnit unit =
                TestUnits.service(
                        scope,
                        "ExecStartPre=/bin/sh -c 'echo LATE=yes > " + file + "'",
                        "ExecStart=/usr/bin/env",
                        "EnvironmentFile=-" + file);
        assertThat(run(unit, unit.service().commands().startPre().getFirst(), Map.of())).isEmpty();
        assertThat(run(unit, unit.service().commands().start().getFirst(), Map.of()))
                .contains("LATE=yes");
    }

    @Test
    void aMissingEnvironmentFileIsNamedWithItsPlace() {
        assertThatExceptionOfType(SetupException.class)
                .isThrownBy(() -> describe("EnvironmentFile=/no/such/file"))
                .withMessage("test:3: the environment file /no/such/file is missing")
                .matches(e -> e.step() == SetupException.Step.RESOURCES);
    }

    @ParameterizedTest
    @CsvSource({"main, true, false", "exec, true, true", "all, true, true", "none, false, false"})
    void theNotifySocketIsToldToWhomItListens(String access, boolean main, boolean other)
            throws Exception {
        ServiceUnit unit =
                TestUnits.service(
                        scope,
                        "NotifyAccess=" + access,
                        "ExecStart=/usr/bin/env",
                        "ExecStop=/usr/bin/env");
        assertThat(
                        run(unit, unit.service().commands().start().getFirst(), Map.of())
                                .contains("NOTIFY_SOCKET=" + SOCKET))
                .isEqualTo(main);
        assertThat(
                        run(unit, unit.service().commands().stop().getFirst(), Map.of())
                                .contains("NOTIFY_SOCKET=" + SOCKET))
                .isEqualTo(other);
    }

    @Test
    void theWatchdogIsToldToTheMainProcessByItsOwnNumber() throws Exception {
        String text =
                run(
                        "WatchdogSec=2",
                        "ExecStart=/bin/sh -c 'echo $$$$ $WATCHDOG_PID $WATCHDOG_USEC'");
        String[] words = text.strip().split(" ");
        assertThat(words).hasSize(3);
        assertThat(words[0]).isEqualTo(words[1]);
        assertThat(words[2]).isEqualTo("2000000");
    }

    @Test
    void variablesOfTheCommandAreExpandedInIt() throws Exception {
        ServiceUnit unit =
                TestUnits.service(
                        scope, "Environment='WORDS=one two'", "ExecStop=echo ${MAINPID}x $WORDS");
        ExecCommand stop = unit.service().commands().stop().getFirst();
        assertThat(run(unit, stop, Map.of("MAINPID", "42"))).isEqualTo("42x one two\n");
    }

    @Test
    void argvZeroCanBeChosen() throws Exception {
        String line = "ExecStart=@/bin/cat another /proc/self/cmdline";
        assertThat(run(line)).isEqualTo("another\0/proc/self/cmdline\0");
        assumeRoot();
        assertThat(run(line, "User=nobody")).isEqualTo("another\0/proc/self/cmdline\0");
    }

    // ---- identity

    @Test
    void aUserIsTakenOnWithItsGroupsAndHome() throws Exception {
        assumeRoot();
        Accounts.Account nobody = Accounts.SYSTEM.user("nobody");
        String status = run(STATUS, "User=nobody", "SupplementaryGroups=adm 54321");
        assertThat(field(status, "Uid")).isEqualTo("65534 65534 65534 65534");
        assertThat(field(status, "Gid").split(" ")).containsOnly("" + nobody.gid());
        assertThat(field(status, "CapEff")).isEqualTo("0000000000000000");
        assertThat(variables(run("ExecStart=/usr/bin/env", "User=nobody")))
                .containsEntry("USER", "nobody")
                .containsEntry("LOGNAME", "nobody")
                .containsEntry("HOME", nobody.home());
    }

    @Test
    void whatTheUserMayNotExecuteIsNotExecuted() throws Exception {
        assumeRoot();
        Path secret = Files.copy(Path.of("/bin/true"), folder.resolve("secret"));
        Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rwx------"));
        assertThat(run("ExecStart=" + secret)).isEmpty();
        ServiceUnit unit = TestUnits.service(scope, "ExecStart=" + secret, "User=nobody");
        Ran ran = ran(unit, unit.service().commands().start().getFirst(), Map.of());
        assertThat(ran.exit()).isEqualTo(new Exit.Exited(126));
        assertThat(ran.text()).contains(secret.toString(), "Permission denied");
    }

    @Test
    void anotherGroupReplacesTheUsersOwn() throws Exception {
        assumeRoot();
        String status = run(STATUS, "User=nobody", "Group=adm", "SupplementaryGroups=tty");
        long adm = Accounts.SYSTEM.group("adm");
        long tty = Accounts.SYSTEM.group("tty");
        assertThat(field(status, "Gid").split(" ")).containsOnly("" + adm);
        assertThat(field(status, "Groups").split(" "))
                .containsExactlyInAnyOrder("" + adm, "" + tty);
    }

    @Test
    void aGroupAloneLeavesTheUser() throws Exception {
        assumeRoot();
        String status = run(STATUS, "Group=adm");
        assertThat(field(status, "Uid")).isEqualTo("0 0 0 0");
        assertThat(field(status, "Gid").split(" ")).containsOnly("" + Accounts.SYSTEM.group("adm"));
    }

    @ParameterizedTest
    @CsvSource({"'', 65534, 1", "+, 0, 0", "!, 0, 1", "!!, 65534, 1"})
    void prefixesSayWhatIsGivenUp(String prefix, String uid, String noNewPrivileges)
            throws Exception {
        assumeRoot();
        String status =
                run(
                        "ExecStart=" + prefix + "/bin/cat /proc/self/status",
                        "User=nobody",
                        "NoNewPrivileges=yes",
                        "CapabilityBoundingSet=CAP_CHOWN");
        assertThat(field(status, "Uid")).startsWith(uid + " ");
        assertThat(field(status, "NoNewPrivs")).isEqualTo(noNewPrivileges);
        assertThat(field(status, "CapBnd").equals("0000000000000001"))
                .isEqualTo(!prefix.equals("+"));
    }

    @ParameterizedTest
    @CsvSource({
        "CAP_CHOWN CAP_KILL, 0000000000000021",
        "~, 0000000000000000",
        "CAP_CHECKPOINT_RESTORE CAP_BPF CAP_PERFMON, 000001c000000000",
    })
    void theBoundingSetIsNarrowed(String set, String expected) throws Exception {
        assumeRoot();
        String directive = set.equals("~") ? "" : set;
        String status = run(STATUS, "CapabilityBoundingSet=" + directive);
        long ours =
                Long.parseUnsignedLong(
                        field(Files.readString(Path.of("/proc/self/status")), "CapBnd"), 16);
        long wanted = Long.parseUnsignedLong(expected, 16);
        assertThat(Long.parseUnsignedLong(field(status, "CapBnd"), 16)).isEqualTo(wanted & ours);
        assertThat(field(status, "CapEff")).isEqualTo(field(status, "CapBnd"));
    }

    @Test
    void aDynamicUserIsMadeUpForTheRun() throws Exception {
        assumeRoot();
        String[] lines = {
            "DynamicUser=yes",
            "User=holdfast-nobody-has",
            "StateDirectory=s",
            "ExecStart=/bin/sh -c 'cat /proc/self/status && env && stat -c owner=%%u:%%g $STATE_DIRECTORY'"
        };
        String text = run(lines);
        long uid = Long.parseLong(field(text, "Uid").split(" ")[0]);
        assertThat(uid).isBetween(DynamicUids.FIRST, DynamicUids.LAST);
        assertThat(field(text, "Gid")).startsWith(uid + " ");
        assertThat(field(text, "Groups")).isEqualTo("" + uid);
        assertThat(field(text, "NoNewPrivs")).isEqualTo("1");
        assertThat(text)
                .contains("USER=holdfast-nobody-has\n", "owner=" + uid + ":" + uid + "\n")
                .doesNotContain("HOME=", "SHELL=");
        assertThat(run(lines)).contains("owner=" + uid + ":");
        assertThat(folder.resolve("uids/holdfast/dynamic-uid")).isEmptyDirectory();
    }

    @Test
    void aDynamicUserSeesItsOwnPrivateFoldersOnly() throws Exception {
        assumeRoot();
        Path other = Files.createDirectories(folder.resolve("state/private/other"));
        String text =
                run(
                        "DynamicUser=yes",
                        "StateDirectory=s",
                        "WorkingDirectory=" + folder + "/state/private/s",
                        "ExecStart=/bin/sh -c 'touch here && pwd -P && ls %s && grep private/s /proc/self/mountinfo'"
                                .formatted(other.getParent()));
        assertThat(text.lines().toList())
                .startsWith(folder.toRealPath() + "/state/private/s", "s")
                .last()
                .asString()
                .contains("nosuid");
        assertThat(folder.resolve("state/private/s/here")).exists();
        assertThat(Files.getPosixFilePermissions(other.getParent()))
                .isEqualTo(PosixFilePermissions.fromString("rwx------"));
    }

    @Test
    void aDynamicUserIsTheStaticOneOfItsName() throws Exception {
        assumeRoot();
        assertThat(field(run(STATUS, "DynamicUser=yes", "User=nobody"), "Uid"))
                .startsWith("65534 ");
        assertThat(field(run(STATUS, "DynamicUser=yes", "Group=tty"), "Gid"))
                .startsWith(Accounts.SYSTEM.group("tty") + " ");
        assertThat(folder.resolve("uids/holdfast/dynamic-uid")).isEmptyDirectory();
    }

    @Test
    void ambientCapabilitiesAreHadByAnyUser() throws Exception {
        assumeRoot();
        String status =
                run(
                        STATUS,
                        "User=nobody",
                        "AmbientCapabilities=CAP_CHOWN CAP_KILL CAP_FOWNER",
                        "CapabilityBoundingSet=CAP_CHOWN CAP_KILL");
        assertThat(List.of("CapAmb", "CapEff", "CapInh", "CapBnd"))
                .allMatch(set -> field(status, set).equals("0000000000000021"));
    }

    @Test
    void secureBitsAreSet() throws Exception {
        assumeRoot();
        assertThat(run("SecureBits=noroot no-setuid-fixup-locked", "ExecStart=setpriv --dump"))
                .contains("Securebits: noroot,no_setuid_fixup_locked");
    }

    @Test
    void timeIsSharedAsTheUnitSays() throws Exception {
        assumeRoot();
        assertThat(
                        run(
                                "CPUSchedulingPolicy=rr",
                                "CPUSchedulingPriority=7",
                                "IOSchedulingClass=idle",
                                "ExecStart=/bin/sh -c 'chrt -p $$$$; ionice -p $$$$'"))
                .contains("SCHED_RR", "priority: 7", "idle");
        assertThat(
                        run(
                                "CPUSchedulingPolicy=batch",
                                "CPUSchedulingResetOnFork=yes",
                                "IOSchedulingPriority=2",
                                "ExecStart=/bin/sh -c 'chrt -p $$$$; ionice -p $$$$'"))
                .contains("SCHED_BATCH|SCHED_RESET_ON_FORK", "best-effort: prio 2");
    }

    @Test
    void withoutAChangeOfIdentityThereIsNoHop() throws Exception {
        assumeRoot();
        String spawn = describe(STATUS, "User=root", "NoNewPrivileges=yes").toString();
        assertThat(spawn).startsWith("/bin/cat ");
        assertThat(field(run(STATUS, "User=root", "NoNewPrivileges=yes"), "NoNewPrivs"))
                .isEqualTo("1");
    }

    @Test
    void noVariableOfTheUnitReachesTheLinkerWhileWeHavePrivileges() throws Exception {
        assumeRoot();
        String[] lines = {
            "ExecStart=/usr/bin/env",
            "User=nobody",
            "Environment=LD_PRELOAD= LD_LIBRARY_PATH=/nowhere GLIBC_TUNABLES=glibc.malloc.check=0"
        };
        assertThat(describe(lines).toString()).contains("LD_LIBRARY_PATH=/nowhere");
        assertThat(variables(run(lines)))
                .containsEntry("LD_LIBRARY_PATH", "/nowhere")
                .containsEntry("GLIBC_TUNABLES", "glibc.malloc.check=0");
    }

    @ParameterizedTest
    @CsvSource({
        "User=nobody-has-this-name, USER",
        "Group=nobody-has-this-name, GROUP",
        "SupplementaryGroups=nobody-has-this-name, GROUP",
    })
    void unknownAccountsAreNamed(String line, SetupException.Step step) {
        assertThatExceptionOfType(SetupException.class)
                .isThrownBy(() -> describe(line))
                .withMessageContaining("nobody-has-this-name")
                .matches(e -> e.step() == step);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "User=nobody"})
    void aProgramThatCannotBeExecutedIsToldByErrno(String user) throws Exception {
        assumeRoot();
        Path plain = Files.writeString(folder.resolve("plain"), "#!/bin/sh\n");
        Path orphan = Files.writeString(folder.resolve("orphan"), "#!/no/interpreter\n");
        Files.setPosixFilePermissions(orphan, PosixFilePermissions.fromString("rwxr-xr-x"));
        Map<String, Integer> errnos =
                Map.of(
                        "/no/such/program",
                        Errno.ENOENT,
                        "no-such-program",
                        Errno.ENOENT,
                        plain.toString(),
                        Errno.EACCES,
                        folder.toString(),
                        Errno.EACCES,
                        orphan.toString(),
                        Errno.ENOENT);
        errnos.forEach((program, errno) ->
                assertThatExceptionOfType(ErrnoException.class)
                        .as(program)
                        .isThrownBy(() -> run("ExecStart=" + program, user))
                        .matches(e -> e.errno() == errno));
    }

    // ---- the rest

    @Test
    void umaskNiceDirectorySessionAndOomScoreAreSet() throws Exception {
        assumeRoot();
        String text =
                run(
                        "ExecStart=/bin/sh -c 'umask; pwd; nice; cat /proc/self/oom_score_adj;"
                                + " cut -d\" \" -f6 /proc/$$$$/stat; echo $$$$'",
                        "UMask=0027",
                        "Nice=7",
                        "OOMScoreAdjust=321",
                        "WorkingDirectory=" + folder);
        List<String> lines = text.lines().toList();
        assertThat(lines.subList(0, 4)).containsExactly("0027", folder.toString(), "7", "321");
        assertThat(lines.get(4)).as("session").isEqualTo(lines.get(5));
        assertThat(warnings).isEmpty();
    }

    @Test
    void aUsersServicesRunAlsoWhereTheHomeIsMissing() throws Exception {
        scope =
                ManagerScope.user(
                        Map.of("HOME", "/no/such/home", "XDG_RUNTIME_DIR", folder.toString()));

        assertThat(run("ExecStart=/bin/pwd")).isEqualTo("/\n");
    }

    @Test
    void theWorkingDirectoryMayBeMissingOrHome() throws Exception {
        assertThat(run("ExecStart=/bin/pwd", "WorkingDirectory=-/no/such/folder")).isEqualTo("/\n");
        assertThat(run("ExecStart=/bin/pwd", "WorkingDirectory=~")).isEqualTo("/root\n");
        assertThatExceptionOfType(SetupException.class)
                .isThrownBy(() -> describe("WorkingDirectory=/no/such/folder"))
                .withMessageContaining("/no/such/folder")
                .matches(e -> e.step() == SetupException.Step.CHDIR);
    }

    @Test
    void descriptorsFrom1024OnAreUsedOnRequest() throws Exception {
        String limits = run("ExecStart=/bin/cat /proc/self/limits");
        assertThat(field(limits.replace("Max open files", "NOFILE:"), "NOFILE"))
                .startsWith("1024 ")
                .doesNotStartWith("1024 1024 ");
    }

    @Test
    void limitsAreSetOrClampedWithOneWarning() throws Exception {
        String text =
                run("ExecStart=/bin/cat /proc/self/limits", "LimitNOFILE=100:200", "LimitCORE=0");
        assertThat(text).containsPattern("Max open files +100 +200 ");
        assertThat(text).containsPattern("Max core file size +0 +0 ");
        assertThat(warnings).isEmpty();
        // above the kernel's limit for every process (fs.nr_open)
        String clamped = run("ExecStart=/bin/cat /proc/self/limits", "LimitNOFILE=infinity");
        long hard = SysResource.limit(Resource.NOFILE.number())[1];
        assertThat(clamped).containsPattern("Max open files +" + hard + " +" + hard + " ");
        assertThat(warnings).hasSize(1);
        assertThat(warnings.getFirst())
                .isEqualTo(
                        "LimitNOFILE=infinity is clamped to "
                                + hard
                                + ", the hard limit of this manager");
    }

    @Test
    void outputGoesToFiles() throws Exception {
        Path file = Files.writeString(folder.resolve("out"), "first\n");
        String line = "ExecStart=/bin/sh -c 'echo second; echo third >&2'";
        assertThat(run(line, "StandardOutput=append:" + file)).isEmpty();
        assertThat(file).hasContent("first\nsecond\nthird\n");
        assertThat(run(line, "StandardOutput=truncate:" + file, "StandardError=journal"))
                .isEqualTo("third\n");
        assertThat(file).hasContent("second\n");
        assertThat(run(line, "StandardOutput=null", "StandardError=null")).isEmpty();
        assertThat(run("ExecStart=/bin/cat", "StandardInput=file:" + file)).isEqualTo("second\n");
    }

    @ParameterizedTest
    @CsvSource({
        "StandardInput=socket, 'StandardInput=socket needs exactly one socket: the service has 0'",
        "StandardOutput=socket, 'StandardOutput=socket needs exactly one socket: the service has 0'",
        "StandardOutput=fd, StandardOutput=fd: no socket has the name stdout",
        "StandardError=fd:x, StandardError=fd: no socket has the name x"
    })
    void aStreamThatIsASocketNeedsOne(String line, String message) {
        assertThatExceptionOfType(SetupException.class)
                .isThrownBy(() -> describe(line))
                .withMessage(message);
    }

    @Test
    void theRuntimeFolderLastsAsLongAsTheRun() throws Exception {
        assumeRoot();
        ServiceUnit unit =
                TestUnits.service(scope, "RuntimeDirectory=r", "User=nobody", "Group=adm");
        try (Fd output = Fcntl.open("/dev/null", Fcntl.O_WRONLY)) {
            Execution execution = execution(unit, output);
            execution.prepare();
            Path made = folder.resolve("run/r");
            assertThat(Files.getAttribute(made, "unix:uid")).isEqualTo(65534);
            assertThat(((Integer) Files.getAttribute(made, "unix:gid")).longValue())
                    .isEqualTo(Accounts.SYSTEM.group("adm"));
            execution.close(true);
            assertThat(made).doesNotExist();
        }
    }

    /** A weak manager is for places where a sandbox fails although all its parts can be made. */
    @ParameterizedTest
    @ValueSource(strings = {"BindPaths=/no/such", "BindPaths=/etc/passwd:/tmp"})
    void aWeakManagerStartsWithoutASandboxThatFails(String directive) throws Exception {
        support = SandboxSupport.find(SandboxSupport.Mode.WEAK);
        assertThat(run(directive, "ExecStart=/bin/echo started")).isEqualTo("started\n");
        assertThat(warnings).singleElement().asString().startsWith("runs without its sandbox: ");
    }

    @Test
    void aDynamicUserReachesItsFoldersAlsoWithoutTheSandboxThatFailed() throws Exception {
        assumeRoot();
        support = SandboxSupport.find(SandboxSupport.Mode.WEAK);
        assertThat(
                        run(
                                "DynamicUser=yes",
                                "StateDirectory=s",
                                "BindPaths=/no/such",
                                "ExecStart=/bin/sh -c 'touch $STATE_DIRECTORY/x && echo written'"))
                .isEqualTo("written\n");
        assertThat(folder.resolve("state/s/x")).exists();
    }

    @Test
    void aWeakManagerReportsBothWhatItCannotMakeAndWhatFails() throws Exception {
        support =
                new SandboxSupport(
                        SandboxSupport.Mode.WEAK,
                        Map.of(Namespace.Kind.NET, "it is refused"),
                        Capability.all());
        run("PrivateNetwork=yes", "BindPaths=/no/such", "ExecStart=/bin/true");

        assertThat(warnings)
                .anyMatch(line -> line.startsWith("not applied: PrivateNetwork=: it is refused"))
                .anyMatch(line -> line.startsWith("runs without its sandbox: "))
                .hasSize(2);
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "1, 0", "20, 0", "25, -5", "40, -20", "-1, -20"})
    void niceValuesDownToTheLimitNeedNoCapability(long limit, long lowest) {
        assertThat(SandboxSupport.lowestNice(limit)).isEqualTo(lowest);
    }

    @Test
    void aProcessWithoutACgroupHasTheMarkOfItsRun() throws Exception {
        assertThat(run("ExecStart=/bin/grep locks /proc/self/limits"))
                .contains(" " + RunMark.of(ID) + " ");
    }

    /** A process scope that this manager is in, or another manager, finds its processes by it. */
    @Test
    void theMarkOfAnotherStaysOnTheProcesses() throws Exception {
        long others = 4711;
        long[] before = SysResource.limit(Resource.LOCKS.number());
        assumeThat(SysResource.setLimit(0, Resource.LOCKS.number(), others, before[1])).isZero();
        try {
            assertThat(run("ExecStart=/bin/grep locks /proc/self/limits"))
                    .contains(" " + others + " ");
        } finally {
            int _ = SysResource.setLimit(0, Resource.LOCKS.number(), before[0], before[1]);
        }
    }
}
