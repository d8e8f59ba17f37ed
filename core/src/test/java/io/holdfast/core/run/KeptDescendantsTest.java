package io.holdfast.core.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.testkit.Await;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Processes that a run leaves behind and keeps. */
@Timeout(100)
class KeptDescendantsTest {
    @TempDir Path folder;

    /** A stream whose only read blocks until the latch is open, and then fails. */
    private static final class LateFailure extends InputStream {
        private final CountDownLatch open = new CountDownLatch(1);
        private volatile @Nullable Thread reader;

        @Override
        public int read() throws IOException {
            reader = Thread.currentThread();
            try {
                open.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            throw new IOException("too late");
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            return read();
        }

        void fail() throws InterruptedException {
            Await.until(() -> reader != null);
            open.countDown();
            Objects.requireNonNull(reader).join();
        }
    }

    /** Leaves a descendant, which writes its PID. */
    private Spawn leaving() {
        Path file = folder.resolve("pid");
        String leaving = "setsid sh -c 'echo $$ > " + file + "; exec sleep 1000' &";
        String waiting = " while [ ! -s " + file + " ]; do sleep 0.01; done; echo done";
        return Spawn.of("sh", "-c", leaving + waiting);
    }

    /** The process that was left behind, which is killed at the end of the test. */
    private final class Descendant implements AutoCloseable {
        private final PidFd process = PidFd.open(pid());

        void assertKept() {
            assertThat(process.isAlive()).isTrue();
        }

        @Override
        public void close() {
            try (process) {
                boolean _ = process.signal(Signal.KILL);
                Await.until(() -> !process.isAlive());
            }
        }
    }

    private int pid() {
        try {
            return Integer.parseInt(Files.readString(folder.resolve("pid")).strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void theyDoNotHoldUpTheResult() throws Exception {
        RunResult result = Run.of(leaving()).keepDescendants().run();
        try (Descendant descendant = new Descendant()) {
            assertThat(result.output()).isEqualTo("done\n");
            descendant.assertKept();
        }
    }

    @Test
    void anInputThatFailsAfterTheProgramHasEndedDoesNotEndThem() throws Exception {
        LateFailure input = new LateFailure();
        RunResult result = Run.of(leaving()).input(input).keepDescendants().run();
        try (Descendant descendant = new Descendant()) {
            assertThat(result.isSuccess()).isTrue();
            input.fail();
            descendant.assertKept();
        }
    }

    @Test
    void aCancellationThatComesTooLateDoesNotEndThem() throws Exception {
        Settings settings = new Settings(new RunStage(leaving(), false));
        settings.keepDescendants = true;
        RunExecution execution = RunExecution.start(settings);
        RunResult _ = execution.result().get();
        try (Descendant descendant = new Descendant()) {
            execution.end();
            descendant.assertKept();
        }
    }
}
