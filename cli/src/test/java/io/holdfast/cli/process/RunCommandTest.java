package io.holdfast.cli.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.cli.Program;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.core.Feature;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.ScratchCgroup;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // reads ignore interrupts
class RunCommandTest {
    private static final String SELF = Long.toString(ProcessHandle.current().pid());

    @TempDir private Path temp;
    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void endsWhatATestThatFailedHasLeft() {
        started.forEach(process -> process.descendants().forEach(ProcessHandle::destroyForcibly));
        started.forEach(Process::destroyForcibly);
    }

    @Test
    void streamsAndExitCodeArePassedThrough() throws Exception {
        Process run = Program.start("run", "--", "sh", "-c", "cat; echo bad >&2; exit 7");
        try (var in = run.outputWriter()) {
            in.write("good");
        }

        assertThat(Program.end(run)).isEqualTo(new Program(7, "good", "bad\n"));
    }

    @Test
    void argumentsGoThroughAsTheyAre() throws Exception {
        Program run = Program.run("run", "printf", "<%s>", "--json", "", " x\ny ", "--", "-h", "ü");

        assertThat(run).isEqualTo(new Program(0, "<--json><>< x\ny ><--><-h><ü>", ""));
    }

    @Test
    void argumentsGoThroughInAnyLocale() throws Exception {
        ProcessBuilder builder =
                new ProcessBuilder(
                        Program.command(
                                List.of(), "run", "--setenv", "A=b", "--", "printf", "<%s>", "ü"));
        builder.environment().put("LC_ALL", "C");

        assertThat(Program.run(builder)).isEqualTo(new Program(0, "<ü>", ""));
    }

    @Test
    void argumentsAreBytesAlsoWhereTheyAreNoText() throws Exception {
        List<String> command =
                new ArrayList<>(
                        List.of("sh", "-c", "exec \"$@\" \"$(printf '\\377')\"", "with-one-more"));
        command.addAll(
                Program.command(
                        List.of(),
                        "run",
                        "--",
                        "sh",
                        "-c",
                        "printf %s \"$1\" | od -An -tx1",
                        "sh"));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("LC_ALL", "C.UTF-8");

        assertThat(Program.run(builder)).isEqualTo(new Program(0, " ff\n", ""));
    }

    @Test
    void aSignalledCommandGives128AndTheSignal() throws Exception {
        assertThat(Program.run("run", "--", "sh", "-c", "kill -TERM $$").code())
                .isEqualTo(128 + 15);
    }

    @ParameterizedTest
    @CsvSource({"HUP,1", "INT,2", "TERM,15"})
    void signalsAreForwarded(String name, int number) throws Exception {
        List<String> command = new ArrayList<>();
        command.add("env"); // nohup(1) may have started the tests
        command.add("--default-signal=" + name);
        String script =
                "trap 'echo got it; exit 9' " + name + "; echo ready; while :; do sleep 0.01; done";
        command.addAll(Program.command(List.of(), "run", "--", "sh", "-c", script));
        Process run = new ProcessBuilder(command).start();
        started.add(run);
        BufferedReader out = run.inputReader();
        assertThat(out.readLine()).isEqualTo("ready");
        assertThat(
                        new ProcessBuilder("kill", "-" + number, Long.toString(run.pid()))
                                .start()
                                .waitFor())
                .isZero();

        assertThat(out.readLine()).isEqualTo("got it");
        assertThat(run.waitFor()).isEqualTo(9);
    }

    /** The terminal sends SIGINT to the whole foreground group, so holdfast must not forward it. */
    @Test
    @Needs(programs = "script")
    void theInterruptOfATerminalArrivesOnce() throws Exception {
        Path sh = temp.resolve("count");
        Files.writeString(
                sh,
                """
                trap 'n=$((n + 1)); echo "int $n"' INT
                trap 'echo "sum $n"; exit 4' TERM
                echo "ready $$"
                while :; do sleep 0.01; done
                """);
        List<String> words =
                new ArrayList<>(Program.command(List.of(), "run", "--", "sh", sh.toString()));
        words.replaceAll(word -> "'" + word + "'");
        Process terminal =
                new ProcessBuilder("script", "-qec", "exec " + String.join(" ", words), "/dev/null")
                        .start();
        try (var keys = terminal.outputWriter()) {
            BufferedReader screen = terminal.inputReader();
            String pid = awaitLine(screen, "ready ").strip();
            keys.write("\u0003");
            keys.flush();
            assertThat(awaitLine(screen, "int ")).isEqualTo("1");
            assertThat(new ProcessBuilder("kill", "-TERM", pid).start().waitFor()).isZero();

            assertThat(awaitLine(screen, "sum ")).isEqualTo("1");
            assertThat(terminal.waitFor()).isEqualTo(4);
        } finally {
            terminal.destroyForcibly();
        }
    }

