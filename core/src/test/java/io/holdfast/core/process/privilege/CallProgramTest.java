package io.holdfast.core.process.privilege;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Fd;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.process.privilege.CallProgram.Branch;
import io.holdfast.core.process.privilege.CallProgram.Label;
import io.holdfast.core.process.privilege.CallProgram.Word;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class CallProgramTest {
    private static final int NUMBER = 3; // the descriptor of the program

    private record Ran(Exit exit, String output) {}

    private static Ran run(Spawn spawn) throws Exception {
        spawn.stdin(Stdio.devNull()).stdout(Stdio.pipe()).stderr(Stdio.merged());
        try (Child child = spawn.start()) {
            String output = new String(child.stdout().readAllBytes(), UTF_8);
            return new Ran(child.await(), output);
        }
    }

    private static Ran run(CallProgram program, String... arguments) throws Exception {
        try (Fd file = program.file("test")) {
            return run(
                    Spawn.ofDescriptor(NUMBER)
                            .arguments(List.of(arguments))
                            .argumentZero("its-name")
                            .environment(Map.of("COLOUR", "blue"))
                            .descriptor(NUMBER, file));
        }
    }

    private static CallProgram program() {
        return new CallProgram("libc.so.6");
    }

    private static void exit(CallProgram program, int status) {
        program.call("_exit", Branch.NEXT, program.number(status));
    }

    @Test
    void theLastProgramGetsArgumentsAndTheChangedEnvironment() throws Exception {
        CallProgram program = program();
        program.call("putenv", Branch.NEXT, program.text("SHAPE=round"));
        program.call("execv", Branch.NEXT, program.text("/bin/sh"), program.arguments);
        exit(program, 1);
        assertThat(run(program, "-c", "echo $0 $1 $COLOUR $SHAPE", "a", "b c"))
                .isEqualTo(new Ran(new Exit.Exited(0), "a b c blue round\n"));
    }

    @Test
    void theResultDecidesWhereItContinues() throws Exception {
        for (String other : List.of("b", "c", "a")) {
            CallProgram program = program();
            Label zero = program.label();
            Label positive = program.label();
            Label negative = program.label();
            Word text = program.text("b");
            Branch branch = new Branch(zero, positive, negative);
            program.call("strcmp", branch, text, program.text(other));
            program.place(zero);
            exit(program, 10);
            program.place(positive);
            exit(program, 11);
            program.place(negative);
            exit(program, 12);
            int status =
                    switch (other) {
                        case "b" -> 10;
                        case "a" -> 11;
                        default -> 12;
                    };
            assertThat(run(program).exit).as(other).isEqualTo(new Exit.Exited(status));
        }
    }

    @Test
    void aResultIsAnArgumentOfLaterCalls() throws Exception {
        CallProgram program = program();
        Word length = program.word();
        program.call("strlen", length, Branch.NEXT, program.text("seven  "));
        program.call("_exit", Branch.NEXT, length);
        assertThat(run(program).exit).isEqualTo(new Exit.Exited(7));
    }

    @Test
    void aVariableOfALibraryIsAnArgument() throws Exception {
        CallProgram program = program();
        program.call(
                "execve",
                Branch.NEXT,
                program.text("/usr/bin/env"),
                program.arguments,
                program.variable("environ"));
        exit(program, 1);
        assertThat(run(program).output).isEqualTo("COLOUR=blue\n");
    }

    @Test
    void aMissingLibraryIsNamed() throws Exception {
        CallProgram program = new CallProgram("libc.so.6", "libholdfast-none.so.0");
        exit(program, 0);
        Ran ran = run(program);
        assertThat(ran.exit).isEqualTo(new Exit.Exited(127));
        assertThat(ran.output).contains("libholdfast-none.so.0");
    }

    @Test
    void moreThanFiveArgumentsAreRefused() {
        CallProgram program = program();
        Word[] six = new Word[6];
        Arrays.fill(six, program.number(1));
        assertThatThrownBy(() -> program.call("getpid", Branch.NEXT, six))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    @Needs(programs = "qemu-aarch64-static", files = "/usr/aarch64-linux-gnu/lib/libc.so.6")
    void theInstructionsForAarch64DoTheSame(@TempDir Path folder) throws Exception {
        CallProgram program = new CallProgram(CallMachine.AARCH64, "libc.so.6");
        Label same = program.label();
        Word length = program.word();
        program.call("strcmp", Branch.ifZero(same), program.text("a"), program.text("a"));
        exit(program, 1);
        program.place(same);
        program.call("strlen", length, Branch.NEXT, program.text("seven\n\n"));
        program.call("write", Branch.NEXT, program.number(1), program.text("seven\n\n"), length);
        program.call("_exit", Branch.NEXT, length);
        Path file = Files.write(folder.resolve("program"), program.image());
        assertThat(file.toFile().setExecutable(true)).isTrue();
        assertThat(
                        run(
                                Spawn.of(
                                        "qemu-aarch64-static",
                                        "-L",
                                        "/usr/aarch64-linux-gnu",
                                        file.toString())))
                .isEqualTo(new Ran(new Exit.Exited(7), "seven\n\n"));
    }
}
