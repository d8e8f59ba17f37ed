package io.holdfast.manager.exec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.file.folder.TreeRemoval;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Isolation;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.HostileUser;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.HostilePath;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.value.ExecCommand;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests what the processes of a service can see and do, and what they cannot. */
@Timeout(120)
@Needs(root = true, features = Feature.MOUNT_TREES)
class SandboxTest {
    private static final int ROUNDS = 25;
    private static final String ID = "fedcba9876543210fedcba9876543210";

    private Path folder = Path.of("/");
    private ManagerScope scope = ManagerScope.system(Map.of());
    private final List<String> warnings = new ArrayList<>();
    private List<String> before = List.of();

    /** Makes a folder outside of /tmp, which some tests hide. */
    @BeforeEach
    void makeAFolder() throws IOException {
        folder = Files.createTempDirectory(Path.of("/var/lib"), "holdfast-test");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        scope = TestUnits.scopeIn(folder);
        before = leftovers();
    }

    @AfterEach
    void nothingIsLeft() throws IOException {
        assertThat(leftovers()).isEqualTo(before);
        try (Directory parent = Directory.open("/var/lib")) {
            TreeRemoval.remove(parent, folder.getFileName().toString());
        }
    }

    private static List<String> leftovers() throws IOException {
        List<String> found = new ArrayList<>(Files.readAllLines(Path.of("/proc/self/mountinfo")));
        found.removeIf(line ->
                line.contains(" /tmp/junit-") // of tests that run at the same time
                        || line.contains("/run/credentials/"));
        for (String base : List.of("/tmp", "/var/tmp")) {
            try (Stream<Path> files = Files.list(Path.of(base))) {
                files.map(Path::toString)
                        .filter(file -> file.contains("holdfast-private-" + ID))
                        .forEach(found::add);
            }
        }
        return found;
    }

    private static String shell(String text) {
        return "ExecStart=/bin/sh -c '" + text + "'";
    }

    private String run(String... lines) throws Exception {
        return runAll(lines).getLast();
    }