    private static String awaitLine(BufferedReader screen, String start) throws IOException {
        for (String line = screen.readLine(); line != null; line = screen.readLine()) {
            int at = line.indexOf(start);
            if (at >= 0) {
                return line.substring(at + start.length());
            }
        }
        throw new AssertionError("the terminal never showed " + start);
    }

    @Test
    void whatCannotBeStartedHasItsOwnCodes() throws IOException {
        Path text = Files.writeString(temp.resolve("text"), "no program\n");
        Path broken = Files.writeString(temp.resolve("broken"), "#!/nosuch\n");
        assertThat(broken.toFile().setExecutable(true)).isTrue();

        refused(ExitCode.NOT_FOUND, "no such program in PATH: holdfast-nosuch", "holdfast-nosuch");
        refused(ExitCode.NOT_FOUND, "no such program: /nosuch", "/nosuch");
        refused(ExitCode.NOT_FOUND, "the name of the program is empty", "--", "");
        refused(ExitCode.NOT_EXECUTABLE, text + ": EACCES", text.toString());
        refused(ExitCode.NOT_EXECUTABLE, "interpreter", broken.toString());
        refused(ExitCode.NOT_EXECUTABLE, "/tmp is a folder", "/tmp");
        refused(ExitCode.HOLDFAST_FAILED, "/nosuch: ENOENT", "--cwd", "/nosuch", "--", "true");
    }

    private static void refused(int code, String why, String... arguments) {
        String[] line = new String[arguments.length + 1];
        line[0] = "run";
        System.arraycopy(arguments, 0, line, 1, arguments.length);
        Invocation run = Invocation.of(line);

        assertThat(run.err()).startsWith("holdfast: ").contains(why).hasLineCount(1);
        assertThat(run.code()).isEqualTo(code);
    }

