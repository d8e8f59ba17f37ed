package io.holdfast.cli.up;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.cli.Program;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.WorkloadIdentity;
import io.holdfast.varlink.client.VarlinkClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests {@code up} in another JVM, and the commands that talk to its manager. */
@Timeout(180)
class UpTest {
    @TempDir private Path folder;
    private Path units;
    private String runtime;
    private String slice;

    @BeforeEach
    void layOut() throws IOException {
        Files.setAttribute(folder, "unix:mode", 01777);
        units = Files.createDirectory(folder.resolve("units"));
        runtime = folder.resolve("run").toString();
        slice = "hfup" + ProcessHandle.current().pid() + "x" + System.nanoTime() + ".slice";
        unit(
                "a",
                "Restart=on-failure\nRestartSec=0\nExecStart=/bin/sh -c 'echo up; while true; do sleep 1000; done'");
    }

    @AfterEach
    void nothingIsLeft() {
        try (Cgroup own = Cgroup.own()) {
            assertThat(own.childNames()).doesNotContain(slice);
        }
    }

    private void unit(String name, String service) throws IOException {
        Files.writeString(
                units.resolve(name + ".service"),
                "[Unit]\nDescription=Unit "
                        + name
                        + "\nDefaultDependencies=no\n[Service]\n"
                        + service
                        + "\n");
    }

    private CommandProcess up(String... names) throws IOException {
        List<String> words =
                new ArrayList<>(
                        List.of(
                                "up",
                                "--runtime-dir",
                                runtime,
                                "--slice",
                                slice,
                                "--units",
                                units.toString()));
        words.addAll(List.of(names));
        return CommandProcess.start(words.toArray(String[]::new));
    }

    private Invocation command(String verb, String... rest) {
        List<String> words = new ArrayList<>(List.of(verb, "--runtime-dir", runtime));
        words.addAll(List.of(rest));
        return Invocation.of(words.toArray(String[]::new));
    }

