package io.holdfast.cli.output;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;

/** Who takes nothing of what is written to him until he is told to. */
final class SlowReader implements AutoCloseable {
    private final CountDownLatch writing = new CountDownLatch(1);
    private final CountDownLatch reading = new CountDownLatch(1);
    private final ByteArrayOutputStream taken = new ByteArrayOutputStream();
    private final PrintStream stream =
            new PrintStream(
                    new OutputStream() {
                        @Override
                        public void write(int b) {
                            write(new byte[] {(byte) b}, 0, 1);
                        }

                        @Override
                        public void write(byte[] bytes, int from, int length) {
                            writing.countDown();
                            try {
                                reading.await();
                            } catch (InterruptedException e) {
                                Thread.currentThread().interrupt();
                            }
                            taken.write(bytes, from, length);
                        }
                    },
                    true,
                    StandardCharsets.UTF_8);

    PrintStream stream() {
        return stream;
    }

    /** Waits until somebody waits for him. */
    void awaitWriter() throws InterruptedException {
        writing.await();
    }

    /** Takes everything from now on. */
    void read() {
        reading.countDown();
    }

    /** What he has taken. */
    String written() {
        return taken.toString(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        read();
    }
}
