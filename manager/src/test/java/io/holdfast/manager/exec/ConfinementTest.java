package io.holdfast.manager.exec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.file.folder.TreeRemoval;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Namespace;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.credential.UnitCredentials;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.value.ExecCommand;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests what a service cannot do with a directive, and can do without it. */
@Timeout(120)
@Needs(root = true, features = Feature.MOUNT_TREES)
class ConfinementTest {
    private static final long PID = ProcessHandle.current().pid();

    private Path folder = Path.of("/");
    private ManagerScope scope = ManagerScope.system(Map.of());

    @BeforeEach
    void makeAFolder() throws Exception {
        folder = Files.createTempDirectory(Path.of("/var/lib"), "holdfast-test");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        scope = TestUnits.scopeIn(folder);
    }

    @AfterEach
    void removeTheFolder() throws Exception {
        try (Directory parent = Directory.open("/var/lib")) {
            TreeRemoval.remove(parent, folder.getFileName().toString());
        }
    }

    private String run(String... lines) throws Exception {
        try (OneRun run = OneRun.prepared(scope, folder, lines)) {
            return run.main();
        }
    }

    private static String shell(String text) {
        return "ExecStart=/bin/sh -c '" + text + "'";
    }

    private void fails(int status, String message, String... lines) {
        assertThatExceptionOfType(SetupException.class)
                .isThrownBy(() -> run(lines))
                .withMessageContaining(message)
                .matches(
                        e -> SetupException.exitOf(e).equals(Optional.of(new Exit.Exited(status))));
    }

    // ---- /proc

    @ParameterizedTest
    @CsvSource({
        "default, seen, read",
        "noaccess, seen, denied",
        "invisible, hidden, denied",
        "ptraceable, hidden, denied",
    })
    void processesOfOtherUsersAreNotVisible(String how, String seen, String read) throws Exception {
        String test =
                "if [ -d /proc/@ ]; then echo seen; else echo hidden; fi;"
                        + " if cat /proc/@/status >/dev/null 2>&1; then echo read;"
                        + " else echo denied; fi; [ -d /proc/self ] && echo self";
        assertThat(
                        run(
                                "User=nobody",
                                "ProtectProc=" + how,
                                shell(test.replace("@", Long.toString(PID)))))
                .isEqualTo(seen + "\n" + read + "\nself");
    }

    @Test
    void onlyProcessesAreLeftOfProc() throws Exception {
        String test = shell("ls -d /proc/self/status /proc/cpuinfo /proc/sys 2>/dev/null; true");
        assertThat(run(test)).isEqualTo("/proc/cpuinfo\n/proc/self/status\n/proc/sys");
        assertThat(run("ProcSubset=pid", test)).isEqualTo("/proc/self/status");
        assertThat(run("ProcSubset=pid", "ProtectKernelTunables=yes", test))
                .isEqualTo("/proc/self/status");
    }

    @Test
    void protectedFilesOfProcStayProtected() throws Exception {
        assertThat(
                        run(
                                "ProtectProc=invisible",
                                "ProtectKernelTunables=yes",
                                shell(
                                        "! sh -c \"echo x > /proc/sys/kernel/hostname\"; cat"
                                                + " /proc/kallsyms | wc -c")))
                .contains("Read-only")
                .endsWith("\n0");
    }

    @Test
    void theLogOfTheKernelIsOutOfReach() throws Exception {
        String text =
                run(
                        "ProtectKernelLogs=yes",
                        shell("(: </dev/kmsg) 2>&- && echo device; grep CapBnd /proc/self/status"));
        assertThat(text).doesNotContain("device");
        long set = Long.parseUnsignedLong(text.replaceAll("(?s).*CapBnd:\\s*", ""), 16);
        assertThat(set & (1L << 34)).as("CAP_SYSLOG").isZero();
        assertThat(run("ProtectKernelLogs=yes", "PrivateDevices=yes", shell("ls /dev")))
                .doesNotContain("kmsg");
    }

