package io.holdfast.core;

import io.holdfast.core.sys.Unistd;
import java.io.FileDescriptor;
import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ByteChannel;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.channels.InterruptibleChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntSupplier;

/**
 * A channel that reads and writes a descriptor, and the conversions between descriptors and the
 * classes of java.io and java.nio.
 *
 * <pre>{@code
 * try (FdChannel channel = FdChannel.borrowing(socket.fd())) {
 *     int read = channel.read(buffer);
 * }
 * FileChannel file = FdChannel.file(memory, READ, WRITE); // to map it, for example
 * }</pre>
 *
 * <table>
 * <caption>What Java allows</caption>
 * <tr><th>from</th><th>to</th><th></th></tr>
 * <tr><td>Fd</td><td>streams</td><td>{@link FdInputStream}, {@link FdOutputStream}</td></tr>
 * <tr><td>Fd</td><td>ByteChannel</td><td>this class</td></tr>
 * <tr><td>Fd</td><td>FileChannel</td><td>{@link #file}, except for sockets: opens the same file
 *     with its own position and flags</td></tr>
 * <tr><td>Fd</td><td>ServerSocketChannel, DatagramChannel</td><td>{@code serverChannel} and {@code
 *     datagramChannel} of {@code ListenFds.Named}, for TCP and UDP</td></tr>
 * <tr><td>Fd</td><td>SocketChannel, FileDescriptor</td><td>no: only code within java.base can make
 *     one from a number</td></tr>
 * <tr><td>FileDescriptor</td><td>Fd</td><td>{@link #duplicate}, only of the standard streams: Java
 *     hides the numbers of all others</td></tr>
 * <tr><td>FileChannel, SocketChannel</td><td>Fd</td><td>no: Java hides their numbers. Open the
 *     path, or connect, with Holdfast instead</td></tr>
 * </table>
 *
 * <p>As with all interruptible channels of java.nio, an interrupt of a thread that reads or writes
 * closes the channel. One thread may read while another one writes. The open file description,
 * which other processes may share, is not changed.
 */
public final class FdChannel implements ByteChannel, InterruptibleChannel {
    private final FdTransfer reading;
    private final FdTransfer writing;
    private final ReentrantLock readLock = new ReentrantLock();
    private final ReentrantLock writeLock = new ReentrantLock();

    /**
     * Takes over the descriptor.
     *
     * @param fd the descriptor of a pipe, socket, terminal or file; owned by the channel if this
     *     constructor returns, otherwise it stays the caller's
     * @throws ClosedException if it is closed
     * @throws ErrnoException EMFILE: a channel has two descriptors, one for each direction
     */
    public FdChannel(Fd fd) {
        Fd other = fd.duplicate();
        try {
            this.writing = new FdTransfer(this, other);
            this.reading = new FdTransfer(this, fd);
        } catch (RuntimeException e) {
            other.close();
            throw e;
        }
    }

    /**
     * Makes a channel for a descriptor that stays the caller's: the channel owns duplicates of it.
     *
     * @param lent the descriptor; it stays the caller's
     * @return the channel, owned by the caller
     * @throws ErrnoException EMFILE
     */
    public static FdChannel borrowing(Fd lent) {
        Fd own = lent.duplicate();
        try {
            return new FdChannel(own);
        } catch (RuntimeException e) {
            own.close();
            throw e;
        }
    }

    /**
     * {@return a channel of java.nio to the same file} The channel has its own open file
     * description: its position begins at 0, and its close does not close the descriptor.
     *
     * @param fd the descriptor of a regular file, a memory file, a pipe or a device; lent
     * @param options the options of {@link FileChannel#open}
     * @throws IOException if the file may not be opened with those options, or is a socket
     */
    public static FileChannel file(Fd fd, OpenOption... options) throws IOException {
        int number = fd.acquire();
        try {
            return FileChannel.open(Path.of("/proc/self/fd/" + number), options);
        } finally {
            fd.release();
        }
    }

    /**
     * {@return a duplicate of the descriptor of a standard stream}
     *
     * @param standard {@link FileDescriptor#in}, {@link FileDescriptor#out} or {@link
     *     FileDescriptor#err}
     * @throws IllegalArgumentException for any other object: Java hides its number
     * @throws ErrnoException EBADF if it is closed, EMFILE
     */
    @SuppressWarnings("ReferenceEquality") // those three objects
    public static Fd duplicate(FileDescriptor standard) {
        FileDescriptor[] known = {FileDescriptor.in, FileDescriptor.out, FileDescriptor.err};
        for (int number = 0; number < known.length; number++) {
            if (known[number] == standard) {
                return Unistd.duplicateStandard(number);
            }
        }
        throw new IllegalArgumentException(
                "not a standard stream: Java exposes no number of any other FileDescriptor");
    }

    /**
     * Reads at least one byte; parks the calling thread until there is one. -1 at the end. Of a
     * datagram or SEQPACKET socket it reads one message; what exceeds the buffer is lost.
     */
    @Override
    public int read(ByteBuffer into) throws IOException {
        if (!into.hasRemaining()) {
            return 0;
        }
        readLock.lock();
        try {
            int n = transfer(reading, Readiness.IN, () -> readOnce(into));
            return n == 0 ? -1 : checked("read", n);
        } finally {
            readLock.unlock();
        }
    }

    private int readOnce(ByteBuffer into) {
        int room = reading.readAtOnce(into.remaining());
        if (room < 0) {
            return room;
        }
        byte[] bytes = new byte[room];
        int n = reading.read(bytes, 0, room);
        if (n > 0) {
            into.put(bytes, 0, n);
        }
        return n;
    }

    /**
     * Writes all remaining bytes; parks the calling thread until the file has taken them. To a
     * datagram or SEQPACKET socket they are one message.
     */
    @Override
    public int write(ByteBuffer from) throws IOException {
        int written = 0;
        writeLock.lock();
        try {
            while (from.hasRemaining()) {
                byte[] bytes = new byte[writing.writtenAtOnce(from.remaining())];
                from.get(from.position(), bytes);
                IntSupplier once = () -> writing.write(bytes, 0, bytes.length);
                int n = checked("write", transfer(writing, Readiness.OUT, once));
                from.position(from.position() + n);
                written += n;
            }
        } finally {
            writeLock.unlock();
        }
        return written;
    }

    private int checked(String call, int result) throws IOException {
        if (result < 0) {
            ErrnoException e = new ErrnoException(call, toString(), -result);
            throw new IOException(e.getMessage(), e);
        }
        return result;
    }

    /** Waits until the descriptor is ready and transfers once; returns as {@link FdTransfer}. */
    private int transfer(FdTransfer transfer, int events, IntSupplier once) throws IOException {
        if (!isOpen()) {
            throw new ClosedChannelException();
        }
        try {
            if (Thread.currentThread().isInterrupted()) {
                throw new InterruptedException();
            }
            int n;
            while ((n = once.getAsInt()) == -Errno.EAGAIN) {
                int ignored = Readiness.await(transfer.fd(), events);
            }
            return n;
        } catch (InterruptedException e) {
            close();
            Thread.currentThread().interrupt();
            throw new ClosedByInterruptException();
        } catch (ClosedException e) {
            throw new AsynchronousCloseException();
        } finally {
            Reference.reachabilityFence(this); // a garbage channel's descriptors get closed
        }
    }

    @Override
    public boolean isOpen() {
        return reading.fd().isOpen();
    }

    /** Closes the descriptor, which ends reads and writes of other threads. Idempotent. */
    @Override
    public void close() {
        reading.close();
        writing.close();
    }

    @Override
    public String toString() {
        return reading.toString();
    }
}
