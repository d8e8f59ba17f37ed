package io.holdfast.core.run;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.OpenDescriptors;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Programs that are run to their end. */
@Timeout(100)
class RunTest {
    @TempDir Path folder;

    private static Run shell(String script) {
        return Run.of("sh", "-c", script);
    }

    @Test
    void outputAndErrorAreKeptApart() throws Exception {
        RunResult result = shell("echo a; echo b; echo c >&2").run();

        assertThat(result.outputLines()).containsExactly("a", "b");
        assertThat(result.output()).isEqualTo("a\nb\n");
        assertThat(result.error()).isEqualTo("c\n");
        assertThat(result.errorLines()).containsExactly("c");
        assertThat(result.exit()).isEqualTo(new Exit.Exited(0));
        assertThat(result.requireSuccess()).isSameAs(result);
    }

    @Test
    void errorIsMergedInTheOrderOfTheWrites() throws Exception {
        RunResult result = shell("echo a; echo b >&2; echo c").mergeError().run();

        assertThat(result.outputLines()).containsExactly("a", "b", "c");
        assertThat(result.error()).isEmpty();
    }

    @Test
    void aFailureNamesTheProgramItsExitAndItsError() throws Exception {
        RunResult result = shell("echo cannot >&2; exit 3").run();

        assertThat(result.isSuccess()).isFalse();
        assertThatExceptionOfType(RunFailedException.class)
                .isThrownBy(result::requireSuccess)
                .withMessageContaining("exited with status 3: cannot")
                .matches(e -> e.result().orElseThrow() == result);
    }

