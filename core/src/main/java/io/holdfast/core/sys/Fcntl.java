package io.holdfast.core.sys;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import org.jspecify.annotations.Nullable;

/** {@code fcntl.h}: opening, duplicating, locking and splicing files. */
public final class Fcntl {
    public static final int O_RDONLY = 0;
    public static final int O_WRONLY = 1;
    public static final int O_RDWR = 2;
    public static final int O_CREAT = 0x40;
    public static final int O_EXCL = 0x80;
    public static final int O_NOCTTY = 0x100;
    public static final int O_TRUNC = 0x200;
    public static final int O_APPEND = 0x400;
    public static final int O_NONBLOCK = 0x800;
    public static final int O_CLOEXEC = 0x80000;
    public static final int O_PATH = 0x200000;
    public static final int O_DIRECTORY = Machine.ARM ? 0x4000 : 0x10000;
    public static final int O_NOFOLLOW = Machine.ARM ? 0x8000 : 0x20000;

    public static final int AT_FDCWD = -100;
    public static final int FD_CLOEXEC = 1;
    private static final int F_GETFD = 1;
    private static final int F_SETFD = 2;
    private static final int F_SETPIPE_SZ = 1031;
    private static final int F_GETFL = 3;
    private static final int F_SETFL = 4;
    private static final int F_DUPFD_CLOEXEC = 1030;
    private static final int F_OFD_SETLK = 37;
    private static final int F_ADD_SEALS = 1033;
    private static final int ALL_SEALS = 0xf; // F_SEAL_SEAL, _SHRINK, _GROW, _WRITE
    private static final int F_GET_SEALS = 1034;
    private static final short F_WRLCK = 1;
    private static final int SPLICE_F_NONBLOCK = 2;

    private static final Libc.Function OPENAT = Libc.bind("openat");
    private static final Libc.Function FCNTL = Libc.bind("fcntl");

    private static final Libc.Function TEE = Libc.bind("tee");
    private static final Libc.Function FALLOCATE = Libc.bind("fallocate");

    private Fcntl() {}

    /**
     * {@code openat(2)}, always close-on-exec.
     *
     * @param directory where a relative path starts, or null for the working directory
     * @param mode permission bits for O_CREAT
     * @return a number that the caller must adopt at once, or -errno
     */
    public static int openat(@Nullable Fd directory, String path, int flags, int mode) {
        Scratch scratch = Scratch.take();
        int at = directory == null ? AT_FDCWD : directory.acquire();
        try {
            int _ = CString.put(scratch.bytes, 0, path);
            int r;
            do {
                r =
                        Libc.intCall(
                                OPENAT,
                                scratch.errno,
                                at,
                                scratch.address,
                                flags | O_CLOEXEC,
                                mode,
                                0,
                                0);
            } while (r == -Errno.EINTR);
            return r;
        } finally {
            if (directory != null) {
                directory.release();
            }
            scratch.release();
        }
    }

    /**
     * Opens a path, close-on-exec.
     *
     * @throws ErrnoException with the error of {@code open(2)}
     */
    public static Fd open(String path, int flags) {
        return Fd.adopt(openat(null, path, flags, 0), "open", path);
    }

    /**
     * Opens a path relative to a directory, close-on-exec.
     *
     * @param mode permission bits for O_CREAT, under the umask
     * @throws ErrnoException with the error of {@code openat(2)}
     */
    public static Fd open(@Nullable Fd directory, String path, int flags, int mode) {
        return Fd.adopt(openat(directory, path, flags, mode), "openat", path);
    }

    /**
     * Makes the content of a file in memory final ({@code F_ADD_SEALS}).
     *
     * @param file made by memfd_create(2), with permission to seal it
     * @return 0 or -errno
     */
    public static int seal(Fd file) {
        int number = file.acquire();
        try {
            return Libc.intCall(FCNTL, number, F_ADD_SEALS, ALL_SEALS, 0, 0, 0);
        } finally {
            file.release();
        }
    }

    /**
     * Returns the seals of a file in memory ({@code F_GET_SEALS}). Never asks the file system, so
     * it does not block.
     *
     * @return the seals; -EINVAL if the file is not in memory (shmem)
     */
    public static int seals(Fd file) {
        int number = file.acquire();
        try {
            return Libc.intCall(FCNTL, number, F_GET_SEALS, 0, 0, 0, 0);
        } finally {
            file.release();
        }
    }

