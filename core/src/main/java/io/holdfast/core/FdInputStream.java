package io.holdfast.core;

import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ref.Reference;
import java.util.Objects;

/**
 * Reads a pipe, socket or terminal that it owns. A read parks the calling thread, virtual or
 * platform, until there is something; another thread's {@link #close} ends it. Errors are
 * IOExceptions that name the errno.
 */
public final class FdInputStream extends InputStream {
    private final Fd fd;

    /**
     * Takes over the descriptor and makes it non-blocking.
     *
     * @param fd the descriptor; owned from now on
     * @throws ErrnoException if the kind of file cannot be
     */
    public FdInputStream(Fd fd) {
        this.fd = fd;
        Fcntl.setBlocking(fd, false);
    }

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
                int n = Unistd.read(fd, into, offset, length);
                if (n == -Errno.EAGAIN) {
                    int ignored = Readiness.await(fd, Readiness.IN);
                } else if (n == -Errno.EIO) {
                    return -1; // a terminal whose other side is gone
                } else if (n < 0) {
                    throw new IOException(new ErrnoException("read", fd.toString(), -n));
                } else {
                    return n == 0 ? -1 : n;
                }
            }
        } catch (InterruptedException e) {
            throw FdOutputStream.interrupted(0);
        } catch (ClosedException e) {
            throw new IOException(e.getMessage(), e);
        } finally {
            Reference.reachabilityFence(this); // garbage closes its descriptor
        }
    }

    @Override
    public void close() {
        fd.close();
    }
}
