package io.holdfast.core;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.Await;
import java.io.FileDescriptor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Streams and channels do not change an open file description that other processes share. */
@Timeout(60)
class SharedFileTest {
    @TempDir Path folder;

    /** The two ends of each kind of file whose calls can block. */
    private List<Fd[]> ends() {
        Fd[] pipe = Unistd.pipe2(0);
        Fd[] fifo = fifo();
        UnixSocket[] sockets = UnixSocket.pair(SocketType.STREAM);
        Fd[] socket = {sockets[0].fd(), sockets[1].fd()};
        return List.of(pipe, fifo, socket);
    }

    private Fd[] fifo() {
        try (Fd parent = Fcntl.open(folder.toString(), Fcntl.O_PATH | Fcntl.O_DIRECTORY)) {
            assertThat(SysStat.mkfifoat(parent, "fifo", 0600)).isZero();
            String path = folder.resolve("fifo").toString();
            Fd reading = Fcntl.open(path, Fcntl.O_RDONLY | Fcntl.O_NONBLOCK);
            Fd writing = Fcntl.open(path, Fcntl.O_WRONLY);
            Fcntl.setBlocking(reading, true);
            return new Fd[] {reading, writing};
        }
    }

    @SuppressWarnings("try") // closed early on purpose
    @Test
    void aBlockingFileStaysBlockingAndNoCallWaitsInTheKernel() throws Exception {
        for (Fd[] end : ends()) {
            int[] before = {Fcntl.getfl(end[0]), Fcntl.getfl(end[1])};
            try (FdInputStream in = FdInputStream.borrowing(end[0]);
                    FdOutputStream out = FdOutputStream.borrowing(end[1])) {
                FutureTask<Integer> reader = new FutureTask<>(in::read);
                Await.parked(Thread.startVirtualThread(reader)); // not blocked in read(2)
                out.write('a');
                out.flush();
                assertThat(reader.get()).isEqualTo('a');
                FutureTask<Integer> again = new FutureTask<>(in::read);
                Await.parked(Thread.startVirtualThread(again));
                in.close();
                assertThatThrownBy(again::get).cause().isInstanceOf(IOException.class);
            }
            assertThat(new int[] {Fcntl.getfl(end[0]), Fcntl.getfl(end[1])}).isEqualTo(before);
            end[0].close();
            end[1].close();
        }
    }

    @Test
    void aFullFileParksItsWriter() throws Exception {
        for (Fd[] end : ends()) {
            int before = Fcntl.getfl(end[1]);
            try (FdInputStream in = new FdInputStream(end[0]);
                    FdOutputStream out = FdOutputStream.borrowing(end[1])) {
                byte[] much = new byte[3_000_000];
                FutureTask<Void> writer =
                        new FutureTask<>(() -> {
                            out.write(much);
                            return null;
                        });
                Await.parked(Thread.startVirtualThread(writer));
                assertThat(in.readNBytes(much.length)).hasSize(much.length);
                writer.get();
            }
            assertThat(Fcntl.getfl(end[1])).isEqualTo(before);
            end[1].close();
        }
    }

    @Test
    void aRegularFileIsReadToItsEnd() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "content");
        try (FdInputStream in = new FdInputStream(Fcntl.open(file.toString(), Fcntl.O_RDONLY))) {
            assertThat(in.available()).isEqualTo(7);
            assertThat(in.readAllBytes()).asString(US_ASCII).isEqualTo("content");
        }
    }

    @Test
    void aBorrowedDescriptorStaysOpen() throws IOException {
        Fd[] pipe = Unistd.pipe2(0);
        FdOutputStream.borrowing(pipe[1]).close();
        FdInputStream.borrowing(pipe[0]).close();
        assertThat(pipe[0].isOpen()).isTrue();
        assertThat(pipe[1].isOpen()).isTrue();
        pipe[0].close();
        pipe[1].close();
    }

    @Test
    void aChannelReadsAndWritesASocket() throws IOException {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket mine = pair[0];
                UnixSocket theirs = pair[1];
                FdChannel one = FdChannel.borrowing(mine.fd());
                FdChannel other = FdChannel.borrowing(theirs.fd())) {
            assertThat(one.write(ByteBuffer.wrap("there".getBytes(US_ASCII)))).isEqualTo(5);
            ByteBuffer read = ByteBuffer.allocateDirect(10);
            assertThat(other.read(read)).isEqualTo(5);
            assertThat(US_ASCII.decode(read.flip()).toString()).isEqualTo("there");
            mine.shutdownOutput();
            assertThat(other.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        }
    }

    @Test
    void aChannelIsClosedByAnInterruptAndByAnotherThread() throws Exception {
        Fd[] pipe = Unistd.pipe2(0);
        FdChannel interrupted = FdChannel.borrowing(pipe[0]);
        FutureTask<Integer> first =
                new FutureTask<>(() -> interrupted.read(ByteBuffer.allocate(1)));
        Thread reader = Thread.startVirtualThread(first);
        Await.parked(reader);
        reader.interrupt();
        assertThatThrownBy(first::get).hasCauseInstanceOf(ClosedByInterruptException.class);
        assertThat(interrupted.isOpen()).isFalse();
        FdChannel closed = FdChannel.borrowing(pipe[0]);
        FutureTask<Integer> second = new FutureTask<>(() -> closed.read(ByteBuffer.allocate(1)));
        Await.parked(Thread.startVirtualThread(second));
        closed.close();
        assertThatThrownBy(second::get).hasCauseInstanceOf(AsynchronousCloseException.class);
        assertThatThrownBy(() -> closed.read(ByteBuffer.allocate(1)))
                .isInstanceOf(ClosedChannelException.class);
        pipe[0].close();
        pipe[1].close();
    }

    @Test
    void aFileChannelIsOfTheSameFile() throws IOException {
        Path file = Files.writeString(folder.resolve("mapped"), "content");
        try (Fd fd = Fcntl.open(file.toString(), Fcntl.O_RDWR)) {
            Files.delete(file);
            try (FileChannel channel = FdChannel.file(fd, StandardOpenOption.READ)) {
                ByteBuffer map = channel.map(FileChannel.MapMode.READ_ONLY, 0, 7);
                assertThat(US_ASCII.decode(map).toString()).isEqualTo("content");
            }
            assertThat(fd.isOpen()).isTrue();
        }
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket mine = pair[0];
                UnixSocket _ = pair[1]) {
            assertThatThrownBy(() -> FdChannel.file(mine.fd(), StandardOpenOption.READ))
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void onlyStandardStreamsExposeTheirNumber() {
        try (Fd error = FdChannel.duplicate(FileDescriptor.err);
                Fd known = Unistd.duplicateStandard(2)) {
            assertThat(SysStat.stat(error).isSameFile(SysStat.stat(known))).isTrue();
        }
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FdChannel.duplicate(new FileDescriptor()))
                .withMessageContaining("not a standard stream");
    }
}