    @Test
    void aProgramThatIsNotThereCannotBeStarted() {
        OpenDescriptors before = OpenDescriptors.now();
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> Run.of("cat").pipeTo(Run.of("holdfast-no-such-program")).run())
                .matches(e -> e.errno() == Errno.ENOENT);
        before.awaitSameNumber();
    }

    @Test
    @SuppressWarnings("NullAway") // as a caller without such checks
    void theCommandIsBlamedRatherThanTheCgroup() {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> Run.of("/etc").run())
                .withMessageContaining("/etc: EACCES")
                .withMessageEndingWith("it is a directory");
        assertThatNullPointerException()
                .isThrownBy(() -> Run.of("ls", null))
                .withMessage("argument 1 of ls is null");
    }

    @Test
    void aProgramReadsNothingUnlessItIsGivenAnInput() throws Exception {
        assertThat(Run.of("cat").run().output()).isEmpty();
        assertThat(Run.of("cat").input("grüße").run().output()).isEqualTo("grüße");

        Path file = Files.writeString(folder.resolve("in"), "of a file");
        assertThat(Run.of("cat").input(file).run().output()).isEqualTo("of a file");

        InputStream stream = new ByteArrayInputStream("of a stream".getBytes(UTF_8));
        assertThat(Run.of("cat").input(stream).run().output()).isEqualTo("of a stream");
    }

    @Test
    void aLargeInputIsWrittenWhileTheOutputIsRead() throws Exception {
        byte[] bytes = new byte[5_000_000];
        new Random(7).nextBytes(bytes);

        assertThat(Run.of("cat").input(bytes).run().outputBytes()).isEqualTo(bytes);
    }

    @Test
    void aProgramThatNeverReadsItsInputEndsAllTheSame() throws Exception {
        assertThat(shell("echo done").input(new byte[1_000_000]).run().output())
                .isEqualTo("done\n");
    }

    @Test
    void aProgramMayCloseItsInputEarly() throws Exception {
        RunResult result =
                shell("head -c 3; exec <&-; echo ' end'").input("abc".repeat(1_000_000)).run();

        assertThat(result.requireSuccess().output()).isEqualTo("abc end\n");
    }

    @Test
    void anInputThatFailsEndsTheRunWithItsFailure() {
        InputStream broken =
                new InputStream() {
                    @Override
                    public int read() throws IOException {
                        throw new IOException("broken");
                    }

                    @Override
                    public int read(byte[] into, int offset, int length) throws IOException {
                        throw new IOException("broken");
                    }
                };
        assertThatExceptionOfType(RunFailedException.class)
                .isThrownBy(() -> shell("sleep 1000").input(broken).run())
                .withMessageContaining("broken")
                .withCauseInstanceOf(IOException.class);
    }

    @Test
    void outputGoesToAFile() throws Exception {
        Path file = folder.resolve("out");
        RunResult result = shell("echo a; echo b >&2").outputTo(file).run();

        assertThat(file).hasContent("a");
        assertThat(result.output()).isEmpty();
        assertThat(result.error()).isEqualTo("b\n");
    }

    @Test
    void allThatASpawnCanSayIsUsed() throws Exception {
        Spawn spawn = Spawn.of("sh", "-c", "pwd; echo $X").directory(folder).environment("X", "y");
        Run run = Run.of(spawn);
        spawn.environment("X", "changed later");

        assertThat(run.run().outputLines()).containsExactly(folder.toString(), "y");
    }

    @Test
    void bytesThatAreNoTextAreKeptAsTheyAre() throws Exception {
        byte[] bytes = {0, (byte) 0xFF, (byte) 0xC3, '\n', (byte) 0x80};
        RunResult result = Run.of("cat").input(bytes).run();

        assertThat(result.outputBytes()).isEqualTo(bytes);
        assertThat(result.output()).contains("\uFFFD");
    }

    @Test
    void textIsDecodedByItsCharset() throws Exception {
        byte[] latin = "größe".getBytes(ISO_8859_1);
        assertThat(Run.of("cat").input(latin).charset(ISO_8859_1).run().output())
                .isEqualTo("größe");

        List<String> lines = new ArrayList<>();
        RunResult _ =
                Run.of("cat")
                        .input("ä\nb\r\nĊ".getBytes(UTF_16LE)) // Ċ contains the byte of \n
                        .charset(UTF_16LE)
                        .onOutputLine(lines::add)
                        .run();
        assertThat(lines).containsExactly("ä", "b", "Ċ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"a\\rb", "a\\r\\nb\\n", "\\r\\r\\n\\n\\ra", "a\\r", "10%%\\r20%%\\r\\n"})
    void linesEndAsThoseOfTheResult(String text) throws Exception {
        Run run = Run.of("printf", text);
        List<String> lines = new ArrayList<>();
        RunResult _ = run.onOutputLine(lines::add).run();
        assertThat(lines).isEqualTo(run.run().outputLines());
    }

    @Test
    void linesAreHandedOverAsTheyCome() throws Exception {
        Path go = folder.resolve("go");
        List<String> errors = new ArrayList<>();
        List<String> lines = new ArrayList<>();
        String wait = "while [ ! -e " + go + " ]; do sleep 0.01; done";
        RunResult result =
                shell("echo first; echo e >&2; " + wait + "; printf last")
                        .onOutputLine(line -> {
                            lines.add(line);
                            create(go); // the program waits for this
                        })
                        .onErrorLine(errors::add)
                        .run();

        assertThat(lines).containsExactly("first", "last");
        assertThat(errors).containsExactly("e");
        assertThat(result.output()).isEmpty();
    }

    private static void create(Path file) {
        try {
            Files.writeString(file, "");
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aLineWithoutEndComesInPieces() throws Exception {
        List<Integer> lengths = new ArrayList<>();
        RunResult _ =
                shell("head -c 3000000 /dev/zero | tr '\\0' x")
                        .onOutputLine(line -> lengths.add(line.length()))
                        .run();

        assertThat(lengths).containsExactly(1 << 20, 1 << 20, 3_000_000 - (2 << 20));
    }

    @Test
    void aReaderOfLinesThatThrowsEndsTheRun() {
        assertThatExceptionOfType(RunFailedException.class)
                .isThrownBy(() ->
                        shell("echo a; sleep 1000")
                                .onOutputLine(_ -> {
                                    throw new IllegalArgumentException("no");
                                })
                                .run())
                .withCauseInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aReaderOfLinesMayCloseItsRun() throws Exception {
        CompletableFuture<Running> started = new CompletableFuture<>();
        List<String> lines = new ArrayList<>();
        try (Running run =
                shell("echo a; echo b; sleep 1000")
                        .onOutputLine(line -> {
                            lines.add(line);
                            started.join().close();
                        })
                        .start()) {
            started.complete(run);

            assertThat(run.await().exit()).isEqualTo(new Exit.Killed(Signal.KILL, false));
        }
        assertThat(lines).first().isEqualTo("a");
    }

    @Test
    void aTimeoutEndsTheWholeTree() throws Exception {
        Path file = folder.resolve("pid");
        String script = "(setsid sh -c 'echo $$ > " + file + "; exec sleep 1000' &); sleep 1000";
        Run run = shell(script);
        RunResult result;
        try (Running _ = run.start()) {
            Await.until(() -> Files.exists(file) && file.toFile().length() > 1);
        }
        assertThat(isAlive(file)).isFalse();

        result = run.timeout(Duration.ofMillis(100)).run();
        assertThat(result.isTimedOut()).isTrue();
        assertThat(result.isSuccess()).isFalse();
        assertThat(result.exit()).isEqualTo(new Exit.Killed(Signal.KILL, false));
        assertThatExceptionOfType(RunFailedException.class)
                .isThrownBy(result::requireSuccess)
                .withMessageContaining("out of time");
    }

    private static boolean isAlive(Path file) throws IOException {
        Path process = Path.of("/proc", Files.readString(file).strip());
        return Files.exists(process)
                && Files.readString(process.resolve("cmdline")).contains("sleep");
    }

    @Test
    void theGraceLetsAProgramEndByItself() throws Exception {
        RunResult result =
                shell("trap 'echo bye; exit 4' TERM; echo; while :; do sleep 0.01; done")
                        .timeout(Duration.ofMillis(300))
                        .grace(Duration.ofSeconds(50))
                        .run();

        assertThat(result.isTimedOut()).isTrue();
        assertThat(result.exit()).isIn(new Exit.Exited(4), new Exit.Killed(Signal.TERM, false));
    }

    @Test
    void whatAProgramLeavesWithThePipeOpenIsEnded() throws Exception {
        RunResult result = shell("setsid sleep 1000 & echo done").run();

        assertThat(result.requireSuccess().output()).isEqualTo("done\n");
    }

    @Test
    void anInterruptEndsTheProgram() throws Exception {
        Path file = folder.resolve("pid");
        Run run = shell("echo $$ > " + file + "; exec sleep 1000");
        FutureTask<RunResult> task = new FutureTask<>(run::run);
        Thread thread = Thread.ofVirtual().start(task);
        Await.until(() -> Files.exists(file) && file.toFile().length() > 1);

        thread.interrupt();

        assertThatExceptionOfType(ExecutionException.class)
                .isThrownBy(() -> task.get(90, TimeUnit.SECONDS))
                .withCauseInstanceOf(InterruptedException.class);
        assertThat(isAlive(file)).isFalse();
    }

    @Test
    void aRunThatWasStartedCanBeCancelledAndIsOverThen() throws Exception {
        try (Running running = Run.of("sleep", "1000").start()) {
            assertThat(running.await(Duration.ofMillis(1))).isEmpty();
            assertThat(running.pidFd().isAlive()).isTrue();
            running.cancel();
            assertThat(running.await().exit()).isEqualTo(new Exit.Killed(Signal.KILL, false));
        }
        @SuppressWarnings("MustBeClosed")
        Running cancelled = Run.of("sleep", "1000").start();
        CompletableFuture<RunResult> future = cancelled.future();
        assertThat(future.cancel(true)).isTrue();
        assertThat(cancelled.await().isSuccess()).isFalse();
    }

    @Test
    void aPipelineJoinsPrograms() throws Exception {
        RunResult result =
                Run.of("cat")
                        .input("b\na\nb\n")
                        .pipeTo(Run.of("sort", "-u"))
                        .pipeTo(Run.of("tr", "ab", "AB"))
                        .run();

        assertThat(result.outputLines()).containsExactly("A", "B");
        assertThat(result.exits())
                .containsExactly(new Exit.Exited(0), new Exit.Exited(0), new Exit.Exited(0));
    }

    @Test
    void theFirstProgramOfAPipelineThatFailedIsNamed() throws Exception {
        RunResult result =
                shell("echo one >&2; exit 3").pipeTo(shell("exit 4")).pipeTo(Run.of("cat")).run();

        assertThat(result.exits().stream().map(Exit::shellStatus)).containsExactly(3, 4, 0);
        assertThatExceptionOfType(RunFailedException.class)
                .isThrownBy(result::requireSuccess)
                .withMessageContaining("exit 3: exited with status 3: one");
    }

    @Test
    void aBrokenPipeIsAFailureOnlyOnRequest() throws Exception {
        Run run = Run.of("yes").pipeTo(Run.of("head", "-n", "1"));
        RunResult result = run.run();

        assertThat(result.exits())
                .containsExactly(new Exit.Killed(Signal.PIPE, false), new Exit.Exited(0));
        assertThat(result.requireSuccess().output()).isEqualTo("y\n");
        assertThatExceptionOfType(RunFailedException.class)
                .isThrownBy(() -> run.brokenPipeFails().run().requireSuccess())
                .withMessageContaining("yes: killed by SIGPIPE");
    }

    @Test
    void aSpawnWhoseOwnerReapsItIsRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Run.of(Spawn.of("true").reapLater()))
                .withMessageContaining("reaped later");
    }

    @Test
    void aPipelineWhoseEndsAreTakenIsRefused() {
        Run to = Run.of("cat");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Run.of("ls").pipeTo(to.input("x")))
                .withMessageContaining("has an input");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Run.of("ls").outputTo(folder.resolve("x")).pipeTo(to))
                .withMessageContaining("goes elsewhere");
    }

    @Test
    void itsTextIsTheCommand() {
        assertThat(Run.of("ls", "-l").pipeTo(Run.of("head"))).hasToString("ls -l | head");
    }
}