    /** Returns the output of each command before and at the start; they must succeed. */
    private List<String> runAll(String... lines) throws Exception {
        ServiceUnit unit = TestUnits.service(scope, lines);
        assertThat(unit.diagnostics())
                .noneMatch(diagnostic -> diagnostic.kind() == Diagnostic.Kind.REFUSED);
        List<String> outputs = new ArrayList<>();
        List<ExecCommand> commands = new ArrayList<>(unit.service().commands().startPre());
        commands.addAll(unit.service().commands().start());
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd readEnd = pipe[0];
                Fd output = pipe[1]) {
            Execution execution =
                    new Execution(
                            TestUnits.executed(unit),
                            scope,
                            OneRun.surroundings(output, folder, Optional.empty(), ID),
                            new DynamicUids(folder.resolve("uids")),
                            SandboxSupport.find(SandboxSupport.Mode.AS_FOUND),
                            warnings::add);
            execution.prepare();
            try {
                for (ExecCommand command : commands) {
                    outputs.add(run(execution, command, readEnd));
                }
            } finally {
                execution.close(false);
            }
        }
        return outputs;
    }

    /** Returns the output of a command, which may write as much as a pipe holds. */
    private static String run(Execution execution, ExecCommand command, Fd readEnd)
            throws Exception {
        byte[] bytes = new byte[8192];
        try (Child child = execution.start(command, Map.of(), PassedDescriptors.NONE)) {
            Exit exit = child.await();
            assertThat(
                            io.holdfast.core.sys.Fcntl.setfl(
                                    readEnd, io.holdfast.core.sys.Fcntl.O_NONBLOCK))
                    .isZero();
            int n = Math.max(0, Unistd.read(readEnd, bytes, 0, bytes.length));
            String text = new String(bytes, 0, n, UTF_8);
            assertThat(exit).as(text).isEqualTo(new Exit.Exited(0));
            return text.strip();
        }
    }

    private void fails(Class<? extends Exception> kind, String message, String... lines) {
        assertThatExceptionOfType(kind)
                .isThrownBy(() -> run(lines))
                .withMessageContaining(message)
                .matches(e -> SetupException.exitOf(e).equals(Optional.of(new Exit.Exited(226))));
    }

    // ---- the system

    @ParameterizedTest
    @CsvSource({
        "no, w, w, w",
        "yes, r, w, w",
        "full, r, r, w",
        "strict, r, r, r",
        "on, r, w, w",
    })
    void protectSystemMakesReadOnly(String how, String usr, String etc, String var)
            throws Exception {
        String test =
                "for d in /usr /etc /var/lib; do mktemp -u $$d/hfXXXXXX | ( read f;"
                        + " if touch $$f 2>/dev/null; then rm $$f; echo w; else echo r; fi ); done";
        assertThat(run("ProtectSystem=" + how, shell(test)).lines()).containsExactly(usr, etc, var);
    }

    @Test
    void strictLeavesDevicesAndWhatIsNamed() throws Exception {
        Path named = Files.createDirectory(folder.resolve("named"));
        Path inside = Files.createDirectory(named.resolve("inside"));
        Path beside = Files.createDirectory(folder.resolve("beside"));
        String text =
                run(
                        "ProtectSystem=strict",
                        "ReadWritePaths=" + named + " -/no/such/folder",
                        "ReadOnlyPaths=" + inside,
                        "StateDirectory=s",
                        shell(
                                "echo x >/dev/null && touch /dev/shm/hf && rm /dev/shm/hf && touch "
                                        + named
                                        + "/x $STATE_DIRECTORY/x && ! touch "
                                        + beside
                                        + "/x && ! touch "
                                        + inside
                                        + "/x"));
        assertThat(text).contains(beside + "/x': Read-only").contains(inside + "/x': Read-only");
        assertThat(named.resolve("x")).exists();
        assertThat(folder.resolve("state/s/x")).exists();
    }

    @Test
    void aMissingPathIsRefusedUnlessItMayBeMissing() throws Exception {
        fails(
                SetupException.class,
                "ReadWritePaths=: /no/such/folder is missing",
                "ReadWritePaths=/no/such/folder");
        fails(SetupException.class, "BindPaths=: /no/such is missing", "BindPaths=/no/such:/srv");
        assertThat(
                        run(
                                "ReadWritePaths=-/no/such",
                                "InaccessiblePaths=-/no/such",
                                "BindPaths=-/no/such:/srv",
                                shell("echo ok")))
                .isEqualTo("ok");
    }

    @Test
    void theRootCanBeReadOnlyButNotCovered() throws Exception {
        assertThat(run("ReadOnlyPaths=/", shell("! touch /etc/hf /proc/self/comm")))
                .contains("/etc/hf", "Read-only");
        assertThat(
                        run(
                                "ProtectSystem=strict",
                                "ReadWritePaths=/",
                                shell("touch " + folder + "/x && echo ok")))
                .isEqualTo("ok");
        fails(SetupException.class, "the root itself", "InaccessiblePaths=/");
        fails(SetupException.class, "the root itself", "TemporaryFileSystem=/");
    }

    @Test
    void anEarlierCommandMakesWhatALaterOneMayWrite() throws Exception {
        Path late = folder.resolve("late");
        assertThat(
                        run(
                                "ProtectSystem=strict",
                                "ReadWritePaths=-" + late,
                                "ExecStartPre=+/bin/mkdir " + late,
                                shell("touch " + late + "/x && echo done")))
                .isEqualTo("done");
    }

    @Test
    void inaccessibleIsNeitherReadNorEntered() throws Exception {
        Path secret = Files.createDirectory(folder.resolve("secret"));
        Files.writeString(secret.resolve("file"), "hidden");
        Path file = Files.writeString(folder.resolve("file"), "hidden");
        String text =
                run(
                        "User=nobody",
                        "InaccessiblePaths=" + secret + " " + file,
                        "ReadWritePaths=" + secret + "/file",
                        shell("! ls " + secret + " && ! cat " + file));
        assertThat(text).doesNotContain("hidden").contains("Permission denied");
    }

    // ---- homes, temporary folders, devices

    @ParameterizedTest
    @CsvSource({
        "no, 'root: w'",
        "read-only, 'root: r'",
        "yes, 'root: r'",
        "tmpfs, 'root: r 0'",
    })
    void homesAreProtected(String how, String expected) throws Exception {
        Path mark = Files.createFile(Path.of("/root/.hf-" + ProcessHandle.current().pid()));
        try {
            String text =
                    run(
                            "ProtectHome=" + how,
                            shell(
                                    "f=/root/.hf2-$$$$; if touch $$f 2>/dev/null; then rm $$f; echo"
                                            + " root: w; else echo root: r $(ls -A /root | wc -l);"
                                            + " fi"));
            assertThat(text).startsWith(expected);
            boolean seen = how.equals("no") || how.equals("read-only");
            assertThat(
                            run(
                                    "ProtectHome=" + how,
                                    shell("if [ -e " + mark + " ]; then echo seen; fi")))
                    .isEqualTo(seen ? "seen" : "");
        } finally {
            Files.delete(mark);
        }
    }

    @Test
    void temporaryFoldersAreOfTheRunAndSharedByItsCommands() throws Exception {
        Path outside = Files.createTempFile(Path.of("/tmp"), "hf", "");
        try {
            List<String> outputs =
                    runAll(
                            "PrivateTmp=yes",
                            "User=nobody",
                            "ExecStartPre=/bin/sh -c 'ls -A /tmp /var/tmp; touch /tmp/a /var/tmp/b'",
                            shell("ls -A /tmp /var/tmp; stat -c %%a /tmp"));
            assertThat(outputs.getFirst()).isEqualTo("/tmp:\n\n/var/tmp:");
            assertThat(outputs.getLast()).isEqualTo("/tmp:\na\n\n/var/tmp:\nb\n1777");
        } finally {
            Files.delete(outside);
        }
        assertThat(run("PrivateTmp=yes", shell("ls -A /tmp"))).isEmpty();
    }

    @Test
    void aDisconnectedTemporaryFolderIsInMemory() throws Exception {
        assertThat(run("PrivateTmp=disconnected", shell("stat -f -c %%T /tmp; stat -c %%a /tmp")))
                .isEqualTo("tmpfs\n1777");
    }

    @Test
    void onlyPseudoDevicesAreLeft() throws Exception {
        String text =
                run(
                        "PrivateDevices=yes",
                        shell(
                                "cd /dev && ls && cat /dev/null && head -c1 /dev/zero | wc -c && ! touch"
                                        + " /dev/x && [ /dev/stdin -ef /proc/self/fd/0 ] && grep CapBnd"
                                        + " /proc/self/status"));
        assertThat(text.lines())
                .contains("null", "urandom", "pts", "shm", "fd")
                .doesNotContain("vda", "kmsg", "mem");
        assertThat(text).contains("Read-only");
        long set = Long.parseUnsignedLong(text.replaceAll("(?s).*CapBnd:\\s*", ""), 16);
        assertThat(set & (1L << 27 | 1L << 17)).as("CAP_MKNOD and CAP_SYS_RAWIO").isZero();
    }

    @Test
    void aTemporaryFileSystemHidesAllButWhatIsBound() throws Exception {
        Path data = Files.createDirectories(folder.resolve("data/deep"));
        Files.writeString(data.resolve("file"), "content");
        String text =
                run(
                        "TemporaryFileSystem=" + folder + ":ro,mode=0711",
                        "BindReadOnlyPaths=" + data + ":" + folder + "/data/deep",
                        "BindPaths=" + data + "/file:" + folder + "/single",
                        "StateDirectory=s",
                        shell(
                                "stat -c %%a "
                                        + folder
                                        + "; ls "
                                        + folder
                                        + "; cat "
                                        + data
                                        + "/file; ! touch "
                                        + data
                                        + "/x; ! touch "
                                        + folder
                                        + "/x; touch $STATE_DIRECTORY/x"));
        assertThat(text).startsWith("711\ndata\nsingle\nstate\ncontent").contains("Read-only");
        assertThat(folder.resolve("single")).doesNotExist();
        assertThat(folder.resolve("state/s/x")).exists();
    }

    @Test
    void aBindMakesItsPlaceWhereThereIsNone() throws Exception {
        Path source = Files.createDirectory(folder.resolve("source"));
        Path place = folder.resolve("new/place");
        assertThat(
                        run(
                                "BindPaths=" + source + ":" + place,
                                shell("touch " + place + "/x && ls " + source)))
                .isEqualTo("x");
        assertThat(place).isEmptyDirectory();
    }

    // ---- the kernel

    @Test
    void tunablesAndCgroupsAreReadOnly() throws Exception {
        String text =
                run(
                        "ProtectKernelTunables=yes",
                        "ProtectControlGroups=yes",
                        shell(
                                "! sh -c \"echo x > /proc/sys/kernel/hostname\"; ! mkdir"
                                        + " /sys/fs/cgroup/x; grep -c \" /sys \" /proc/self/mounts; cat"
                                        + " /proc/kallsyms | wc -c"));
        assertThat(text).contains("Read-only").endsWith("\n0");
    }

    @Test
    void clockAndModulesAreOutOfReach() throws Exception {
        String text =
                run(
                        "ProtectClock=yes",
                        "ProtectKernelModules=yes",
                        shell(
                                "! date -s now; ls -A /usr/lib/modules; grep CapBnd /proc/self/status"));
        assertThat(text).contains("not permitted");
        long set = Long.parseUnsignedLong(text.replaceAll("(?s).*CapBnd:\\s*", ""), 16);
        assertThat(set & (1L << 16 | 1L << 25 | 1L << 35)).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"net PrivateNetwork", "ipc PrivateIPC"})
    void commandsShareANamespaceThatIsNotOurs(String what) throws Exception {
        String name = what.split(" ")[0];
        String link = "/bin/readlink /proc/self/ns/" + name;
        List<String> links =
                runAll(
                        what.split(" ")[1] + "=yes",
                        "ExecStartPre=" + link,
                        "ExecStartPre=+" + link,
                        "ExecStart=" + link);
        assertThat(links.get(0)).isEqualTo(links.get(2)).isNotEqualTo(links.get(1));
    }

    @Test
    void aProtectedHostnameIsItsOwnAndStays() throws Exception {
        List<String> lines =
                runAll(
                        "ProtectHostname=yes",
                        "ExecStartPre=/bin/sh -c \"hostname hf-inside 2>/dev/null || hostname\"",
                        "ExecStartPre=/bin/readlink /proc/self/ns/uts",
                        "ExecStart=+/bin/readlink /proc/self/ns/uts");
        assertThat(lines)
                .contains(Files.readString(Path.of("/proc/sys/kernel/hostname")).strip())
                .doesNotContain("hf-inside");
        assertThat(lines.get(lines.size() - 2)).isNotEqualTo(lines.getLast());
    }

    @Test
    void whatIsMountedInsideStaysThere() throws Exception {
        Path point = Files.createDirectory(folder.resolve("point"));
        assertThat(
                        run(
                                "PrivateMounts=yes",
                                "ReadWritePaths=" + folder,
                                shell(
                                        "mount -t tmpfs none "
                                                + point
                                                + " && touch "
                                                + point
                                                + "/x && ls "
                                                + point)))
                .isEqualTo("x");
        assertThat(point).isEmptyDirectory();
    }

    // ---- together

    @Test
    void numbersIdentityAndProgramAreThoseOfThePlainStart() throws Exception {
        String text =
                run(
                        "ProtectSystem=strict",
                        "PrivateTmp=yes",
                        "PrivateDevices=yes",
                        "User=nobody",
                        "WatchdogSec=5",
                        "UMask=0077",
                        "LimitNOFILE=77",
                        "WorkingDirectory=/usr",
                        shell(
                                "echo $$$$=$WATCHDOG_PID; id -u; umask; ulimit -n; pwd; touch /tmp/x; stat"
                                        + " -c %%a /tmp/x"));
        List<String> lines = text.lines().toList();
        assertThat(lines.getFirst()).matches("([0-9]+)=\\1");
        assertThat(lines.subList(1, 6)).containsExactly("65534", "0077", "77", "/usr", "600");
    }

    @Test
    void aDynamicUserCanWriteOnlyWhatIsItsOwn() throws Exception {
        String text =
                run(
                        "DynamicUser=yes",
                        "StateDirectory=s",
                        "RuntimeDirectory=r",
                        shell(
                                "touch $STATE_DIRECTORY/x $RUNTIME_DIRECTORY/y /tmp/z && ! touch "
                                        + folder
                                        + "/no && ls /tmp && id -u"));
        assertThat(text).contains("z").contains("Read-only");
        assertThat(folder.resolve("state/s/x")).exists();
        assertThat(folder.resolve("run/r")).doesNotExist();

        Path state = folder.resolve("state/s"); // its owner's id is reused by the next run
        Path _ = Files.setAttribute(state, "unix:uid", 61_234);
        assertThat(run("DynamicUser=yes", "StateDirectory=s", shell("id -u"))).isEqualTo("61234");
    }

    @Test
    void aProgramThatIsHiddenIsNotStarted() throws Exception {
        Path program = Files.writeString(folder.resolve("program"), "#!/bin/sh\n");
        assertThat(program.toFile().setExecutable(true)).isTrue();
        assertThatExceptionOfType(io.holdfast.core.ErrnoException.class)
                .isThrownBy(() -> run("TemporaryFileSystem=" + folder, "ExecStart=" + program))
                .withMessageContaining("ENOENT");
    }

    @Test
    void whatCannotBeMountedFailsTheStart() {
        fails(
                Isolation.FailedException.class,
                "fsconfig tmpfs no_such_option=1",
                "TemporaryFileSystem=/srv:no_such_option=1");
    }

    /** The user of a service replaces a path of the unit by a link to a file of root. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "BindPaths=OWN/place:MOUNTED",
                "BindReadOnlyPaths=OWN/place:MOUNTED",
                "BindPaths=GIVEN:OWN/place",
                "TemporaryFileSystem=OWN/place",
                "InaccessiblePaths=OWN/place",
                "ReadOnlyPaths=OWN/place"
            })
    @Needs(
            root = true,
            features = Feature.MOUNT_TREES,
            programs = {"gcc", "setpriv"})
    void whatIsExchangedMeanwhileNeitherShowsNorCoversWhatIsRoots(String directive)
            throws Exception {
        Path secret = Files.createDirectory(folder.resolve("secret"));
        Path inner = Files.writeString(secret.resolve("inner"), "root's");
        Path given = Files.createDirectory(folder.resolve("given"));
        Path mounted = Files.createDirectory(folder.resolve("mounted"));
        Path own = Files.createDirectory(folder.resolve("own"));
        Path place = Files.createDirectory(own.resolve("place"));
        Path link = Files.createSymbolicLink(HostilePath.other(place), secret);
        for (Path each : List.of(own, place, link)) {
            HostilePath.give(each, HostilePath.USER);
        }
        String line =
                directive
                        .replace("OWN", own.toString())
                        .replace("GIVEN", given.toString())
                        .replace("MOUNTED", mounted.toString());
        String look = "ls " + mounted + "; echo x >>" + inner + "; cat " + inner;
        int started = 0;
        int refused = 0;
        try (HostileUser _ = HostileUser.exchanging(HostilePath.USER, place, link)) {
            while (started + refused < ROUNDS) {
                try {
                    String seen = run(line, shell(look));
                    assertThat(seen).as(line).startsWith("root's").endsWith("x");
                    started++;
                } catch (SetupException | Isolation.FailedException e) {
                    refused++;
                }
            }
        }
        assertThat(refused).as("started %d", started).isPositive();
    }
}
