package io.holdfast.core;

import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.LeakDetector;
import io.holdfast.core.sys.SysIoctl;
import io.holdfast.core.sys.SysPoll;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.SysUio;
import io.holdfast.core.sys.Termios;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.socket.SysSocket;

/**
 * Reads and writes an open file without waiting in the kernel, and without changing the open file
 * description, which other processes may share: O_NONBLOCK on a shared terminal outlives the
 * program that set it, and other programs that read the terminal get EAGAIN.
 *
 * <p>Sockets take a flag with each call (MSG_DONTWAIT), and so do pipes (RWF_NOWAIT, Linux 6.4).
 * Named pipes, terminals, and pipes on older kernels do not: this class opens its own description
 * of them, through {@code /proc/self/fd}. Where that is refused, it polls before each call. The
 * limit of that: a terminal with output processing (OPOST) needs room for two bytes to write a
 * newline and for up to eight to write a tab, and in blocking mode write(2) waits for them.
 *
 * <p>One thread reads or writes at a time. {@link #close} and {@link #fd} are for any thread.
 */
final class FdTransfer {
    private enum Way {
        /** RWF_NOWAIT with each call, which the kind of file may not support. */
        FLAGGED,
        /** MSG_DONTWAIT with each call. */
        SOCKET,
        /** A plain call, which never waits for another process. */
        PLAIN,
        /** A plain call once ppoll(2) reports that the descriptor is ready. */
        POLLED
    }

    /** Bytes that a pipe takes without waiting once it is ready for writing. */
    private static final int PIPE_BUF = 4096;

    private static final int COPIED_AT_ONCE = 64 << 10;
    private static final int S_IFBLK = 0x6000;

    private final Object owner;
    private final FileStatus stat;
    private final boolean keepsMessages;
    private volatile Fd fd;
    private Way way;
    private boolean terminal; // known once the way is not FLAGGED any more

    /**
     * @param owner the stream or channel; when it becomes garbage the descriptor is closed
     * @param fd the descriptor; taken over
     */
    FdTransfer(Object owner, Fd fd) {
        this.owner = owner;
        this.fd = fd;
        this.stat = SysStat.cachedStat(fd);
        boolean neverBlocks = stat.isRegular() || stat.isDirectory() || stat.type() == S_IFBLK;
        this.way = stat.isSocket() ? Way.SOCKET : neverBlocks ? Way.PLAIN : Way.FLAGGED;
        this.keepsMessages =
                stat.isSocket() && SysSocket.option(fd, SysSocket.SO_TYPE) != SysSocket.SOCK_STREAM;
        LeakDetector.closeWith(owner, fd);
    }

    /** Returns the descriptor, lent for one wait: it may be replaced. */
    Fd fd() {
        return fd;
    }

    /** Returns bytes read, 0 at the end, -EAGAIN if there is nothing yet, or another -errno. */
    int read(byte[] into, int offset, int length) {
        int n = readOnce(into, offset, length);
        if (way == Way.FLAGGED && isRefusal(n)) {
            way = otherWay(Fcntl.O_RDONLY);
            n = readOnce(into, offset, length);
        }
        return n == -Errno.EIO && isMaster() ? 0 : n; // no process has the slave side open
    }

    private int readOnce(byte[] into, int offset, int length) {
        return switch (way) {
            case FLAGGED -> SysUio.readNow(fd, into, offset, length);
            case SOCKET -> receive(into, offset, length);
            case PLAIN -> Unistd.read(fd, into, offset, length);
            case POLLED ->
                    isReady(Readiness.IN) ? Unistd.read(fd, into, offset, length) : -Errno.EAGAIN;
        };
    }

    private int receive(byte[] into, int offset, int length) {
        int room = readAtOnce(length);
        return room < 0 ? room : SysSocket.recv(fd, into, offset, room, 0);
    }

    /** Returns bytes written, -EAGAIN if there is no room yet, or another -errno. */
    int write(byte[] from, int offset, int length) {
        int n = writeOnce(from, offset, length);
        if (way == Way.FLAGGED && isRefusal(n)) {
            way = otherWay(Fcntl.O_WRONLY);
            n = writeOnce(from, offset, length);
        }
        return n;
    }

    private int writeOnce(byte[] from, int offset, int length) {
        return switch (way) {
            case FLAGGED -> SysUio.writeNow(fd, from, offset, length);
            case SOCKET -> SysSocket.send(fd, from, offset, writtenAtOnce(length));
            case PLAIN -> Unistd.write(fd, from, offset, length);
            case POLLED ->
                    isReady(Readiness.OUT)
                            ? Unistd.write(fd, from, offset, Math.min(length, takenWhenReady()))
                            : -Errno.EAGAIN;
        };
    }

    /**
     * Returns how many bytes the next read can use, or -errno: a message cannot be split, but its
     * size decides how much memory its copy takes, not the size of the caller's buffer. Another
     * reader of the same socket may take that message first, hence no less than the usual size.
     */
    int readAtOnce(int length) {
        if (!keepsMessages || length <= COPIED_AT_ONCE) {
            return Math.min(length, COPIED_AT_ONCE);
        }
        int next = SysSocket.nextLength(fd);
        return next < 0 ? next : Math.min(length, Math.max(next, COPIED_AT_ONCE));
    }

    /** Returns how many bytes one write copies: a message cannot be split. */
    int writtenAtOnce(int length) {
        return keepsMessages ? length : Math.min(length, COPIED_AT_ONCE);
    }

    /**
     * Returns how many bytes the file takes without waiting once it is ready for writing. A
     * terminal in blocking mode has room for one; a write of more sleeps until the last byte has
     * room. That may happen to one byte, too, see the limit in the class comment.
     */
    private int takenWhenReady() {
        return terminal && (Fcntl.getfl(fd) & Fcntl.O_NONBLOCK) == 0 ? 1 : PIPE_BUF;
    }

    private static boolean isRefusal(int result) {
        return result == -Errno.EOPNOTSUPP || result == -Errno.ENOSYS;
    }

    private boolean isReady(int events) {
        return SysPoll.now(fd, events) != 0; // on an error the next call fails with it
    }

    private Way otherWay(int access) {
        terminal = isTerminal();
        if ((!stat.isPipe() && !terminal) || isMaster()) {
            return Way.POLLED; // opening a master side again makes another pseudo-terminal
        }
        int flags = access | Fcntl.O_NONBLOCK | Fcntl.O_NOCTTY;
        Fd own;
        try {
            own = fd.with(number -> Fcntl.open("/proc/self/fd/" + number, flags));
        } catch (ErrnoException e) {
            return Way.POLLED; // EACCES, a pipe without reader, or no /proc
        }
        replace(own);
        return Way.PLAIN;
    }

    /** Whether this is the master side of a pseudo-terminal. */
    private boolean isMaster() {
        return SysIoctl.number(fd) >= 0;
    }

    private boolean isTerminal() {
        try {
            Termios _ = Termios.of(fd);
            return true;
        } catch (ErrnoException e) {
            return false;
        }
    }

    private synchronized void replace(Fd own) {
        Fd shared = fd;
        if (!shared.isOpen()) { // closed meanwhile: the next call throws ClosedException
            own.close();
            return;
        }
        LeakDetector.closeWith(owner, own);
        fd = own;
        shared.close();
    }

    /** Returns how many bytes can be read at once, or 0 if the kernel does not report it. */
    int available() {
        return Math.max(0, SysIoctl.readable(fd));
    }

    synchronized void close() {
        fd.close();
    }

    @Override
    public String toString() {
        return fd.toString();
    }
}
