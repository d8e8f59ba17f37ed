package io.holdfast.core.process;

import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.SysStat;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A namespace that is held open (namespaces(7)). Two are equal if they are the same namespace. Safe
 * for use by any thread; the owner closes it.
 */
public final class Namespace implements AutoCloseable {
    /** The kinds of namespaces. */
    public enum Kind {
        CGROUP(1),
        IPC(2),
        MNT(3),
        NET(4),
        PID(5),
        PID_FOR_CHILDREN(6),
        TIME(7),
        TIME_FOR_CHILDREN(8),
        USER(9),
        UTS(10);

        private final int ioctl; // its number on a pidfd, linux/pidfd.h

        Kind(int ioctl) {
            this.ioctl = ioctl;
        }

        int ioctl() {
            return ioctl;
        }

        /** Its name under {@code /proc/PID/ns}. */
        String fileName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final Kind kind;
    private final Fd fd;
    private final SysStat.Stat stat;

    Namespace(Kind kind, Fd fd) {
        this.kind = kind;
        this.fd = fd;
        this.stat = SysStat.stat(fd);
    }

    public Kind kind() {
        return kind;
    }

    /** The inode number, as {@code lsns(8)} shows it. */
    public long inode() {
        return stat.inode();
    }

    /** The descriptor, lent. */
    public Fd fd() {
        return fd;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Namespace namespace
                && stat.device() == namespace.stat.device()
                && stat.inode() == namespace.stat.inode();
    }

    @Override
    public int hashCode() {
        return Long.hashCode(stat.inode());
    }

    @Override
    public String toString() {
        return kind.fileName() + ":[" + stat.inode() + "]";
    }

    @Override
    public void close() {
        fd.close();
    }
}
