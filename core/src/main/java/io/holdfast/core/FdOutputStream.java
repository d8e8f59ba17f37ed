package io.holdfast.core;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.lang.ref.Reference;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A buffered stream that writes a descriptor.
 *
 * <pre>{@code
 * try (FdOutputStream out = new FdOutputStream(pipe)) {
 *     out.write("one line\n".getBytes(UTF_8));
 *     out.flush(); // the reader has it now
 * }
 * }</pre>
 *
 * <p>A write that exceeds the room in the buffer, and a {@link #flush}, park the calling thread,
 * virtual or platform, until all bytes are written. Another thread's {@link #close} ends the wait.
 * An interrupt ends it with an InterruptedIOException and keeps the interrupt status and the
 * content of the buffer. Other errors are IOExceptions that name the errno. The open file
 * description, which other processes may share, is not changed: it does not become non-blocking.
 *
 * <p>One wait cannot be ended: a terminal in blocking mode that this process may not open again
 * through {@code /proc}, one of another user for example, can keep the thread in write(2) when it
 * is almost full and the next byte is a newline or a tab.
 *
 * <p>To a datagram or SEQPACKET socket, each flush of the buffer is a message: write to such a
 * socket by {@link FdChannel}.
 *
 * <p>The stream owns its descriptor and closes it, also when the stream becomes garbage; then
 * unflushed output is lost.
 */
public final class FdOutputStream extends OutputStream {
    private static final int SMALL = 512;
    private static final int SIZE = 8192;
    private static final byte[] NONE = {};

    private final FdTransfer transfer;
    private final ReentrantLock lock = new ReentrantLock();

    // both guarded by the lock
    private byte[] buffer = NONE;
    private int count;

    /**
     * Takes over the descriptor.
     *
     * @param fd the descriptor of a pipe, socket, terminal or file; the stream takes it over
     * @throws ClosedException if it is closed
     */
    public FdOutputStream(Fd fd) {
        this.transfer = new FdTransfer(this, fd);
    }

    /**
     * Makes a stream for a descriptor that stays the caller's: the stream owns a duplicate of it.
     * The other end of a pipe notices only when both are closed.
     *
     * @param lent the descriptor; it stays the caller's
     * @return the stream, owned by the caller
     * @throws ErrnoException EMFILE
     */
    public static FdOutputStream borrowing(Fd lent) {
        return new FdOutputStream(lent.duplicate());
    }

    @Override
    public void write(int value) throws IOException {
        lock.lock();
        try {
            requireOpen();
            if (count == buffer.length) {
                makeRoom(1);
            }
            buffer[count++] = (byte) value;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void write(byte[] from, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, from.length);
        lock.lock();
        try {
            requireOpen();
            if (length > buffer.length - count) {
                makeRoom(length);
            }
            if (length < SIZE) {
                System.arraycopy(from, offset, buffer, count, length);
                count += length;
            } else {
                writeThrough(from, offset, length);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Makes room for so many bytes: drains the buffer if it must, and grows it if that helps. */
    private void makeRoom(int more) throws IOException {
        if (more > SIZE - count) {
            drain();
        }
        if (more < SIZE && more > buffer.length - count) {
            buffer = Arrays.copyOf(buffer, count + more <= SMALL ? SMALL : SIZE);
        }
    }

    private void writeThrough(byte[] from, int offset, int length) throws IOException {
        int written = 0;
        try {
            while (written < length) {
                written += transfer(from, offset + written, length - written);
            }
        } catch (InterruptedIOException e) {
            e.bytesTransferred = written;
            throw e;
        }
    }

    /** Writes the content of the buffer; after a failure the unwritten rest stays in it. */
    private void drain() throws IOException {
        int taken = 0;
        try {
            while (taken < count) {
                taken += transfer(buffer, taken, count - taken);
            }
        } finally {
            System.arraycopy(buffer, taken, buffer, 0, count - taken);
            count -= taken;
        }
    }

    /** Waits until there is room, and writes as many bytes as fit at once. */
    private int transfer(byte[] from, int offset, int length) throws IOException {
        try {
            for (; ; ) {
                int n = transfer.write(from, offset, length);
                if (n >= 0) {
                    return n;
                }
                if (n != -Errno.EAGAIN) {
                    ErrnoException e = new ErrnoException("write", transfer.toString(), -n);
                    throw new IOException(e.getMessage(), e);
                }
                int ignored = Readiness.await(transfer.fd(), Readiness.OUT);
            }
        } catch (InterruptedException e) {
            throw interrupted(0);
        } catch (ClosedException e) {
            throw new IOException(e.getMessage(), e);
        } finally {
            Reference.reachabilityFence(this); // a garbage stream's descriptor gets closed
        }
    }

    static InterruptedIOException interrupted(int transferred) {
        Thread.currentThread().interrupt();
        InterruptedIOException e = new InterruptedIOException();
        e.bytesTransferred = transferred;
        return e;
    }

    private void requireOpen() throws IOException {
        if (!transfer.fd().isOpen()) {
            throw new IOException(transfer + ": the stream is closed");
        }
    }

    @Override
    public void flush() throws IOException {
        lock.lock();
        try {
            requireOpen();
            drain();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Writes the content of the buffer, and closes the descriptor whether or not that succeeds.
     * While another thread writes, the descriptor is closed at once, which ends that write.
     * Idempotent.
     *
     * @throws IOException if the content of the buffer could not be written
     */
    @Override
    public void close() throws IOException {
        try {
            if (lock.tryLock()) {
                try {
                    if (transfer.fd().isOpen()) {
                        drain();
                    }
                } finally {
                    lock.unlock();
                }
            }
        } finally {
            transfer.close();
        }
    }

    /**
     * Closes the descriptor at once. Writes as much of the buffer as fits without waiting; the rest
     * is lost. Idempotent.
     */
    public void closeNow() {
        try {
            if (lock.tryLock()) {
                try {
                    int ignored = count == 0 ? 0 : transfer.write(buffer, 0, count);
                    count = 0;
                } finally {
                    lock.unlock();
                }
            }
        } catch (ClosedException e) {
            // closed already
        } finally {
            transfer.close();
        }
    }

    @Override
    public String toString() {
        return transfer.toString();
    }
}
