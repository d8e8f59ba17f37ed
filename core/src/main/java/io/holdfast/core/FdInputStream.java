package io.holdfast.core;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.ref.Reference;
import java.util.Objects;

/**
 * A buffered stream that reads a descriptor.
 *
 * <pre>{@code
 * try (FdInputStream in = new FdInputStream(received)) {
 *     byte[] all = in.readAllBytes();
 * }
 * }</pre>
 *
 * <p>A read parks the calling thread, virtual or platform, until there is something. Another
 * thread's {@link #close} ends the read. An interrupt ends it with an InterruptedIOException and
 * keeps the interrupt status. Other errors are IOExceptions that name the errno. The open file
 * description, which other processes may share, is not changed: it does not become non-blocking.
 *
 * <p>The master side of a pseudo-terminal is at its end when no process has the slave side open.
 *
 * <p>A stream does not show where a message of a datagram or SEQPACKET socket ends, and loses what
 * exceeds its buffer of 8 KiB: read such a socket by {@link FdChannel}.
 *
 * <p>The stream owns its descriptor and closes it, also when the stream becomes garbage. A regular
 * file is read from its current position, and the calling thread waits for the disk. A device that
 * is not a terminal and does not support non-blocking reads (RWF_NOWAIT) can block a reader if two
 * of them read it at once.
 */
public final class FdInputStream extends InputStream {
    private final FdTransfer transfer;
    private final BufferedInputStream buffered = new BufferedInputStream(new Source());

    /**
     * Takes over the descriptor.
     *
     * @param fd the descriptor of a pipe, socket, terminal or file; the stream takes it over
     * @throws ClosedException if it is closed
     */
    public FdInputStream(Fd fd) {
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
    public static FdInputStream borrowing(Fd lent) {
        return new FdInputStream(lent.duplicate());
    }

    /** The unbuffered stream, which reads from the descriptor. */
    private final class Source extends InputStream {
        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            Objects.checkFromIndexSize(offset, length, into.length);
            if (length == 0) {
                return 0;
            }
            try {
                for (; ; ) {
                    int n = transfer.read(into, offset, length);
                    if (n == -Errno.EAGAIN) {
                        int ignored = Readiness.await(transfer.fd(), Readiness.IN);
                    } else if (n < 0) {
                        ErrnoException e = new ErrnoException("read", transfer.toString(), -n);
                        throw new IOException(e.getMessage(), e);
                    } else {
                        return n == 0 ? -1 : n;
                    }
                }
            } catch (InterruptedException e) {
                throw FdOutputStream.interrupted(0);
            } catch (ClosedException e) {
                throw new IOException(e.getMessage(), e);
            } finally {
                Reference.reachabilityFence(FdInputStream.this); // a garbage one gets closed
            }
        }

        @Override
        public int available() throws IOException {
            try {
                return transfer.available();
            } catch (ClosedException e) {
                throw new IOException(e.getMessage(), e);
            } finally {
                Reference.reachabilityFence(FdInputStream.this);
            }
        }

        @Override
        public void close() {
            transfer.close();
        }
    }

    @Override
    public int read() throws IOException {
        return buffered.read();
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
        return buffered.read(into, offset, length);
    }

    /** Returns how many bytes can be read without waiting, from the buffer and the descriptor. */
    @Override
    public int available() throws IOException {
        return buffered.available();
    }

    @Override
    public long skip(long count) throws IOException {
        return buffered.skip(count);
    }

    @Override
    public long transferTo(OutputStream out) throws IOException {
        return buffered.transferTo(out);
    }

    @Override
    public boolean markSupported() {
        return true;
    }

    @Override
    @SuppressWarnings("UnsynchronizedOverridesSynchronized") // the buffer has a lock of its own
    public void mark(int limit) {
        buffered.mark(limit);
    }

    @Override
    @SuppressWarnings("UnsynchronizedOverridesSynchronized")
    public void reset() throws IOException {
        buffered.reset();
    }

    /** Closes the descriptor, which ends a read of another thread. Buffered input is lost. */
    @Override
    public void close() {
        transfer.close();
        try {
            buffered.close(); // waits for no reader
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return transfer.toString();
    }
}