    @Test
    void theCommandsTalkToIt() throws Exception {
        unit("b", "ExecStart=/bin/sleep 1000");
        try (CommandProcess up = up("a")) {
            up.await("holdfast: ready");
            up.await("a.service | up");

            Invocation one = command("status", "a");
            assertThat(one.code()).isZero();
            assertThat(one.out())
                    .contains("● a.service - Unit a", "active (running)", "/bin/sh -c echo up;");
            assertThat(one.out()).contains("\nup\n");
            assertThat(command("start", "b")).isEqualTo(new Invocation(0, "", ""));
            assertThat(command("status").out().lines())
                    .anyMatch(line -> line.matches("● a\\.service +active +running +Unit a"))
                    .anyMatch(line -> line.matches("● b\\.service +active +running +Unit b"));
            assertThat(command("status", "--json", "a").out())
                    .startsWith("{")
                    .contains("\"activeState\":\"active\"");

            assertThat(command("kill", "--signal", "KILL", "a").code()).isZero();
            up.await("a.service | up", 2);
            assertThat(command("status", "a").out()).contains("Restarts: 1");
            assertThat(command("restart", "a").code()).isZero();
            assertThat(command("stop", "a", "b").code()).isZero();
            assertThat(command("status", "a").code()).isEqualTo(3);

            Invocation unknown = command("status", "nowhere");
            assertThat(unknown.code()).isEqualTo(4);
            assertThat(unknown.out()).contains("not-found", "inactive (dead)");
            assertThat(command("start", "nowhere").err())
                    .isEqualTo(
                            "holdfast: cannot start nowhere.service: there is no such unit; install"
                                    + " the package that ships it, or give the folder of its unit"
                                    + " file: holdfast up --units DIR\n");
            assertThat(command("kill", "a").err())
                    .isEqualTo("holdfast: a.service has no processes\n");
            Invocation nonsense = command("kill", "-s", "NONSENSE", "a");
            assertThat(nonsense.code()).isEqualTo(ExitCode.USAGE);
            assertThat(nonsense.err()).contains("'NONSENSE'");

            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
        Invocation gone = command("status");
        assertThat(gone.code()).isEqualTo(1);
        assertThat(gone.err().lines())
                .singleElement()
                .asString()
                .contains("no manager is running at");
    }

    @Test
    void aSecondOneInTheSameFolderIsRefusedAndTheFirstIsUndisturbed() throws Exception {
        unit("b", "ExecStart=/bin/sleep 1000");
        try (CommandProcess first = up("b")) {
            first.await("ready");
            try (CommandProcess second = up("a")) {
                assertThat(second.exitCode()).isEqualTo(1);
                assertThat(second.lines())
                        .singleElement()
                        .asString()
                        .startsWith("holdfast: ")
                        .contains(runtime, "a manager is already running at");
            }
            assertThat(Path.of(runtime, "state", "b.service")).as("its state").exists();
            assertThat(command("start", "a").code()).isZero();
            first.signal("INT");
            assertThat(first.exitCode()).isZero();
            assertThat(first.lines()).anyMatch(line -> line.contains("a.service: stopped"));
        }
    }

    @Test
    void whatServicesSayGivesATerminalNoOrders() throws Exception {
        unit(
                "e",
                "ExecStart=/bin/sh -c 'printf \"clear \\\\033[2J\\\\tit\\\\n\"; exec sleep 1000'");
        try (CommandProcess up = up("e")) {
            up.await("e.service | clear");
            assertThat(command("status", "e").out())
                    .contains("clear \\u001b[2J it")
                    .doesNotContain("\u001b");
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    @Test
    void aFolderThatCannotBeMadeIsNamedWithTheReason() throws Exception {
        runtime = Files.createFile(folder.resolve("file")).toString();
        try (CommandProcess up = up("a")) {
            assertThat(up.exitCode()).isEqualTo(1);
            assertThat(up.lines())
                    .singleElement()
                    .asString()
                    .isEqualTo(
                            "holdfast: open %s: ENOTDIR (not a directory); it is a file; remove it, or choose another folder"
                                    .formatted(runtime));
        }
    }

    @Test
    void itEndsWithOneWhenNothingCouldBeStarted() throws Exception {
        unit("bad", "ExecStart=/nowhere/program");
        try (CommandProcess up = up("bad", "nowhere")) {
            assertThat(up.exitCode()).isEqualTo(1);
            assertThat(up.lines())
                    .anyMatch(line -> line.contains("/nowhere/program"))
                    .anyMatch(line -> line.startsWith("holdfast: cannot start bad.service: failed"))
                    .anyMatch(line ->
                            line.startsWith(
                                    "holdfast: cannot start nowhere.service: there is no such unit; install"))
                    .noneMatch(line -> line.contains("ready"));
        }
    }

    @Test
    void whatRunsGoesOnWhenSomethingElseCouldNotBeStarted() throws Exception {
        try (CommandProcess up = up("a", "nowhere")) {
            up.await("cannot start nowhere.service: there is no such unit");
            up.await("a.service | up");
            assertThat(command("status", "a").code()).isZero();
            up.signal("TERM");
            assertThat(up.exitCode()).isEqualTo(1);
        }
    }

    @Test
    void theStatusTellsWhyAUnitCannotBeLoadedOrRun() throws Exception {
        unit("broken", "Nice=high\nExecStart=bin/relative");
        unit("missing", "ExecStart=/nowhere/program");
        try (CommandProcess up = up("a")) {
            up.await("holdfast: ready");

            assertThat(command("start", "broken").code()).isEqualTo(1);
            String place = units.resolve("broken.service") + ":6: ";
            assertThat(command("status", "broken").out().lines())
                    .anyMatch(line -> line.contains("Loaded: bad-setting"))
                    .anyMatch(line ->
                            line.contains("Error: " + place) && line.contains("bin/relative"))
                    .anyMatch(line ->
                            line.contains(
                                    "Warnings: 1: holdfast verify "
                                            + units.resolve("broken.service")));

            assertThat(command("start", "missing").code()).isEqualTo(1);
            assertThat(command("status", "missing").out().lines())
                    .anyMatch(line ->
                            line.contains("Failure: cannot run /nowhere/program")
                                    && line.contains("ENOENT"));
            assertThat(command("reset-failed", "missing").code()).isZero();
            assertThat(command("status", "missing").out()).doesNotContain("Failure:");
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    @Test
    void theStatusCountsWhatAUnitGoesWithoutAndListsItOnRequest() throws Exception {
        unit(
                "w",
                """
                RestrictFileSystems=ext4
                CoredumpFilter=default
                SocketBindDeny=any
                ProtectProc=default
                ExecStart=/bin/sleep 1000\
                """);
        unit("q", "CoredumpFilter=default\nExecStart=/bin/sleep 1000");
        String file = units.resolve("w.service") + ":";
        try (CommandProcess up = up("w", "q")) {
            up.await("holdfast: ready");

            assertThat(command("status", "w").out())
                    .contains(
                            "\n   Warnings: 3, 2 of them security: holdfast verify "
                                    + units.resolve("w.service")
                                    + "\n")
                    .doesNotContain("RestrictFileSystems");
            assertThat(command("status", "--warnings", "w").out())
                    .contains(
                            "   Security: "
                                    + file
                                    + "5: RestrictFileSystems= is not supported: file systems"
                                    + " of every type are accessible\n"
                                    + "   Security: "
                                    + file
                                    + "7: SocketBindDeny= is not supported: sockets can be bound"
                                    + " to every port\n"
                                    + "    Warning: "
                                    + file
                                    + "6: CoredumpFilter= is not supported\n");
            assertThat(command("status", "q").out())
                    .contains(
                            "\n   Warnings: 1: holdfast verify "
                                    + units.resolve("q.service")
                                    + "\n");
            assertThat(command("status", "--json", "w").out())
                    .contains(
                            "{\"place\":\""
                                    + file
                                    + "5\",\"severity\":\"warning\",\"message\":\"RestrictFileSystems="
                                    + " is not supported\",\"cost\":\"file systems of every type are"
                                    + " accessible\",\"security\":true}");
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
        assertThat(command("status").code()).isEqualTo(1);
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void aPlainUsersUnitGoesWithoutItsSandboxAndTheStatusSaysSo() throws Exception {
        unit("w", "ProtectSystem=strict\nPrivateTmp=yes\nExecStart=/bin/sleep 1000");
        try (CommandProcess up = upAsNobody("w")) {
            up.await("holdfast: ready");

            assertThat(command("status", "w").out())
                    .contains(
                            "\nNot applied: PrivateTmp=, ProtectSystem=: the manager does not run"
                                    + " as root\n")
                    .contains("Warnings: 2, 2 of them security");
            assertThat(command("status", "--warnings", "w").out())
                    .contains(
                            "Security: "
                                    + units.resolve("w.service")
                                    + ":5: ProtectSystem= is not applied: the manager does not run as"
                                    + " root: the files of the system are writable\n");
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    @Test
    void onlySoManyErrorsOfAUnitAreShown() throws Exception {
        unit("broken", "ExecStart=bin/relative\n".repeat(50).strip());
        try (CommandProcess up = up("a")) {
            up.await("holdfast: ready");
            assertThat(command("status", "broken").out().lines())
                    .anyMatch(line -> line.contains("Errors: 50 in all; --json lists them"))
                    .filteredOn(line -> line.contains("Error: "))
                    .hasSize(10);
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    @Test
    void aSecondInterruptHurries() throws Exception {
        unit(
                "stubborn",
                "ExecStart=/bin/sh -c \"trap 'echo no' TERM; echo up; while true; do sleep 1000 & wait; done\"\nTimeoutStopSec=1h\nKillMode=process");
        try (CommandProcess up = up("stubborn")) {
            up.await("stubborn.service | up");
            up.signal("INT");
            up.await("stubborn.service | no");
            up.signal("INT");
            int code = up.exitCode();
            assertThat(code).isZero();
            assertThat(up.lines()).contains("holdfast: stopping at once");
        }
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void aPlainUserHasOneWithoutCgroupsAndIsToldWhatIsLost() throws Exception {
        unit(
                "b",
                "Type=notify\nExecStart=/usr/bin/python3 -c 'import os, socket, signal; s ="
                        + " socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM);"
                        + " s.connect(os.environ[\"NOTIFY_SOCKET\"]); s.send(b\"READY=1\");"
                        + " signal.pause()'");
        try (CommandProcess up = upAsNobody("a", "b")) {
            assertThat(up.await("no cgroups for services")).contains("are not tracked");
            up.await("holdfast: ready");
            Invocation status = command("status", "a");
            assertThat(status.out()).contains("active (running)").doesNotContain("Cgroup");

            assertThat(command("kill", "-s", "KILL", "a").code()).isZero();
            up.await("a.service | up", 2);
            assertThat(command("status", "a").out()).contains("Restarts: 1");
            assertThat(command("stop", "a").code()).isZero();
            assertThat(command("status", "a").code()).isEqualTo(3);
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    @Test
    @Needs(programs = "systemctl")
    void systemctlOfAUserFindsHisManagerUnlessAnotherIsThere() throws Exception {
        Path own = Files.createDirectory(folder.resolve("xdg"));
        List<String> inFolder = List.of("env", "XDG_RUNTIME_DIR=" + own);
        String[] up = {"up", "--user", "--units", units.toString(), "--slice", slice, "a"};
        try (CommandProcess first = CommandProcess.start(inFolder, up)) {
            first.await("holdfast: ready");
            ProcessBuilder systemctl =
                    new ProcessBuilder("systemctl", "--user", "is-active", "a.service");
            systemctl.environment().put("XDG_RUNTIME_DIR", own.toString());
            assertThat(Program.run(systemctl).out()).isEqualTo("active\n");

            first.signal("TERM");
            assertThat(first.exitCode()).isZero();
        }
        assertThat(own.resolve("systemd")).doesNotExist();
        Files.createDirectory(own.resolve("systemd"));
        try (UnixListener _ =
                        UnixListener.listen(
                                UnixAddress.path(own.resolve("systemd/private")),
                                SocketType.STREAM,
                                1);
                CommandProcess second = CommandProcess.start(inFolder, up)) {
            assertThat(second.await("systemctl --user cannot find this manager"))
                    .contains("EADDRINUSE", "XDG_RUNTIME_DIR=" + own.resolve("holdfast"));
            second.await("holdfast: ready");
            second.signal("TERM");
            assertThat(second.exitCode()).isZero();
        }
    }

    @Test
    void aRuntimeFolderTooDeepForSocketsIsRefusedAndNotMade() {
        runtime = folder.resolve("deep".repeat(20)).toString();
        for (String verb : List.of("up", "status", "start", "kill")) {
            Invocation refused = command(verb, "a");
            assertThat(refused.code()).isEqualTo(1);
            assertThat(refused.err())
                    .startsWith("holdfast: the runtime directory " + runtime + " has a path of ")
                    .endsWith("; name a shorter one with --runtime-dir\n");
        }
        assertThat(Path.of(runtime)).doesNotExist();
    }

    private CommandProcess upAsNobody(String... names) throws IOException {
        return upAsNobody(List.of(), names);
    }

    /**
     * @param by see {@link CommandProcess#startAsNobody}
     */
    private CommandProcess upAsNobody(List<String> by, String... names) throws IOException {
        List<String> words =
                new ArrayList<>(
                        List.of("up", "--runtime-dir", runtime, "--units", units.toString()));
        words.addAll(List.of(names));
        return CommandProcess.startAsNobody(folder, by, words.toArray(String[]::new));
    }

    /** Leaves behind a daemon in a new session with an empty environment, which prints its PID. */
    private static final String DAEMON =
            """
            import os, signal
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    os.execve('/bin/sh', ['sh', '-c', 'echo daemon $$; exec sleep 1000'], {})
                os._exit(0)
            os.wait()
            """;

    @Test
    @Needs(root = true, programs = "setpriv")
    void noOrphanEscapesAPlainUsersManager() throws Exception {
        Files.writeString(folder.resolve("stays.py"), DAEMON + "signal.pause()\n");
        Files.writeString(folder.resolve("forks.py"), DAEMON);
        unit("stays", "ExecStart=/usr/bin/python3 " + folder.resolve("stays.py"));
        unit("forks", "Type=forking\nExecStart=/usr/bin/python3 " + folder.resolve("forks.py"));
        try (CommandProcess up = upAsNobody("stays", "forks")) {
            up.await("holdfast: ready");
            try (PidFd beside = daemonOf(up, "stays");
                    PidFd forked = daemonOf(up, "forks")) {
                Invocation status = command("status", "--json", "forks");
                assertThat(status.out()).contains("\"pid\":" + forked.pid());
                assertThat(command("stop", "stays").code()).isZero();
                assertThat(beside.isAlive()).isFalse();

                forked.signal(Signal.KILL);
                up.await("forks.service: its main process killed by SIGKILL");
                up.await("forks.service: failed: signal");
                assertThat(forked.await(Duration.ofSeconds(30))).isPresent();
            }
            assertThat(command("start", "stays").code()).isZero();
            String line = up.await("stays.service | daemon", 2);
            try (PidFd beside = PidFd.open(numberIn(line))) {
                up.signal("TERM");
                assertThat(up.exitCode()).isZero();
                assertThat(beside.isAlive()).isFalse();
            }
        }
    }

    /** An orphan has given itself both marks of another unit's processes. */
    @Test
    @Needs(root = true, programs = "setpriv", features = Feature.PIDFS)
    void withoutCgroupsAnOrphanIsNotNamedByItsMarks() throws Exception {
        Files.writeString(
                folder.resolve("claims.py"),
                """
                import os, resource, signal
                if os.fork() == 0:
                    os.setsid()
                    executed, open_until_then = os.pipe()
                    if os.fork() == 0:
                        invocation, locks = open('%s').read().split()
                        os.environ['INVOCATION_ID'] = invocation
                        resource.setrlimit(10, (int(locks), -1))
                        os.execlp('sh', 'sh', '-c', 'echo daemon $$; exec sleep 1000')
                    os.close(open_until_then)
                    os.read(executed, 1)
                    os._exit(0)
                signal.pause()
                """
                        .formatted(folder.resolve("invocation")));
        unit("claims", "ExecStart=/usr/bin/python3 " + folder.resolve("claims.py"));
        unit(
                "victim",
                "Type=notify\nExecStart=/usr/bin/python3 -c 'import os, resource,"
                        + " socket, signal; open(\"%s\", \"w\").write(os.environ[\"INVOCATION_ID\"]"
                                .formatted(folder.resolve("invocation"))
                        + " + \" \" + str(resource.getrlimit(10)[0])); s ="
                        + " socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM);"
                        + " s.connect(os.environ[\"NOTIFY_SOCKET\"]); s.send(b\"READY=1\");"
                        + " signal.pause()'");
        try (CommandProcess up = upAsNobody("victim")) {
            up.await("holdfast: ready");
            assertThat(command("start", "claims").code()).isZero();
            try (PidFd orphan = daemonOf(up, "claims");
                    VarlinkClient manager =
                            VarlinkClient.connect("unix:" + runtime + "/io.holdfast.Manager")) {
                int number = manager.peer().pid();
                Await.until(() -> orphan.info().ppid().equals(OptionalInt.of(number)));
                assertThat(command("stop", "claims").code()).isZero();
                assertThat(WorkloadIdentity.query(manager, orphan.fd()).unit()).isEmpty();
                assertThat(command("stop", "victim").code()).isZero();
                assertThat(orphan.isAlive()).as("it ends with the unit that it named").isFalse();
            }
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    /** Begins a command line in a new session, and removes both marks of the unit's processes. */
    private static final String LOSE = "setsid prlimit --locks=unlimited env -i ";

    /**
     * Writes a unit that leaves an orphan without its marks in a new session, and a child of the
     * orphan in another session.
     *
     * @param first the commands that both run first
     */
    private void unitWithStrays(String first) throws IOException {
        Path child = Files.writeString(folder.resolve("child.sh"), first + "\nsleep 1000 & wait");
        Path stray =
                Files.writeString(
                        folder.resolve("stray.sh"),
                        first
                                + "\nsetsid sh "
                                + child
                                + " & echo child $!; echo stray $$; wait; sleep 1000");
        Path main =
                Files.writeString(
                        folder.resolve("main.sh"),
                        LOSE + "sh -c 'sh " + stray + " &'\nexec sleep 1000");
        unit("loses", "ExecStart=/bin/sh " + main);
    }

    private static PidFd spokenOf(CommandProcess up, String word) throws InterruptedException {
        return PidFd.open(numberIn(up.await("loses.service | " + word + " ")));
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void strayProcessesEndWithAPlainUsersManager() throws Exception {
        unitWithStrays("");
        try (CommandProcess up = upAsNobody("loses");
                PidFd stray = spokenOf(up, "stray");
                PidFd child = spokenOf(up, "child")) {
            assertThat(command("stop", "loses").code()).isZero();
            assertThat(stray.isAlive()).as("it is no unit's").isTrue();

            String number = " " + stray.pid() + ":";
            up.signal("INT");
            assertThat(up.exitCode()).isZero();
            assertThat(up.lines())
                    .anyMatch(line -> line.contains(number) && line.contains("SIGTERM"))
                    .noneMatch(line -> line.contains("SIGKILL"));
            assertThat(stray.isAlive()).isFalse();
            assertThat(child.isAlive()).isFalse();
        }
    }

    /** As with a log process that must receive the last lines of the manager. */
    @Test
    @Needs(root = true, programs = "setpriv")
    void whatWasThereBeforeThePlainUsersManagerOutlivesIt() throws Exception {
        List<String> shell =
                List.of(
                        "sh",
                        "-c",
                        "sleep 1000 >/dev/null 2>&1 & echo before $!; exec \"$@\"",
                        "sh");
        try (CommandProcess up = upAsNobody(shell, "a");
                PidFd before = PidFd.open(numberIn(up.await("before ")))) {
            up.await("holdfast: ready");
            up.signal("INT");
            assertThat(up.exitCode()).isZero();
            assertThat(up.lines()).noneMatch(line -> line.contains("belongs to no unit"));
            assertThat(before.signal(Signal.KILL)).as("it lives").isTrue();
            assertThat(before.await(Duration.ofSeconds(30))).isPresent();
        }
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void aStrayProcessThatDoesNotEndIsKilled() throws Exception {
        unitWithStrays("trap '' TERM");
        List<String> options = List.of("JDK_JAVA_OPTIONS=-Dio.holdfast.manager.orphanTimeout=100");
        try (CommandProcess up = upAsNobody(options, "loses");
                PidFd stray = spokenOf(up, "stray");
                PidFd child = spokenOf(up, "child")) {
            up.signal("INT");
            assertThat(up.exitCode()).isZero();
            assertThat(up.lines()).anyMatch(line -> line.contains("SIGKILL"));
            assertThat(stray.isAlive()).isFalse();
            assertThat(child.isAlive()).isFalse();
        }
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void aStrayProcessThatMayNotBeSignalledStaysAndHoldsNothingUp() throws Exception {
        Path setuid = Files.copy(Path.of("/usr/bin/setpriv"), folder.resolve("setpriv"));
        Files.setAttribute(setuid, "unix:mode", 04755);
        Path stray =
                Files.writeString(folder.resolve("stray.sh"), "echo stray $$; exec sleep 1000");
        Path main =
                Files.writeString(
                        folder.resolve("main.sh"),
                        LOSE
                                + "sh -c '%s --reuid 0 sh %s &'\nexec sleep 1000"
                                        .formatted(setuid, stray));
        unit("loses", "ExecStart=/bin/sh " + main);
        try (CommandProcess up = upAsNobody("loses");
                PidFd root = spokenOf(up, "stray")) {
            String number = " " + root.pid() + ":";
            up.signal("INT");
            assertThat(up.exitCode()).isZero();
            assertThat(up.lines())
                    .anyMatch(line ->
                            line.contains(number) && line.contains("cannot be signalled: "));
            assertThat(root.signal(Signal.KILL)).as("it lives").isTrue();
            assertThat(root.await(Duration.ofSeconds(30))).isPresent();
        }
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void moreStrayProcessesThanAreHeldEndToo() throws Exception {
        Path stray =
                Files.writeString(folder.resolve("stray.sh"), "echo stray $$; exec sleep 1000");
        String lose = LOSE + "sh -c 'sh " + stray + " &'\n";
        Path main =
                Files.writeString(folder.resolve("main.sh"), lose.repeat(3) + "exec sleep 1000");
        unit("loses", "ExecStart=/bin/sh " + main);
        List<String> limits =
                List.of(
                        "JDK_JAVA_OPTIONS=-Dio.holdfast.manager.orphans=1"
                                + " -Dio.holdfast.manager.orphanLines=1");
        try (CommandProcess up = upAsNobody(limits, "loses");
                PidFd one = PidFd.open(numberIn(up.await("loses.service | stray ", 1)));
                PidFd two = PidFd.open(numberIn(up.await("loses.service | stray ", 2)));
                PidFd three = PidFd.open(numberIn(up.await("loses.service | stray ", 3)))) {
            up.signal("INT");
            assertThat(up.exitCode()).isZero();
            assertThat(List.of(one, two, three)).noneMatch(PidFd::isAlive);
            assertThat(up.lines())
                    .filteredOn(line -> line.contains("orphan belongs to no unit"))
                    .hasSize(1);
        }
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void aHurriedEndKillsStrayProcessesToo() throws Exception {
        unitWithStrays("trap '' TERM");
        try (CommandProcess up = upAsNobody("loses");
                PidFd stray = spokenOf(up, "stray");
                PidFd child = spokenOf(up, "child")) {
            up.signal("INT");
            up.await("the manager is stopping: sent SIGTERM");
            up.signal("INT");
            assertThat(up.exitCode()).isZero();
            assertThat(stray.isAlive()).isFalse();
            assertThat(child.isAlive()).isFalse();
        }
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void aHurriedEndLeavesNoChildOfAKilledServiceBehind() throws Exception {
        Path main =
                Files.writeString(
                        folder.resolve("main.sh"),
                        "trap '' TERM\nsetsid env -i sleep 1000 & echo child $!; wait; wait");
        unit("loses", "TimeoutStopSec=1h\nExecStart=/bin/sh " + main);
        try (CommandProcess up = upAsNobody("loses");
                PidFd child = spokenOf(up, "child")) {
            up.signal("INT");
            up.await("holdfast: stopping");
            up.signal("INT");
            assertThat(up.exitCode()).isZero();
            assertThat(up.lines()).contains("holdfast: stopping at once");
            assertThat(child.isAlive()).isFalse();
        }
    }

    /**
     * Runs more stop commands than there are worker threads, so that most of them wait to be
     * spawned.
     */
    @Test
    @Needs(root = true, programs = "setpriv")
    void aHurriedEndLeavesNothingThatWasBeingSpawned() throws Exception {
        String mark = "1000." + System.nanoTime();
        unit("stops@", "ExecStart=/bin/sleep 1000\nExecStop=/bin/sleep " + mark);
        String[] many = IntStream.range(0, 200).mapToObj(i -> "stops@" + i).toArray(String[]::new);
        try (CommandProcess up = upAsNobody(many)) {
            up.await("holdfast: ready");
            up.signal("INT");
            up.await("holdfast: stopping");
            up.signal("INT");
            assertThat(up.exitCode()).isZero();
            Await.until(() -> isNobodyCalled(mark)); // a killed process may still have to run once
        }
    }

    private static boolean isNobodyCalled(String word) {
        return ProcessHandle.allProcesses()
                .noneMatch(process -> process.info().commandLine().orElse("").contains(word));
    }

    private static PidFd daemonOf(CommandProcess up, String unit) throws InterruptedException {
        return PidFd.open(numberIn(up.await(unit + ".service | daemon")));
    }

    private static int numberIn(String line) {
        return Integer.parseInt(line.substring(line.lastIndexOf(' ') + 1));
    }

    @Test
    void unitsAreReloadedAndTheirFailuresForgotten() throws Exception {
        unit("r", "ExecStart=/bin/sleep 1000\nExecReload=/bin/echo reloaded");
        unit("f", "User=nobody-of-this-name\nExecStart=/bin/true");
        try (CommandProcess up = up("r", "a")) {
            up.await("holdfast: ready");
            assertThat(command("reload", "r")).isEqualTo(new Invocation(0, "", ""));
            up.await("r.service | reloaded");
            assertThat(command("reload", "a").err())
                    .startsWith("holdfast: cannot reload a.service: it has no ExecReload=");

            assertThat(command("start", "f").code()).isEqualTo(1);
            assertThat(command("status", "f").out())
                    .contains("failed (failed)", "exited with status 217/USER");
            assertThat(command("reset-failed", "f")).isEqualTo(new Invocation(0, "", ""));
            assertThat(command("status", "f").out()).contains("inactive (dead)");
            assertThat(command("reset-failed", "unheard-of").code()).isEqualTo(1);
            assertThat(command("reset-failed").code()).isZero();
        }
    }
}
