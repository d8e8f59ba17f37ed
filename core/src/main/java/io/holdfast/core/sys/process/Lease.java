package io.holdfast.core.sys.process;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Libc;

/**
 * A file that nobody can open as long as it is held: who tries waits in {@code open(2)}, until this
 * lets go, the process that holds it has ended, or the kernel's patience is over (the sysctl
 * fs.lease-break-time: 45 seconds by default, 0 for ever). Then the open succeeds. It is a write
 * lease ({@code fcntl(2)}, F_SETLEASE) on a file in memory ({@code memfd_create(2)}), which has no
 * name: only whoever has {@link #file} can try.
 *
 * <p>The holder is not signalled, as leases otherwise do. Safe for use by any thread.
 */
public final class Lease implements AutoCloseable {
    // linux/fcntl.h
    private static final int F_SETOWN = 8;
    private static final int F_SETLEASE = 1024;
    private static final int F_WRLCK = 1;
    private static final int F_UNLCK = 2;

    private static final Libc.Function FCNTL = Libc.bind("fcntl");

    private final Fd file;
    private final Fd held;

    private Lease(Fd file, Fd held) {
        this.file = file;
        this.held = held;
    }

    /**
     * Holds a new file.
     *
     * @throws ErrnoException EMFILE; EINVAL and others where leases are switched off
     *     (fs.leases-enable)
     */
    public static Lease take() {
        try (Fd made = SysMemfd.make("lease")) { // open for writing, which no lease goes with
            String path = made.with(number -> "/proc/self/fd/" + number);
            Fd file = Fcntl.open(path, Fcntl.O_PATH);
            try {
                return new Lease(file, Fcntl.open(path, Fcntl.O_RDONLY)).lock(made);
            } catch (RuntimeException e) {
                file.close();
                throw e;
            }
        }
    }

    private Lease lock(Fd writable) {
        writable.close();
        int r = fcntl(F_SETLEASE, F_WRLCK);
        if (r == 0) {
            r = fcntl(F_SETOWN, 0); // signals no process when another one waits
        }
        if (r < 0) {
            close();
            throw new ErrnoException("fcntl(F_SETLEASE)", "a file in memory", -r);
        }
        return this;
    }

    private int fcntl(int command, long argument) {
        int number = held.acquire();
        try {
            return Libc.intCall(FCNTL, number, command, argument, 0, 0, 0);
        } finally {
            held.release();
        }
    }

    /** The file, lent, as a place ({@code O_PATH}): to be opened through {@code /proc/self/fd}. */
    public Fd file() {
        return file;
    }

    /** Ends the lease, so that every process can open the file. Idempotent, needs no descriptor. */
    public void release() {
        int ignored = fcntl(F_SETLEASE, F_UNLCK);
    }

    /** Ends the lease, and closes the file. Idempotent. */
    @Override
    public void close() {
        if (held.isOpen()) {
            release(); // a process that is about to execute may have a copy of the descriptor
        }
        held.close();
        file.close();
    }
}
