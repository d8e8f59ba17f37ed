package io.holdfast.core;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;

import io.holdfast.core.sys.SysPoll;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.Await;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class FdStreamsTest {
    private final Fd[] pipe = Unistd.pipe2(0);
    private final FdInputStream in = new FdInputStream(pipe[0]);
    private final FdOutputStream out = new FdOutputStream(pipe[1]);

    @Test
    void megabytesPassUnchangedBetweenVirtualThreads() throws Exception {
        byte[] sent = new byte[5_000_003];
        new SplittableRandom(1).nextBytes(sent);
        Thread.startVirtualThread(() -> {
            try (out) {
                out.write(sent);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        });
        FutureTask<byte[]> reader = new FutureTask<>(in::readAllBytes);
        Thread.startVirtualThread(reader);
        assertThat(Arrays.equals(reader.get(), sent)).isTrue();
        in.close();
    }

    @Test
    void singleBytesAreUnsignedAndTheEndIsMinusOne() throws IOException {
        out.write(0);
        out.write(255);
        out.close();
        assertThat(in.read()).isZero();
        assertThat(in.read()).isEqualTo(255);
        assertThat(in.read()).isEqualTo(-1);
        assertThat(in.read(new byte[4], 0, 0)).isZero();
        in.close();
    }

    @Test
    void aRangeOutsideOfTheArrayIsRefused() {
        assertThatThrownBy(() -> in.read(new byte[4], 2, 3))
                .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> out.write(new byte[4], -1, 3))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void aCloseWakesTheReader() {
        FutureTask<Integer> reader = new FutureTask<>(in::read);
        Await.parked(Thread.startVirtualThread(reader));
        in.close();
        assertThatThrownBy(reader::get)
                .cause()
                .isInstanceOf(IOException.class)
                .hasMessageContaining("closed");
    }

    @Test
    void aCloseWakesTheWriterOfAFullPipe() {
        FutureTask<Void> writer =
                new FutureTask<>(() -> {
                    out.write(new byte[10_000_000]);
                    return null;
                });
        Await.parked(Thread.startVirtualThread(writer));
        assertDoesNotThrow(out::close);
        assertThatThrownBy(writer::get).cause().isInstanceOf(IOException.class);
    }

    @Test
    void aPipeWithoutReaderSaysEpipe() {
        in.close();
        assertThatThrownBy(() -> out.write(new byte[100_000]))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("write fd ")
                .hasMessageContaining("EPIPE");
        assertThatThrownBy(
                        () -> {
                            out.write(1);
                            out.flush();
                        })
                .isInstanceOf(IOException.class)
                .hasMessageContaining("EPIPE");
        assertThatThrownBy(out::close).isInstanceOf(IOException.class);
        assertThat(pipe[1].isOpen()).isFalse();
    }

    @Test
    void anInterruptEndsTheReadAndStaysSet() throws Exception {
        CompletableFuture<Boolean> flag = new CompletableFuture<>();
        Thread reader =
                Thread.startVirtualThread(() -> {
                    try {
                        int ignored = in.read();
                    } catch (InterruptedIOException e) {
                        flag.complete(Thread.currentThread().isInterrupted());
                    } catch (IOException e) {
                        flag.completeExceptionally(e);
                    }
                });
        Await.parked(reader);
        reader.interrupt();
        assertThat(flag.get()).isTrue();
        out.write(9);
        out.flush();
        assertThat(in.read()).isEqualTo(9);
    }

    @Test
    void anInterruptEndsAFlushAndLosesNothing() throws Exception {
        fill(pipe[1]);
        out.write("kept".getBytes(US_ASCII));
        CompletableFuture<Boolean> flag = new CompletableFuture<>();
        Thread writer =
                Thread.startVirtualThread(() -> {
                    try {
                        out.flush();
                    } catch (InterruptedIOException e) {
                        flag.complete(Thread.currentThread().isInterrupted());
                    } catch (IOException e) {
                        flag.completeExceptionally(e);
                    }
                });
        Await.parked(writer);
        writer.interrupt();
        assertThat(flag.get()).isTrue();
        byte[] filled = in.readNBytes(PIPE_SIZE);
        assertThat(filled).containsOnly(0);
        out.close();
        assertThat(in.readAllBytes()).asString(US_ASCII).isEqualTo("kept");
        in.close();
    }

    private static final int PIPE_SIZE = 64 << 10;

    /** Fills a pipe. */
    private static void fill(Fd end) {
        byte[] zeros = new byte[4096];
        for (int n = 0; n < PIPE_SIZE; n += zeros.length) {
            assertThat(Unistd.write(end, zeros, 0, zeros.length)).isEqualTo(zeros.length);
        }
        assertThat(SysPoll.now(end, Readiness.OUT)).isZero();
    }

    @Test
    void whatIsWrittenByteByByteArrivesWithTheFlush() throws IOException {
        for (int i = 0; i < 20_000; i++) {
            out.write(i);
        }
        assertThat(in.available()).isLessThan(20_000);
        out.flush();
        assertThat(in.available()).isEqualTo(20_000);
        for (int i = 0; i < 20_000; i++) {
            assertThat(in.read()).isEqualTo(i & 0xFF);
        }
        assertThat(in.available()).isZero();
        in.close();
        out.close();
    }

    @Test
    void availableCountsBufferAndFile() throws IOException {
        out.write(new byte[10_000]);
        out.flush();
        assertThat(in.read()).isZero();
        assertThat(in.available()).isEqualTo(9_999);
        assertThat(in.skip(5)).isEqualTo(5);
        assertThat(in.available()).isEqualTo(9_994);
        in.close();
        assertThatThrownBy(in::available).isInstanceOf(IOException.class);
        out.close();
    }

    @Test
    void aCloseThatDoesNotWaitGivesWhatThePipeTakes() throws IOException {
        out.write("for you".getBytes(US_ASCII));
        out.closeNow();
        out.closeNow();
        assertThat(in.readAllBytes()).asString(US_ASCII).isEqualTo("for you");
        in.close();
    }

    @Test
    void aCloseThatDoesNotWaitLeavesAFullPipe() throws IOException {
        fill(pipe[1]);
        out.write("too much".getBytes(US_ASCII));
        out.closeNow();
        assertThat(in.readAllBytes()).hasSize(PIPE_SIZE);
        in.close();
    }

    @Test
    void theMarkedPartIsReadAgain() throws IOException {
        out.write("abcdef".getBytes(US_ASCII));
        out.close();
        in.mark(10);
        assertThat(in.readNBytes(3)).asString(US_ASCII).isEqualTo("abc");
        in.reset();
        assertThat(in.readAllBytes()).asString(US_ASCII).isEqualTo("abcdef");
        in.close();
    }

    @Test
    void aClosedStreamIsAnIoException() throws IOException {
        in.close();
        out.close();
        assertThatThrownBy(in::read).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> out.write(1)).isInstanceOf(IOException.class);
        assertThatThrownBy(out::flush).isInstanceOf(IOException.class);
    }
}
