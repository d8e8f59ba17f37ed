package io.holdfast.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
        out.close();
        assertThatThrownBy(writer::get).cause().isInstanceOf(IOException.class);
    }

    @Test
    void aPipeWithoutReaderSaysEpipe() {
        in.close();
        assertThatThrownBy(() -> out.write(1))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("EPIPE");
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
        assertThat(in.read()).isEqualTo(9);
    }

    @Test
    void aClosedStreamIsAnIoException() {
        in.close();
        out.close();
        assertThatThrownBy(in::read).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> out.write(1)).isInstanceOf(IOException.class);
    }
}
