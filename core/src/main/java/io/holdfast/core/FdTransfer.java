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
 * Reads and writes an open file without waiting in the kernel, and without a change of the open
 * file description, which other processes may share: O_NONBLOCK on a shared terminal outlives the
 * program that has set it, and whoever else reads there gets EAGAIN.
 *
 * <p>Sockets take a flag with each call (MSG_DONTWAIT), so do pipes (RWF_NOWAIT, Linux 6.4). Named
 * pipes, terminals, and pipes on older kernels do not: of those a description of our own is opened,
 * through {@code /proc/self/fd}. Where that is refused, readiness is asked before each call.
 *
 * <p>One thread reads or writes at a time. {@link #close} and {@link #fd} are for any thread.
 */
final class FdTransfer {
    private enum Way {
        /** A flag with each call, which the file may not know. */
        FLAGGED,
        /** The flag of sockets. */
        SOCKET,
        /** A plain call: it does not wait for others. */
        PLAIN,
        /** A plain call once the descriptor is ready. */
        POLLED
    }

    /** What a pipe that is ready for writing takes without waiting (PIPE_BUF). */
    private static final int TAKEN_WHEN_READY = 4096;

    private static final int S_IFBLK = 0x6000;

    private final Object owner;
    private final SysStat.Stat stat;
    private volatile Fd fd;
    private Way way;

    /**
     * @param fd taken over; closed when the owner becomes garbage
     */
    FdTransfer(Object owner, Fd fd) {
        this.owner = owner;
        this.fd = fd;
        this.stat = SysStat.cachedStat(fd);
        boolean waitsForNobody = stat.isRegular() || stat.isDirectory() || stat.type() == S_IFBLK;
        this.way = stat.isSocket() ? Way.SOCKET : waitsForNobody ? Way.PLAIN : Way.FLAGGED;
        LeakDetector.closeWith(owner, fd);
    }

    /** The descriptor, lent, for one wait. */
    Fd fd() {
        return fd;
    }

    /** Bytes read, 0 at the end, -EAGAIN if there is nothing yet, or another -errno. */
    int read(byte[] into, int offset, int length) {
        int n = readOnce(into, offset, length);
        if (way == Way.FLAGGED && isRefusal(n)) {
            way = otherWay(Fcntl.O_RDONLY);
            n = readOnce(into, offset, length);
        }
        return n;
    }

    private int readOnce(byte[] into, int offset, int length) {
        return switch (way) {
            case FLAGGED -> SysUio.readNow(fd, into, offset, length);
            case SOCKET -> SysSocket.recv(fd, into, offset, length, 0);
            case PLAIN -> Unistd.read(fd, into, offset, length);
            case POLLED ->
                    isReady(Readiness.IN) ? Unistd.read(fd, into, offset, length) : -Errno.EAGAIN;
        };
    }

    /** Bytes written, -EAGAIN if there is no room yet, or another -errno. */
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
            case SOCKET -> SysSocket.send(fd, from, offset, length);
            case PLAIN -> Unistd.write(fd, from, offset, length);
            case POLLED ->
                    isReady(Readiness.OUT)
                            ? Unistd.write(fd, from, offset, Math.min(length, TAKEN_WHEN_READY))
                            : -Errno.EAGAIN;
        };
    }

    private static boolean isRefusal(int result) {
        return result == -Errno.EOPNOTSUPP || result == -Errno.ENOSYS;
    }

    private boolean isReady(int events) {
        return SysPoll.now(fd, events) != 0; // an error is the next call's to tell
    }

    private Way otherWay(int access) {
        if (!stat.isPipe() && !isTerminal()) {
            return Way.POLLED;
        }
        int flags = access | Fcntl.O_NONBLOCK | Fcntl.O_NOCTTY;
        Fd own;
        try {
            own = fd.with(number -> Fcntl.open("/proc/self/fd/" + number, flags));
        } catch (ErrnoException e) {
            return Way.POLLED; // another user's, without reader, or no /proc
        }
        replace(own);
        return Way.PLAIN;
    }

    private boolean isTerminal() {
        if (SysIoctl.number(fd) >= 0) {
            return false; // a master: opened anew, it is another pseudo-terminal
        }
        try {
            Termios _ = Termios.of(fd);
            return true;
        } catch (ErrnoException e) {
            return false;
        }
    }

    private synchronized void replace(Fd own) {
        Fd shared = fd;
        if (!shared.isOpen()) { // closed meanwhile: the next call says so
            own.close();
            return;
        }
        LeakDetector.closeWith(owner, own);
        fd = own;
        shared.close();
    }

    /** How many bytes can be read at once, or 0 where that is not told. */
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