    // ---- credentials

    @ParameterizedTest
    @ValueSource(
            strings = {
                "PrivateMounts=yes",
                "MountFlags=slave",
                "PrivatePIDs=yes",
                "ReadOnlyPaths=/opt"
            })
    void theCredentialsOfOtherUnitsAreHiddenInEveryMountNamespace(String line) throws Exception {
        Path other = UnitCredentials.parent(scope).resolve("other.service");
        Path secret = Files.writeString(Files.createDirectories(other).resolve("key"), "secret");
        String test = shell("cat " + secret + " 2>/dev/null; :");
        assertThat(run(test)).isEqualTo("secret");
        assertThat(run(line, test)).isEmpty();
    }

    // ---- read-only paths

    @Test
    void aReadOnlyPathIsReadOnlyAlsoIfItIsReplacedOrBound() throws Exception {
        String test = shell("for i in /tmp /var/tmp /mnt; do touch $i/x; done 2>&1; :");
        String bind = "BindPaths=" + folder + ":/mnt";
        assertThat(run("PrivateTmp=yes", bind, test)).isEmpty();
        for (String rules :
                List.of(bind + "\nReadOnlyPaths=/tmp /mnt", "ReadOnlyPaths=/tmp /mnt")) {
            assertThat(run("PrivateTmp=yes", rules, test).lines())
                    .as(rules)
                    .hasSize(2)
                    .allMatch(line -> line.endsWith("Read-only file system"));
        }
        assertThat(run("PrivateTmp=yes", "TemporaryFileSystem=/mnt", "ReadOnlyPaths=/mnt", test))
                .contains("/mnt/x': Read-only");
    }

    @Test
    void theFoldersOfAUnitStayWritableBelowAReadOnlyPath() throws Exception {
        assertThat(
                        run(
                                "StateDirectory=a",
                                "ReadOnlyPaths=/",
                                shell("touch $STATE_DIRECTORY/x && ! touch /x 2>/dev/null")))
                .isEmpty();
    }

    // ---- programs

    @Test
    void programsAreExecutedOnlyWhereThatIsAllowed() throws Exception {
        Path program = Files.copy(Path.of("/bin/true"), folder.resolve("program"));
        assertThat(run(shell(program + "; echo $?"))).isEqualTo("0");
        assertThat(run("NoExecPaths=" + folder, shell(program + "; echo $?")))
                .contains("Permission denied");
        assertThat(
                        run(
                                "NoExecPaths=/",
                                "ExecPaths=/usr -/bin -/sbin -/lib -/lib64 -/nix",
                                shell(program + "; /bin/true && echo ok")))
                .contains("Permission denied")
                .endsWith("ok");
        assertThat(
                        run(
                                "NoExecPaths=" + folder,
                                "ExecPaths=" + program,
                                shell(program + " && echo ok")))
                .isEqualTo("ok");
    }

    @Test
    void anAllowedProgramDoesNotBecomeWritable() throws Exception {
        Path program = Files.copy(Path.of("/bin/true"), folder.resolve("program"));
        assertThat(
                        run(
                                "ProtectSystem=strict",
                                "NoExecPaths=" + folder,
                                "ExecPaths=" + program,
                                shell(program + " && ! touch " + program)))
                .contains("Read-only");
        assertThat(run("NoExecPaths=" + folder, shell("touch " + program + " && echo written")))
                .isEqualTo("written");
    }

    @Test
    void aRuleForProgramsBelowABindMountIsRefused() throws Exception {
        Path _ = Files.createDirectory(folder.resolve("bin"));
        fails(
                226,
                "name the destination itself",
                "BindPaths=/usr:" + folder,
                "NoExecPaths=" + folder + "/bin");
    }

    // ---- namespaces