    /**
     * {@code tee(2)} of at most one byte, without waiting: copies the next byte of a pipe into
     * another pipe and leaves it in the first.
     *
     * @return 1; 0 if the first pipe is empty and has no writer; -EAGAIN if it is empty and has a
     *     writer; or another -errno
     */
    public static int teeByte(Fd from, Fd to) {
        int source = from.acquire();
        try {
            int target = to.acquire();
            try {
                return Libc.intCall(TEE, source, target, 1, SPLICE_F_NONBLOCK, 0, 0);
            } finally {
                to.release();
            }
        } finally {
            from.release();
        }
    }

    /**
     * {@code fallocate(2)}: allocates the blocks of a part of a file, which grows if it ends before
     * the end of that part. 0, or -errno.
     */
    public static int allocate(Fd fd, long from, long length) {
        int number = fd.acquire();
        try {
            int r;
            do {
                r = Libc.intCall(FALLOCATE, number, 0, from, length, 0, 0);
            } while (r == -Errno.EINTR);
            return r;
        } finally {
            fd.release();
        }
    }

    /** {@code F_DUPFD_CLOEXEC} to the lowest free number, {@code from} or higher; or -errno. */
    public static int dupfd(Fd fd, int from) {
        int number = fd.acquire();
        try {
            return dupfd(number, from);
        } finally {
            fd.release();
        }
    }

    /** {@code F_DUPFD_CLOEXEC} of a number that has no owner. */
    public static int dupfd(int number, int from) {
        return Libc.intCall(FCNTL, number, F_DUPFD_CLOEXEC, from, 0, 0, 0);
    }

    /** {@code F_GETFD}: the flags of a number that has no owner yet, or -errno. */
    public static int descriptorFlags(int number) {
        return Libc.intCall(FCNTL, number, F_GETFD, 0, 0, 0, 0);
    }

    /** {@code F_SETFD} of a number that has no owner yet: 0, or -errno. */
    public static int setDescriptorFlags(int number, int flags) {
        return Libc.intCall(FCNTL, number, F_SETFD, flags, 0, 0, 0);
    }

    /** {@code F_GETFL}: access mode and status flags of the open file description, or -errno. */
    public static int getfl(Fd fd) {
        int number = fd.acquire();
        try {
            return Libc.intCall(FCNTL, number, F_GETFL, 0, 0, 0, 0);
        } finally {
            fd.release();
        }
    }

    /** {@code F_SETFL}: 0, or -errno. */
    public static int setfl(Fd fd, int flags) {
        int number = fd.acquire();
        try {
            return Libc.intCall(FCNTL, number, F_SETFL, flags, 0, 0, 0);
        } finally {
            fd.release();
        }
    }

    /** {@code F_SETPIPE_SZ}: the new size of a pipe's buffer, which may be larger, or -errno. */
    public static int setPipeSize(Fd pipe, int bytes) {
        int number = pipe.acquire();
        try {
            return Libc.intCall(FCNTL, number, F_SETPIPE_SZ, bytes, 0, 0, 0);
        } finally {
            pipe.release();
        }
    }

    /**
     * Sets whether calls on the open file description wait (no O_NONBLOCK), for all processes that
     * share it.
     *
     * @throws ErrnoException if this kind of file does not support the mode
     */
    public static void setBlocking(Fd fd, boolean blocking) {
        int flags = ErrnoException.check(getfl(fd), "fcntl(F_GETFL)", fd);
        int wanted = blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
        if (wanted != flags) {
            ErrnoException.check(setfl(fd, wanted), "fcntl(F_SETFL)", fd);
        }
    }

    /**
     * {@code F_OFD_SETLK}: locks the whole file for this open file description, until its last
     * descriptor is closed. 0, or -EAGAIN if another description, even of this process, has a lock.
     *
     * @param fd a descriptor that is open for writing
     */
    public static int tryLock(Fd fd) {
        Scratch scratch = Scratch.take();
        int number = fd.acquire();
        try {
            scratch.bytes.putShort(0, F_WRLCK); // struct flock
            scratch.bytes.putShort(2, (short) 0); // SEEK_SET
            scratch.bytes.putLong(8, 0);
            scratch.bytes.putLong(16, 0); // l_len: to the end of the file
            scratch.bytes.putInt(24, 0);
            return Libc.intCall(
                    FCNTL, scratch.errno, number, F_OFD_SETLK, scratch.address, 0, 0, 0);
        } finally {
            fd.release();
            scratch.release();
        }
    }
}
