package io.holdfast.cli.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.core.Signal;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.text.PrintableText;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests that the output of a service is printed completely and once although managers are killed.
 */
@Timeout(300)
@Needs(root = true, cgroup2 = true)
class KeptOutputTest {
    private static final String ADOPTED = "adopted one unit";
    private static final String PREFIX = "a.service | ";

    @TempDir private Path folder;
    private Path fault;
    private Path in;
    private String runtime;

    @BeforeEach
    void layOut() throws Exception {
        fault = Files.writeString(folder.resolve("fault"), "0");
        in = folder.resolve("in");
        runtime = folder.resolve("run").toString();
        assertThat(new ProcessBuilder("mkfifo", in.toString()).start().waitFor()).isZero();
    }

    /** Starts a manager with a service that runs a script. */
    private CommandProcess up(String interpreter, String script) throws Exception {
        Path program = Files.writeString(folder.resolve("program"), script);
        Files.writeString(
                Files.createDirectories(folder.resolve("units")).resolve("a.service"),
                "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=%s %s %s\n"
                        .formatted(interpreter, program, in));
        String options =
                "JDK_JAVA_OPTIONS=-Xmx256m"
                        + " -Dio.holdfast.manager.crashPause=1"
                        + " -Dio.holdfast.waitingLines=1000000"
                        + " -Dio.holdfast.waitingCharacters=100000000"
                        + " -Dio.holdfast.manager.outputFault="
                        + fault;
        CommandProcess up =
                CommandProcess.start(
                        List.of("env", options),
                        "up",
                        "--runtime-dir",
                        runtime,
                        "--slice",
                        "hfout"
                                + ProcessHandle.current().pid()
                                + "x"
                                + System.nanoTime()
                                + ".slice",
                        "--units",
                        folder.resolve("units").toString(),
                        "a.service");
        up.await("holdfast: ready");
        return up;
    }

    private Invocation command(String verb, String unit) {
        return Invocation.of(verb, "--runtime-dir", runtime, unit);
    }

    @SuppressWarnings("MustBeClosed")
    private static void kill(CommandProcess keeper, int count) throws Exception {
        try (PidFd process = PidFd.open(keeper.pid());
                PidFd manager =
                        process.children().take().stream()
                                .filter(child ->
                                        child.proc()
                                                .environment(1 << 16)
                                                .containsKey("HOLDFAST_KEEPER"))
                                .findFirst()
                                .orElseThrow()) {
            assertThat(manager.signal(Signal.KILL)).isTrue();
        }
        keeper.await(ADOPTED, count);
    }

    private static List<String> output(CommandProcess up) {
        return up.lines().stream()
                .filter(line -> line.startsWith(PREFIX))
                .map(line -> line.substring(PREFIX.length()))
                .toList();
    }

    private static void end(CommandProcess up) throws Exception {
        up.signal("TERM");
        assertThat(up.exitCode()).isZero();
    }

    private boolean isKilled() {
        try {
            return Files.readString(fault).equals("0");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void whatWasWrittenBeforeIsShownAndAHalfLineIsContinued() throws Exception {
        String script = "echo one; printf 'two\\nhal'; read -r line < $1; echo f $line; sleep 1000";
        try (CommandProcess up = up("/bin/sh", script)) {
            up.await(PREFIX + "two");
            for (int i = 1; i <= 2; i++) {
                kill(up, i);
                assertThat(command("status", "a").out()).contains("one\n", "two\n");
            }
            Files.writeString(in, "way\n");
            up.await(PREFIX + "half way");
            kill(up, 3);
            assertThat(command("status", "a").out()).contains("one\n", "two\n", "half way\n");
            end(up);
            assertThat(output(up)).containsExactly("one", "two", "half way");
        }
    }

    @Test
    void manyLinesOfAllKindsComeOnceAndInOrderOverManyKills() throws Exception {
        int count = 2000;
        String script =
                """
                import os, sys, time
                out = b""
                for i in range(1, %d):
                    rest = b""
                    if i %% 50 == 0: rest = b"x" * 20000
                    elif i %% 11 == 0: rest = b"y" * 5000
                    elif i %% 7 == 0: rest = b"\\xff\\xfe"
                    out += b"line %%d " %% i + rest + b"\\n"
                open(sys.argv[1]).read()
                for at in range(0, len(out), 4093): os.write(1, out[at:at + 4093])
                time.sleep(1000)
                """
                        .formatted(count + 1);
        try (CommandProcess up = up("/usr/bin/python3", script)) {
            Files.writeString(fault, "29");
            Files.writeString(in, "go");
            for (int steps : List.of(53, 71, 11, 97, 13, 0)) {
                Await.until(this::isKilled);
                Files.writeString(fault, Integer.toString(steps)); // before the next manager starts
            }
            up.await(PREFIX + "line " + count + " ");
            end(up);
            List<String> output = output(up);
            List<String> numbers = new ArrayList<>();
            for (int i = 1; i <= output.size(); i++) {
                String line = output.get(i - 1);
                numbers.add(line.substring(0, line.indexOf(' ', 5) + 1));
                String rest = line.substring(line.indexOf(' ', 5) + 1);
                if (i % 50 == 0) {
                    assertThat(rest).matches("x{8000,}\\Q" + PrintableText.CUT + "\\E");
                } else if (i % 11 == 0) {
                    assertThat(rest).isEqualTo("y".repeat(5000));
                } else {
                    assertThat(rest).isEqualTo(i % 7 == 0 ? "\uFFFD\uFFFD" : "");
                }
            }
            List<String> expected = new ArrayList<>();
            for (int i = 1; i <= count; i++) {
                expected.add("line " + i + " ");
            }
            assertThat(numbers).isEqualTo(expected);
        }
    }

    /** Kills a manager before each step on the way of a line. */
    @Test
    void whateverStepAManagerDoesNotTakeNoLineIsMissingAndNoneIsThereTwice() throws Exception {
        String script =
                """
                exec 3<> "$1"
                while read -r word <&3; do
                    printf "one $word\\ntwo $word\\nhalf "
                    read -r word <&3
                    echo "done $word"
                done
                """;
        List<String> expected = new ArrayList<>();
        try (CommandProcess up = up("/bin/sh", script)) {
            int kills = 0;
            int step = 0;
            boolean killed;
            do {
                step++;
                Files.writeString(fault, Integer.toString(step));
                Files.writeString(in, step + "\n");
                up.await(PREFIX + "two " + step);
                Files.writeString(in, step + "\n");
                up.await(PREFIX + "half done " + step);
                expected.addAll(List.of("one " + step, "two " + step, "half done " + step));
                Invocation _ = command("status", "a"); // after all that is still to do
                killed = isKilled();
                Files.writeString(fault, "0");
                if (killed) {
                    up.await(ADOPTED, ++kills);
                    assertThat(command("status", "a").out()).contains("half done " + step + "\n");
                }
                assertThat(output(up)).as("killed before step %d", step).isEqualTo(expected);
            } while (killed);
            assertThat(step).isGreaterThan(8);
            end(up);
            assertThat(output(up)).isEqualTo(expected);
        }
    }
}
