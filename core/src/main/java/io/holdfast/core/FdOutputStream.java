package io.holdfast.core;

import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.lang.ref.Reference;
import java.util.Objects;

/**
 * Writes a pipe, socket or terminal that it owns. A write parks the calling thread, virtual or
 * platform, until all is taken; another thread's {@link #close} ends it. Errors are IOExceptions
 * that name the errno.
 */
public final class FdOutputStream extends OutputStream {
    private final Fd fd;

    /**
     * Takes over the descriptor and makes it non-blocking.
     *
     * @param fd the descriptor; owned from now on
     * @throws ErrnoException if the kind of file cannot be
     */
    public FdOutputStream(Fd fd) {
        this.fd = fd;
        Fcntl.setBlocking(fd, false);
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] from, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, from.length);
        int written = 0;
        try {
            while (written < length) {
                int n = Unistd.write(fd, from, offset + written, length - written);
                if (n == -Errno.EAGAIN) {
                    int ignored = Readiness.await(fd, Readiness.OUT);
                } else if (n < 0) {
                    throw new IOException(new ErrnoException("write", fd.toString(), -n));
                } else {
                    written += n;
                }
            }
        } catch (InterruptedException e) {
            throw interrupted(written);
        } catch (ClosedException e) {
            throw new IOException(e.getMessage(), e);
        } finally {
            Reference.reachabilityFence(this); // garbage closes its descriptor
        }
    }

    static InterruptedIOException interrupted(int transferred) {
        Thread.currentThread().interrupt();
        InterruptedIOException e = new InterruptedIOException();
        e.bytesTransferred = transferred;
        return e;
    }

    @Override
    public void close() {
        fd.close();
    }
}
