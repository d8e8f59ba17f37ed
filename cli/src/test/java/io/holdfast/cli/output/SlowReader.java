package io.holdfast.cli.output;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;

/** A reader that blocks its writer until {@link #read} is called. */
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

    /** Waits until a writer is blocked. */
    void awaitWriter() throws InterruptedException {
        writing.await();
    }

    /** Accepts everything from now on. */
    void read() {
        reading.countDown();
    }

    /** Returns everything that was written. */
    String written() {
        return taken.toString(StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        read();
    }
}