    @Test
    void aNamespaceIsJoinedByItsFile() throws Exception {
        Process other =
                new ProcessBuilder("unshare", "--net", "--ipc", "sh", "-c", "echo; read x").start();
        try {
            assertThat(other.getInputStream().read()).isEqualTo('\n');
            for (String kind : List.of("net Network", "ipc IPC")) {
                String file = "/proc/" + other.pid() + "/ns/" + kind.split(" ")[0];
                String link = "/proc/self/ns/" + kind.split(" ")[0];
                assertThat(
                                run(
                                        kind.split(" ")[1] + "NamespacePath=" + file,
                                        "ExecStart=/bin/readlink " + link))
                        .isEqualTo(Files.readSymbolicLink(Path.of(file)).toString());
            }
        } finally {
            other.getOutputStream().close();
            assertThat(other.waitFor()).isNotNegative();
        }
    }

    @Test
    void whatIsNoNamespaceIsNotJoined() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        fails(226, "it is no namespace of the kind IPC", "IPCNamespacePath=" + file);
        fails(225, "it is no namespace of the kind NET", "NetworkNamespacePath=" + file);
        fails(225, "NET", "NetworkNamespacePath=/proc/self/ns/mnt");
        fails(225, folder + "/none", "NetworkNamespacePath=" + folder + "/none");
    }

    @Test
    void aHostnameMayBePrivate() throws Exception {
        String before = Files.readString(Path.of("/proc/sys/kernel/hostname"));
        assertThat(run("ProtectHostname=private", shell("hostname hf-inside; hostname")))
                .isEqualTo("hf-inside");
        assertThat(Path.of("/proc/sys/kernel/hostname")).hasContent(before);
    }

    @Test
    void cgroupsOutsideOfItsOwnAreNotVisible() throws Exception {
        String top = Cgroup.mountPoint().toString();
        String test = shell("grep ^0: /proc/self/cgroup");
        String own = Cgroup.own().path().toString();
        assertThat(run(test)).isEqualTo("0::" + own);
        assertThat(run("ProtectControlGroups=private", test)).isEqualTo("0::/");
        assertThat(run("ProtectControlGroups=strict", shell("! mkdir " + top + "/x")))
                .contains("Read-only");
        String rule = "ReadOnlyPaths=" + top;
        assertThat(run("ProtectControlGroups=private", rule, shell("! mkdir " + top + "/x")))
                .contains("Read-only");
        assertThat(run("ProtectControlGroups=private", "User=nobody", shell("id -un")))
                .isEqualTo("nobody");
    }

    @Test
    void mountsOfTheMachineDoNotArriveIfThatIsRefused() throws Exception {
        String shown = "grep -m1 \" / / \" /proc/self/mountinfo | grep -o -e shared -e master; :";
        assertThat(run("MountFlags=private", shell(shown))).isEmpty();
        assertThat(run("MountFlags=shared", "PrivateMounts=yes", shell(shown))).contains("shared");
    }

    // ---- processes

    @Test
    void aServiceIsTheFirstOfItsProcesses() throws Exception {
        String test = "echo $$$$ $PPID; ls -d /proc/[0-9]* /proc/" + PID + " 2>/dev/null; :";
        assertThat(run("PrivatePIDs=yes", shell(test))).matches("1 0\n/proc/1(\n/proc/[2-9])?");
        assertThat(run(shell(test))).contains("/proc/" + PID);
        assertThat(run("PrivatePIDs=yes", shell("! kill -0 " + PID))).contains("No such process");
        assertThat(run("PrivatePIDs=yes", "User=nobody", shell("id -un; echo $$$$")))
                .isEqualTo("nobody\n1");
    }

    @Test
    void filesOfItsOwnProcStayProtected() throws Exception {
        String test =
                shell(
                        "! sh -c \"echo x > /proc/sys/kernel/hostname\"; cat /proc/kallsyms | wc -c;"
                                + " ls /proc/self/fd | wc -l");
        assertThat(run("PrivatePIDs=yes", "ProtectKernelTunables=yes", test))
                .contains("Read-only")
                .endsWith("\n0\n4");
        assertThat(
                        run(
                                "PrivatePIDs=yes",
                                "ProcSubset=pid",
                                "ProtectKernelTunables=yes",
                                shell("ls -d /proc/self/status /proc/sys 2>/dev/null; :")))
                .isEqualTo("/proc/self/status");
    }

    // ---- a root of its own

    /** Makes a root with the machine's programs. */
    private String root() throws Exception {
        Path root = Files.createDirectory(folder.resolve("root"));
        for (String name : List.of("bin", "lib", "lib64", "sbin")) {
            if (Files.exists(Path.of("/usr", name))) {
                Path _ = Files.createSymbolicLink(root.resolve(name), Path.of("usr", name));
            }
        }
        Path _ = Files.createDirectories(root.resolve("etc"));
        Path _ = Files.createDirectories(root.resolve("data"));
        Path _ = Files.writeString(root.resolve("etc/inside"), "inside");
        Path _ = Files.createSymbolicLink(root.resolve("var"), Path.of("/data"));
        return "RootDirectory=" + root + "\nBindReadOnlyPaths=/usr";
    }

    @Test
    void aRootOfItsOwnHidesTheRestOfTheMachine() throws Exception {
        Path secret = Files.writeString(folder.resolve("secret"), "secret");
        String test = "cat " + secret + " 2>/dev/null; cat /etc/inside 2>/dev/null; :";
        String root = root();
        assertThat(run(shell(test))).isEqualTo("secret");
        assertThat(run(root, shell(test))).isEqualTo("inside");
        assertThat(run(root, "User=nobody", "WorkingDirectory=/etc", shell("cat inside; id -u")))
                .isEqualTo("inside65534");
        assertThat(run(root, shell("ls -d /proc/self /sys/kernel /dev/null /run; ls -A /run")))
                .isEqualTo("/dev/null\n/proc/self\n/run\n/sys/kernel");
        assertThat(
                        run(
                                root,
                                "MountAPIVFS=no",
                                shell("ls -d /proc/self /sys/* /dev/* 2>/dev/null; :")))
                .isEmpty();
    }

    @Test
    void directivesApplyBelowARootOfItsOwn() throws Exception {
        String root = root();
        assertThat(
                        run(
                                root,
                                "BindPaths=" + folder + ":/data/seen",
                                "ReadOnlyPaths=+/etc " + folder + "/root/data /nowhere",
                                "InaccessiblePaths=+/etc/inside",
                                "ProtectKernelTunables=yes",
                                "TemporaryFileSystem=/data/tmp",
                                "PrivateTmp=yes",
                                "PrivatePIDs=yes",
                                "StateDirectory=test",
                                shell(
                                        "ls /var/seen; touch /etc/x /data/x /proc/sys/x 2>&1;"
                                                + " wc -c < /etc/inside; touch /tmp/x /data/tmp/x"
                                                + " $STATE_DIRECTORY/x && echo $$$$")))
                .contains("root\n", "/etc/x': Read-only", "/data/x': Read-only", "\n0\n")
                .endsWith("\n1");
        assertThat(folder.resolve("root/data/seen")).isEmptyDirectory();
    }

    @Test
    void nothingLeadsOutOfARootOfItsOwn() throws Exception {
        Path secret = Files.writeString(folder.resolve("secret"), "secret");
        String program =
                "import os; os.mkdir(\"/data/x\"); f = os.open(\"/\", os.O_RDONLY);"
                        + " os.chroot(\"/data/x\"); os.fchdir(f);"
                        + " [os.chdir(\"..\") for _ in range(64)]; os.chroot(\".\");"
                        + " print(os.path.exists(\""
                        + secret
                        + "\"), os.listdir(\"/\"))";
        assertThat(run(root(), "ExecStart=/usr/bin/python3 -c '" + program + "'"))
                .startsWith("False")
                .contains("data");
    }

    @Test
    void aRootThatIsMissingOrAnImageIsRefused() {
        fails(226, "is missing", "RootDirectory=" + folder + "/none");
        fails(226, "is not supported", "RootImage=/etc/passwd");
    }

    @Test
    void aUnitThatSeesNoProcStarts() throws Exception {
        assertThat(run("TemporaryFileSystem=/proc", shell("echo /proc/*"))).isEqualTo("/proc/*");
        assertThat(run("InaccessiblePaths=/proc", "User=nobody", shell("id -u")))
                .isEqualTo("65534");
        assertThat(
                        run(
                                "TemporaryFileSystem=/proc",
                                "SystemCallFilter=~mkdir",
                                "WorkingDirectory=" + folder,
                                shell("pwd")))
                .isEqualTo(folder.toString());
    }

    @Test
    void aTemporaryFileSystemOfItsOwnIsLostWithTheCommand() throws Exception {
        Path file = Path.of("/tmp/holdfast-disconnected");
        String test = shell("echo x > " + file + " && stat -f -c %%T /tmp /var/tmp && ls /tmp");
        assertThat(run("PrivateTmp=disconnected", test))
                .isEqualTo("tmpfs\ntmpfs\nholdfast-disconnected");
        assertThat(file).doesNotExist();
        assertThat(run(test)).contains("holdfast-disconnected");
        assertThat(Files.deleteIfExists(file)).isTrue();
    }

    // ---- users

    @Test
    void onlyRootAndTheUserExist() throws Exception {
        String test =
                shell(
                        "cat /proc/self/uid_map | tr -s \" \"; id -u; stat -c %%u / /proc/1 "
                                + folder
                                + "/other; ls /proc/self/fd | wc -l");
        Path other = Files.createFile(folder.resolve("other"));
        Files.setAttribute(other, "unix:uid", 5);
        assertThat(run("User=nobody", "PrivateUsers=yes", test))
                .isEqualTo("0 0 1\n 65534 65534 1\n65534\n0\n0\n65534\n4");
        assertThat(run("PrivateUsers=identity", test)).isEqualTo("0 0 65536\n0\n0\n0\n5\n4");
        assertThat(run(test)).endsWith("\n0\n0\n5\n4");
    }

    @Test
    void rootHasNoPrivilegesOutsideOfItsUsers() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        String test = shell("chown 5 " + file + " 2>&1; hostname x 2>&1; echo end");
        assertThat(run("ProtectHostname=private", test)).isEqualTo("end");
        assertThat(run("ProtectHostname=private", "PrivateUsers=yes", test))
                .contains("Invalid argument")
                .contains("hostname: ");
    }

    @Test
    void aUserOfItsOwnUsersHasItsGroupsAndFilters() throws Exception {
        assertThat(
                        run(
                                "User=games",
                                "PrivateUsers=yes",
                                "NoNewPrivileges=yes",
                                "CapabilityBoundingSet=CAP_CHOWN",
                                "SystemCallFilter=~mkdir mkdirat",
                                "SystemCallErrorNumber=EPERM",
                                shell(
                                        "id -un; mkdir "
                                                + folder
                                                + "/x; grep -h CapBnd /proc/self/status")))
                .startsWith("games")
                .contains("Operation not permitted")
                .endsWith("0000000000000001");
    }

    // ---- keyrings and IPC objects

    @Test
    void aSessionKeyringIsEmptyUnlessItIsInherited() throws Exception {
        String inherited = run("KeyringMode=inherit", "ExecStart=/bin/cat /proc/keys");
        String own = run("ExecStart=/bin/cat /proc/keys");
        assertThat(own).contains("_ses");
        assertThat(own).isNotEqualTo(inherited);
    }

    @ParameterizedTest
    @ValueSource(strings = {"User=games", "User=root", "User=games\nPrivateTmp=yes"})
    void theKeyringOfTheUserIsSharedOnRequest(String lines) throws Exception {
        String program =
                """
                import ctypes, platform
                add, ctl = (217, 219) if platform.machine() == "aarch64" else (248, 250)
                call = ctypes.CDLL(None).syscall
                key = call(add, b"user", b"holdfast-test", b"x", 1, -4)
                print(call(ctl, 10, -3, b"user", b"holdfast-test", 0) == key > 0)
                call(ctl, 9, key, -4)
                """;
        String test =
                "ExecStart=/usr/bin/python3 "
                        + Files.writeString(folder.resolve("search.py"), program);
        assertThat(run(lines, "KeyringMode=private", test)).isEqualTo("False");
        assertThat(run(lines, "KeyringMode=shared", test)).isEqualTo("True");
    }

    @Test
    void theIpcObjectsOfAUserAreRemovedAfterItsLastRun() throws Exception {
        String user = "User=games";
        String makes =
                shell(
                        "umask 077; echo x > /dev/shm/hf-test; ipcmk -Q -M 100 -S 1 >/dev/null;"
                                + " ipcs | grep -c games");
        try (OneRun other = OneRun.prepared(scope, folder, user)) {
            try (OneRun first = other.another(user, "RemoveIPC=yes", makes)) {
                assertThat(first.main()).isEqualTo("3");
            }
            assertThat(other.main()).isEmpty();
            assertThat(Path.of("/dev/shm/hf-test")).exists();
        }
        assertThat(Path.of("/dev/shm/hf-test")).doesNotExist();
        assertThat(run(shell("ipcs"))).doesNotContain("games");
    }

    @Test
    void theIpcObjectsOfAUserStayIfALaterManagerFindsOneOfItsRunsEndedFirst() throws Exception {
        String[] lines = {
            "User=games", "RemoveIPC=yes", shell("umask 077; echo x > /dev/shm/hf-found; id -u")
        };
        long uid;
        try (OneRun before = OneRun.prepared(scope, folder, lines)) {
            uid = Long.parseLong(before.main());
        }
        try (OneRun running = OneRun.prepared(scope, folder, "User=root");
                OneRun found = running.found(lines)) {
            found.execution().keep(uid, "", List.of(), List.of());
            try (OneRun ended = running.found(lines)) {
                ended.execution().keep(uid, "", List.of(), List.of());
                ended.execution().takeUp(uid, List.of());
                assertThat(ended.main()).isEqualTo(Long.toString(uid));
            }
            assertThat(Path.of("/dev/shm/hf-found")).exists();
            found.execution().takeUp(uid, List.of());
        }
        assertThat(Path.of("/dev/shm/hf-found")).doesNotExist();
    }

    @Test
    void sharedMemoryThatAProcessHasAttachedStays() throws Exception {
        String attach =
                "import ctypes, sys; c = ctypes.CDLL(None); c.shmat.restype = ctypes.c_void_p;"
                        + " i = c.shmget(0, 4096, 0o1600); c.shmat(i, None, 0); print(i);"
                        + " sys.stdout.flush(); sys.stdin.read()";
        Process other =
                new ProcessBuilder(
                                "setpriv",
                                "--reuid=games",
                                "--clear-groups",
                                "/usr/bin/python3",
                                "-c",
                                attach)
                        .start();
        String id = other.inputReader().readLine();
        try {
            assertThat(run("User=games", "RemoveIPC=yes", shell("ipcs -m"))).contains("games");
            assertThat(run(shell("ipcs -m -i " + id))).contains("uid=5");
        } finally {
            other.getOutputStream().close();
            assertThat(other.waitFor()).isZero();
        }
        assertThat(run("User=games", "RemoveIPC=yes", shell("ipcs -m"))).contains("games");
        assertThat(run(shell("ipcs -m"))).doesNotContain("games");
    }

    @Test
    void theIpcObjectsOfAUserStayWithoutTheDirective() throws Exception {
        try {
            assertThat(run("User=games", shell("umask 077; echo x > /dev/shm/hf-kept"))).isEmpty();
            assertThat(Path.of("/dev/shm/hf-kept")).exists();
        } finally {
            boolean _ = Files.deleteIfExists(Path.of("/dev/shm/hf-kept"));
        }
    }

    // ---- a later manager

    @Test
    void nothingIsExecutedAsTheManagerAfterTheUserWasNotFoundAgain() {
        String[] lines = {"User=holdfast-no-such-user", shell("id -u")};
        SandboxSupport support = SandboxSupport.find(SandboxSupport.Mode.AS_FOUND);
        try (OneRun run = new OneRun(scope, folder, support, lines)) {
            assertThatExceptionOfType(SetupException.class)
                    .isThrownBy(() -> run.execution().takeUp(0, List.of()));
            assertThatExceptionOfType(SetupException.class)
                    .isThrownBy(run::main)
                    .withMessageContaining("did not find the user and the sandbox again");
        }
    }

    @Test
    void aLaterManagerJoinsTheNamespacesOfTheProcessesThatAreLeft() throws Exception {
        String[] lines = {
            "PrivateNetwork=yes",
            "PrivateIPC=yes",
            "PrivateUsers=yes",
            shell("readlink /proc/self/ns/net /proc/self/ns/ipc /proc/self/ns/user")
        };
        SandboxSupport support = SandboxSupport.find(SandboxSupport.Mode.AS_FOUND);
        try (OneRun first = OneRun.prepared(scope, folder, lines)) {
            String shown = first.main();
            assertThat(first.main()).isEqualTo(shown);
            ExecCommand sleep =
                    TestUnits.service(scope, "ExecStart=/bin/sleep 1000")
                            .service()
                            .commands()
                            .start()
                            .getFirst();
            try (Child left = first.execution().start(sleep, Map.of(), PassedDescriptors.NONE);
                    OneRun second = new OneRun(scope, folder, support, lines);
                    OneRun third = new OneRun(scope, folder, support, lines)) {
                Await.until(() -> !isInOurUserNamespace(left)); // it enters its own itself
                second.execution().keep(0, "", List.of(), List.of(left.pidFd()));
                second.execution().takeUp(0, List.of(left.pidFd()));
                assertThat(second.main()).isEqualTo(shown);
                third.execution().keep(0, "", List.of(), List.of());
                third.execution().takeUp(0, List.of());
                assertThat(third.main()).isNotEqualTo(shown);
                assertThat(left.signal(Signal.KILL)).isTrue();
                Exit _ = left.await();
            }
        }
    }

    private static boolean isInOurUserNamespace(Child process) {
        try (PidFd self = PidFd.self();
                Namespace ours = self.namespace(Namespace.Kind.USER);
                Namespace its = process.pidFd().namespace(Namespace.Kind.USER)) {
            return its.equals(ours);
        }
    }

    // ---- paths

    @Test
    void aPathThatHidesTheManagersOwnClassesDoesNotKeepAUnitFromStarting() throws Exception {
        Path classes =
                Path.of(
                        Execution.class
                                .getProtectionDomain()
                                .getCodeSource()
                                .getLocation()
                                .toURI());
        assertThat(run("InaccessiblePaths=" + classes, shell("ls -A " + classes + " | wc -l")))
                .isEqualTo("0");
        assertThat(run("User=nobody", "InaccessiblePaths=" + classes, shell("echo ok")))
                .isEqualTo("ok");
    }

    @Test
    void theFilesOfANetworkOfItsOwnKeepTheMountsBelowThemAndTheirProtection() throws Exception {
        String show = "ls /sys/class/net; test -e /sys/fs/cgroup && stat -f -c %%T /sys/fs/cgroup";
        String touch = "; touch /sys/x 2>&1 | sed s/.*:.//";
        String plain = run("PrivateNetwork=yes", shell(show + touch));
        String below = run(shell("stat -f -c %%T /sys/fs/cgroup"));
        assertThat(plain).isEqualTo("lo\n" + below + "\nPermission denied");
        assertThat(run("PrivateNetwork=yes", "ProtectKernelTunables=yes", shell(show + touch)))
                .isEqualTo("lo\n" + below + "\nRead-only file system");
    }
}
