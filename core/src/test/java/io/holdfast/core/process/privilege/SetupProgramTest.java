package io.holdfast.core.process.privilege;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.process.privilege.SetupProgram.Call;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class SetupProgramTest {
    private static final int PR_SET_NAME = 15;
    private static final int PR_SET_NO_NEW_PRIVS = 38;
    private static final int NO_CALL = 4711; // of prctl(2)
    private static final int NUMBER = 3; // the descriptor of the program

    private record Ran(Exit exit, String output) {}

    private static Ran run(Spawn spawn) throws Exception {
        spawn.stdin(Stdio.devNull()).stdout(Stdio.pipe()).stderr(Stdio.devNull());
        try (Child child = spawn.start()) {
            String output = new String(child.stdout().readAllBytes(), UTF_8);
            return new Ran(child.await(), output);
        }
    }

    private static Ran run(SetupProgram setup, String program, String... arguments)
            throws Exception {
        try (Fd file = setup.file(program, 203)) {
            return run(
                    Spawn.of("/proc/self/fd/" + NUMBER, arguments)
                            .argumentZero("its-name")
                            .environment(Map.of("COLOUR", "blue"))
                            .descriptor(NUMBER, file));
        }
    }

    @Test
    void aCallThatMayFailDoesNotEndTheProgram() throws Exception {
        SetupProgram setup = new SetupProgram();
        setup.attempt(Call.PRCTL, NO_CALL);
        setup.call(1, Call.CLOSE, NUMBER);
        Ran ran = run(setup, "/bin/echo", "reached");
        assertThat(ran.output).isEqualTo("reached\n");
    }

    @Test
    void theProgramGetsArgumentsAndEnvironment() throws Exception {
        SetupProgram setup = new SetupProgram();
        setup.call(1, Call.CLOSE, NUMBER);
        Ran ran = run(setup, "/bin/sh", "-c", "echo $0 $1 $COLOUR; ls /proc/self/fd", "a", "b c");
        assertThat(ran.output).isEqualTo("a b c blue\n0\n1\n2\n3\n"); // ls has opened the folder
        assertThat(run(new SetupProgram(), "/bin/cat", "/proc/self/cmdline").output)
                .isEqualTo("its-name\0/proc/self/cmdline\0");
    }

    @Test
    void callsAreMadeInOrderUntilOneFails() throws Exception {
        SetupProgram setup = new SetupProgram();
        setup.call(10, Call.PRCTL, PR_SET_NO_NEW_PRIVS, 1);
        setup.call(11, Call.PRCTL, NO_CALL);
        setup.call(12, Call.PRCTL, NO_CALL);
        assertThat(run(setup, "/bin/true").exit).isEqualTo(new Exit.Exited(11));
        assertThat(run(new SetupProgram(), "/bin/missing").exit).isEqualTo(new Exit.Exited(203));
    }

    @Test
    @Needs(root = true)
    void aChildBecomesAnotherUser() throws Exception {
        SetupProgram setup = new SetupProgram();
        setup.call(216, Call.SETGROUPS, 2, setup.putInts(60001, 60002));
        setup.call(216, Call.SETRESGID, 60000, 60000, 60000);
        setup.call(217, Call.SETRESUID, 60003, 60003, 60003);
        Ran ran = run(setup, "/bin/grep", "-E", "^(Uid|Gid|Groups|CapEff):", "/proc/self/status");
        assertThat(ran.output)
                .isEqualTo(
                        """
                        Uid:\t60003\t60003\t60003\t60003
                        Gid:\t60000\t60000\t60000\t60000
                        Groups:\t60001 60002\s
                        CapEff:\t0000000000000000
                        """);
    }

    @Test
    void itsFileCannotBeChanged() {
        try (Fd file = new SetupProgram().file("/bin/true", 1)) {
            assertThat(Unistd.pwrite(file, new byte[] {1}, 0, 1, 0)).isEqualTo(-Errno.EPERM);
            assertThat(Fcntl.seal(file)).isEqualTo(-Errno.EPERM);
        }
    }

    @Test
    void moreThanFiveArgumentsAreRefused() {
        assertThatThrownBy(() -> new SetupProgram().call(1, Call.PRCTL, 1, 2, 3, 4, 5, 6))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    @Needs(programs = "qemu-aarch64-static")
    void theInstructionsForAarch64DoTheSame(@TempDir Path folder) throws Exception {
        SetupProgram setup = new SetupProgram(SetupMachine.AARCH64);
        setup.call(10, Call.PRCTL, PR_SET_NAME, setup.put("some-name\0".getBytes(UTF_8)));
        Path good = write(folder.resolve("good"), setup.image("/bin/echo", 203));
        setup.call(11, Call.PRCTL, NO_CALL);
        Path bad = write(folder.resolve("bad"), setup.image("/bin/echo", 203));
        Path missing =
                write(
                        folder.resolve("missing"),
                        new SetupProgram(SetupMachine.AARCH64).image("/bin/missing", 203));
        assertThat(run(emulated(good))).isEqualTo(new Ran(new Exit.Exited(0), "one two three\n"));
        assertThat(run(emulated(bad))).isEqualTo(new Ran(new Exit.Exited(11), ""));
        assertThat(run(emulated(missing))).isEqualTo(new Ran(new Exit.Exited(203), ""));
    }

    private static Path write(Path file, byte[] image) throws IOException {
        Files.write(file, image);
        assertThat(file.toFile().setExecutable(true)).isTrue();
        return file;
    }

    private static Spawn emulated(Path program) {
        return Spawn.of(List.of("qemu-aarch64-static", program.toString(), "one", "two", "three"));
    }
}