    @ParameterizedTest
    @CsvSource({
        "--nice=20,--nice has an invalid value '20'",
        "--nice=x,--nice has an invalid value 'x'",
        "--umask=8,--umask has an invalid value '8'",
        "--umask=1000,--umask has an invalid value '1000'",
        "--limit=NOFILE,not a limit: 'NOFILE'",
        "--limit=FILES=3,not a limit: 'FILES=3'",
        "--limit=NOFILE=-1,not a limit: 'NOFILE=-1'",
        "--limit=NOFILE=2:1,the soft limit exceeds the hard limit",
        "--setenv=A,not a variable: 'A'",
        "--setenv==b,not a variable: '=b'",
        "--unit=a/b,not a name for a cgroup",
        "--unit=a b,not the name of a unit: 'a b'",
        "--cgroup=/,the root cgroup is not allowed",
        "--cgroup=../x,not the path of a cgroup",
        "--uid=holdfast-nobody,no such user: holdfast-nobody",
        "--uid=4294967294,set the group with --gid",
        "--gid=holdfast-nobody,no such group: holdfast-nobody",
    })
    void whatMakesNoSenseIsRefusedBeforeAnythingIsStarted(String option, String why) {
        refused(ExitCode.USAGE, why, option, "--", "true");
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void optionsSayHowItLives() throws Exception {
        Program run =
                Program.run(
                        "run",
                        "--uid=nobody",
                        "--cwd=/",
                        "--nice=5",
                        "--umask=027",
                        "--no-new-privs",
                        "--limit=nofile=64:128",
                        "--limit=CORE=infinity",
                        "--setenv=A=b=c",
                        "--setenv=B=",
                        "--",
                        "sh",
                        "-c",
                        "id -un; pwd; nice; umask; grep -c 'NoNewPrivs:.1' /proc/self/status;"
                                + " ulimit -Sn; ulimit -Hn; ulimit -c; echo $A$B; test -n \"$PATH\"");

        assertThat(run.err()).isEmpty();
        assertThat(run.out().lines())
                .containsExactly("nobody", "/", "5", "0027", "1", "64", "128", "unlimited", "b=c");
        assertThat(run.code()).isZero();
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void whatTheUserMayNotExecuteIsNotExecuted() throws Exception {
        Path script = Files.writeString(temp.resolve("secret"), "#!/bin/sh\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwx------"));
        Files.setPosixFilePermissions(temp, PosixFilePermissions.fromString("rwxr-xr-x"));
        Program run = Program.run("run", "--uid=nobody", "--cwd=/", "--", script.toString());

        assertThat(run.err()).contains("secret", "Permission denied").hasLineCount(1);
        assertThat(run.code()).isEqualTo(ExitCode.NOT_EXECUTABLE);
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void variablesAreOfTheProgramAndNotOfWhatLeadsToIt() throws Exception {
        Program run =
                Program.run(
                        "run",
                        "--uid=nobody",
                        "--cwd=/",
                        "--setenv=LD_TRACE_LOADED_OBJECTS=1",
                        "/bin/true");

        assertThat(run.out()).contains("libc.so").doesNotContain("libcap-ng");
        assertThat(run.code()).isZero();
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void whoCannotBecomeAnotherUserIsToldSo() throws Exception {
        Program run = withoutSetid("run", "--uid=root", "--", "true");

        assertThat(run.err())
                .isEqualTo(
                        "holdfast: only root can become another user or group"
                                + " (CAP_SETUID and CAP_SETGID)\n");
        assertThat(run.code()).isEqualTo(ExitCode.HOLDFAST_FAILED);
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void oneNeedsNoPrivilegeForOnesOwnGroup() throws Exception {
        assertThat(withoutSetid("run", "--gid=0", "--", "id", "-g"))
                .isEqualTo(new Program(0, "0\n", ""));
    }

    /** Runs as root without the capabilities to change user or group. */
    private static Program withoutSetid(String... arguments) throws Exception {
        List<String> command =
                new ArrayList<>(List.of("setpriv", "--bounding-set=-setuid,-setgid"));
        command.addAll(Program.command(List.of(), arguments));
        return Program.run(new ProcessBuilder(command));
    }

    @ParameterizedTest
    @ValueSource(strings = {"-", "a=b"})
    @Needs(root = true)
    void whatEnvWouldTakeForSomethingElseIsRefused(String program) {
        refused(
                ExitCode.USAGE,
                "not a program: '" + program + "'",
                "--uid=nobody",
                "--",
                program,
                "id");
    }

    @Test
    @Needs(cgroup2 = true, root = true)
    void itIsBornInACgroupThatGoesWithIt() throws Exception {
        String name = "holdfast-run-" + SELF;
        Program run =
                Program.run(
                        "run",
                        "--unit",
                        name,
                        "--",
                        "sh",
                        "-c",
                        "grep ^0:: /proc/self/cgroup; sleep 600 >/dev/null 2>&1 & echo $!");
        List<String> lines = run.out().lines().toList();

        assertThat(lines.getFirst()).endsWith("/" + name + ".scope");
        assertThat(run.err())
                .isEqualTo(
                        "holdfast: killed the processes that the command left in cgroup %s\n"
                                .formatted(lines.getFirst().substring(3)));
        assertThat(run.code()).isZero();
        assertThat(folder(lines.getFirst().substring(3))).doesNotExist();
        // a killed orphan may briefly be a zombie of init
        Path orphan = Path.of("/proc", lines.getLast());
        Await.until(() -> isOver(orphan));
    }

    private static boolean isOver(Path process) {
        try {
            return Files.readString(process.resolve("cmdline")).isEmpty();
        } catch (IOException e) {
            return true;
        }
    }

    @Test
    @Needs(cgroup2 = true, root = true)
    void withoutANameItHasOneOfItsOwn() throws Exception {
        Program run = Program.run("run", "--", "grep", "^0::", "/proc/self/cgroup");

        assertThat(run.out()).containsPattern("/run-p[0-9]+-i[0-9]+\\.scope\n$");
        assertThat(folder(run.out().strip().substring(3))).doesNotExist();
    }

    @Test
    @Needs(cgroup2 = true, root = true, features = Feature.PIDFS)
    void whatARunThatWasKilledHasLeftIsRemovedOnceItIsEmpty() throws Exception {
        Process killed =
                Program.start(
                        "run", "--", "sh", "-c", "grep ^0:: /proc/self/cgroup; exec sleep 600");
        started.add(killed);
        Path left = folder(killed.inputReader().readLine().substring(3));
        ProcessHandle command = killed.children().findFirst().orElseThrow();
        try {
            killed.destroyForcibly().waitFor();

            assertThat(Program.run("run", "--", "true")).isEqualTo(new Program(0, "", ""));
            assertThat(command.isAlive()).isTrue();
            assertThat(left).isDirectory();
        } finally {
            command.destroyForcibly();
        }
        Await.until(() -> isEmpty(left));
        assertThat(Program.run("run", "--", "true")).isEqualTo(new Program(0, "", ""));
        assertThat(left).doesNotExist();
        assertThat(Invocation.of("run", "--help").out())
                .containsIgnoringWhitespaces("A later run in the same parent cgroup removes");
    }

    private static boolean isEmpty(Path cgroup) {
        try {
            return Files.readString(cgroup.resolve("cgroup.events")).contains("populated 0");
        } catch (IOException e) {
            return true; // another run was faster
        }
    }

    @Test
    @Needs(cgroup2 = true, root = true, features = Feature.PIDFS)
    void onlyAnEmptyScopeOfAProcessThatIsGoneIsRemoved() {
        try (ScratchCgroup scratch = ScratchCgroup.create();
                PidFd self = PidFd.self()) {
            Cgroup parent = scratch.cgroup();
            String ours = OwnScope.name();
            String ofNobody = "run-p" + self.pid() + "-i" + (self.id() + 1_000_000_000) + ".scope";
            String divided = "run-p" + self.pid() + "-i1.scope";
            List<String> stay =
                    List.of(
                            ours,
                            divided,
                            ofNobody.replace(".scope", ".service"),
                            "run-p" + self.pid() + ".scope",
                            "x" + ofNobody);
            stay.forEach(name -> parent.create(name).close());
            parent.create(ofNobody).close();
            try (Cgroup above = parent.child(divided)) {
                above.create("below").close();
            }
            OwnScope.removeStale(parent);
            assertThat(parent.childNames()).containsExactlyInAnyOrderElementsOf(stay);
        }
    }

    @Test
    @Needs(cgroup2 = true, root = true)
    void aCgroupThatWasThereOutlivesIt() throws Exception {
        try (ScratchCgroup scratch = ScratchCgroup.create()) {
            String path = scratch.cgroup().path().path();
            Program run =
                    Program.run(
                            "run",
                            "--cgroup",
                            path,
                            "--",
                            "sh",
                            "-c",
                            "grep ^0:: /proc/self/cgroup; sleep 600 >/dev/null 2>&1 &");

            assertThat(run).isEqualTo(new Program(0, "0::" + path + "\n", ""));
            assertThat(scratch.cgroup().isPopulated()).isTrue();

            Program below =
                    Program.run(
                            "run",
                            "--cgroup",
                            path + "/x",
                            "--",
                            "grep",
                            "^0::",
                            "/proc/self/cgroup");
            assertThat(below.out()).isEqualTo("0::" + path + "/x\n");
            assertThat(scratch.cgroup().childNames()).isEmpty();

            refused(
                    ExitCode.HOLDFAST_FAILED,
                    "no such cgroup: " + path + "/a",
                    "--cgroup",
                    path + "/a/b",
                    "true");
        }
    }

    @Test
    @Needs(cgroup2 = true, root = true)
    void aNameThatIsTakenIsRefused() {
        try (Cgroup own = Cgroup.own();
                Cgroup taken = own.create("holdfast-taken-" + SELF + ".scope")) {
            try {
                refused(
                        ExitCode.HOLDFAST_FAILED,
                        "cgroup " + folder(taken.path().path()) + " exists already",
                        "--unit",
                        "holdfast-taken-" + SELF,
                        "true");
            } finally {
                taken.remove();
            }
        }
    }

    @Test
    @Needs(cgroup2 = true, root = true)
    void whoMayMakeNoCgroupIsToldWhatIsLost() throws Exception {
        AsUser.nobody(() -> {
            Invocation run = Invocation.of("run", "--unit", "x", "--", "true");

            assertThat(run.code()).isZero();
            assertThat(run.err())
                    .contains("EACCES", "without a cgroup of that name", "some may be missed")
                    .hasLineCount(1);
            assertThat(Invocation.of("run", "--", "true")).isEqualTo(new Invocation(0, "", ""));
        });
    }

    /** The processes fork twice, and are in a session of their own. */
    @Test
    @Needs(cgroup2 = true, root = true)
    void whatACommandLeavesIsKilledWithoutACgroupToo() throws Exception {
        Path pid = temp.resolve("pid");
        Files.setAttribute(temp, "unix:mode", 01777);
        String leaves = "setsid sh -c 'sleep 1000 & echo $! >" + pid + "'; exit 4";
        try (CommandProcess run =
                CommandProcess.startAsNobody(temp, List.of(), "run", "--", "sh", "-c", leaves)) {
            assertThat(run.exitCode()).isEqualTo(4);
            assertThat(run.lines())
                    .containsExactly("holdfast: killed the processes that the command left");
        }
        assertThat(Path.of("/proc", Files.readString(pid).strip())).doesNotExist();
    }

    private static Path folder(String path) {
        return Path.of(Cgroup.mountPoint() + CgroupPath.parse(path));
    }
}
