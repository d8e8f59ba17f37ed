package io.holdfast.core.sys;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.sys.process.ThreadAttributes;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** {@code sys/stat.h}, {@code sys/vfs.h}, and the names and file handles of {@code fcntl.h}. */
public final class SysStat {
    /** File system magic of pidfs ({@code linux/magic.h}). */
    public static final long PID_FS_MAGIC = 0x50494446;

    /** File system magic of cgroup2 ({@code linux/magic.h}). */
    public static final long CGROUP2_SUPER_MAGIC = 0x63677270;

    /** The handle type of kernfs and pidfs, whose eight bytes are the inode number. */
    static final int FILEID_INO64 = 0xFE;

    /** The type of a FIFO or pipe ({@link FileStatus#type}). */
    public static final int S_IFIFO = 0x1000;

    /** The type of a regular file ({@link FileStatus#type}). */
    public static final int S_IFREG = 0x8000;

    private static final int S_IFMT = 0xF000;

    static final int AT_EMPTY_PATH = 0x1000;
    private static final int PATH_MAX = 4096; // with the NUL
    private static final int AT_SYMLINK_NOFOLLOW = 0x100;
    private static final int AT_STATX_DONT_SYNC = 0x4000;
    private static final int AT_REMOVEDIR = 0x200;
    private static final int RENAME_NOREPLACE = 1;

    // struct statx
    private static final int STATX_SIZE = 256;
    private static final int STATX_BASIC_STATS = 0x7FF;
    private static final int STX_NLINK = 16;
    private static final int STX_UID = 20;
    private static final int STX_GID = 24;
    private static final int STX_MODE = 28;
    private static final int STX_INO = 32;
    private static final int STX_SIZE = 40;
    private static final int STX_RDEV_MAJOR = 128;
    private static final int STX_RDEV_MINOR = 132;
    private static final int STX_DEV_MAJOR = 136;
    private static final int STX_DEV_MINOR = 140;

    // struct statfs
    private static final int F_FLAGS = 80;
    private static final int ST_RDONLY = 1;

    // struct file_handle
    private static final int HANDLE_BYTES = 0;
    private static final int HANDLE_TYPE = 4;
    private static final int F_HANDLE = 8;
    private static final int INO64_BYTES = 8;

    private static final int NO_MOUNT_ID = 64; // behind the handle: receives the unused mount id

    private static final Libc.Function STATX = Libc.bind("statx");

    private static final Libc.Function FSTATFS = Libc.bind("fstatfs");

    private static final Libc.Function NAME_TO_HANDLE_AT = Libc.bind("name_to_handle_at");
    private static final Libc.Function OPEN_BY_HANDLE_AT = Libc.bind("open_by_handle_at");
    private static final Libc.Function MKDIRAT = Libc.bind("mkdirat");
    private static final Libc.Function UNLINKAT = Libc.bind("unlinkat");
    private static final Libc.Function RENAMEAT2 = Libc.bind("renameat2");
    private static final Libc.Function MKFIFOAT = Libc.bind("mkfifoat");
    private static final Libc.Function SYSCALL = Libc.bind("syscall"); // glibc 2.31 has no mknodat
    private static final long MKNODAT_NUMBER = Machine.ARM ? 33 : 259;
    private static final Libc.Function FCHMODAT = Libc.bind("fchmodat");
    private static final Libc.Function FCHMOD = Libc.bind("fchmod");
    private static final Libc.Function FCHOWN = Libc.bind("fchown");
    private static final Libc.Function UMASK = Libc.bind("umask");
    private static final Libc.Function FCHOWNAT = Libc.bind("fchownat");
    private static final Libc.Function SYMLINKAT = Libc.bind("symlinkat");

    private SysStat() {}

    /** Returns why a mode is refused; a number that was meant as octal is recognized. */
    public static String notPermissions(int mode) {
        String decimal = Integer.toString(mode);
        return "not a mode: 0%o%s"
                .formatted(
                        mode,
                        decimal.matches("[0-7]{3,4}")
                                ? " (" + decimal + " in decimal; write 0" + decimal + ")"
                                : "");
    }

    /**
     * {@code statx(2)} of an open file.
     *
     * @throws ErrnoException with the error of the call
     */
    public static FileStatus stat(Fd fd) {
        return stat(fd, 0);
    }

    /**
     * {@code statx(2)} of an open file from the kernel's cache ({@code AT_STATX_DONT_SYNC}): never
     * waits for another process or machine, such as the server of a FUSE file. The type is right;
     * owner and mode may be out of date.
     *
     * @throws ErrnoException with the error of the call
     */
    public static FileStatus cachedStat(Fd fd) {
        return stat(fd, AT_STATX_DONT_SYNC);
    }

    private static FileStatus stat(Fd fd, int flags) {
        Scratch scratch = Scratch.take();
        try {
            int r = statx(fd, scratch, flags);
            ErrnoException.check(r, "statx", fd);
            return parse(scratch.bytes);
        } finally {
            scratch.release();
        }
    }

    /**
     * {@code statx(2)} of the file that a path means now, or of a symbolic link itself. Needs no
     * descriptor, but the path may mean another file right afterwards.
     *
     * @throws ErrnoException with the error of the call
     */
    public static FileStatus stat(String path) {
        return stat(null, path);
    }

    /**
     * {@code statx(2)} of a path relative to a directory, or of a symbolic link itself.
     *
     * @param directory where a relative path starts, or null for the working directory
     * @throws ErrnoException with the error of the call
     */
    public static FileStatus stat(@Nullable Fd directory, String path) {
        Scratch scratch = Scratch.take();
        int at = directory == null ? Fcntl.AT_FDCWD : directory.acquire();
        try {
            int r = statx(scratch, at, path, AT_SYMLINK_NOFOLLOW);
            ErrnoException.check(r, "statx", path);
            return parse(scratch.bytes);
        } finally {
            if (directory != null) {
                directory.release();
            }
            scratch.release();
        }
    }

    /**
     * {@code statx(2)} of the file that a path leads to, through symbolic links: its type, as in
     * {@link FileStatus#type}, or -errno.
     */
    public static int type(String path) {
        if (CString.bytes(path).length > PATH_MAX) {
            return -Errno.ENAMETOOLONG;
        }
        Scratch scratch = Scratch.take();
        try {
            int r = statx(scratch, Fcntl.AT_FDCWD, path, 0);
            return r < 0 ? r : scratch.bytes.getShort(STX_MODE) & S_IFMT;
        } finally {
            scratch.release();
        }
    }

    private static FileStatus parse(ByteBuffer stat) {
        return new FileStatus(
                device(stat, STX_DEV_MAJOR, STX_DEV_MINOR),
                stat.getLong(STX_INO),
                stat.getShort(STX_MODE) & 0xFFFF,
                Integer.toUnsignedLong(stat.getInt(STX_UID)),
                Integer.toUnsignedLong(stat.getInt(STX_GID)),
                Integer.toUnsignedLong(stat.getInt(STX_NLINK)),
                stat.getLong(STX_SIZE),
                device(stat, STX_RDEV_MAJOR, STX_RDEV_MINOR));
    }

    private static long device(ByteBuffer stat, int major, int minor) {
        return (long) stat.getInt(major) << 32 | Integer.toUnsignedLong(stat.getInt(minor));
    }

    /**
     * Returns only the inode number of an open file.
     *
     * @throws ErrnoException with the error of {@code statx(2)}
     */
    public static long inode(Fd fd) {
        Scratch scratch = Scratch.take();
        try {
            ErrnoException.check(statx(fd, scratch, 0), "statx", fd);
            return scratch.bytes.getLong(STX_INO);
        } finally {
            scratch.release();
        }
    }

    private static int statx(Fd fd, Scratch scratch, int flags) {
        int number = fd.acquire();
        try {
            return statx(scratch, number, "", AT_EMPTY_PATH | flags);
        } finally {
            fd.release();
        }
    }

    private static int statx(Scratch scratch, int at, String path, int flags) {
        int _ = CString.put(scratch.bytes, STATX_SIZE, path);
        return Libc.intCall(
                STATX,
                scratch.errno,
                at,
                scratch.address + STATX_SIZE,
                flags,
                STATX_BASIC_STATS,
                scratch.address,
                0);
    }

    /** {@code fstatfs(2)}: the magic number of the file system, or -errno. */
    public static long fileSystem(Fd fd) {
        Scratch scratch = Scratch.take();
        int number = fd.acquire();
        try {
            int r = Libc.intCall(FSTATFS, scratch.errno, number, scratch.address, 0, 0, 0, 0);
            return r < 0 ? r : scratch.bytes.getLong(0);
        } finally {
            fd.release();
            scratch.release();
        }
    }

    /**
     * Returns whether the mount of an open file is read-only, even if its file system is writable
     * elsewhere.
     *
     * @throws ErrnoException with the error of {@code fstatfs(2)}
     */
    public static boolean isReadOnly(Fd fd) {
        Scratch scratch = Scratch.take();
        int number = fd.acquire();
        try {
            ErrnoException.check(
                    Libc.intCall(FSTATFS, scratch.errno, number, scratch.address, 0, 0, 0, 0),
                    "fstatfs",
                    fd);
            return (scratch.bytes.getLong(F_FLAGS) & ST_RDONLY) != 0;
        } finally {
            fd.release();
            scratch.release();
        }
    }

    /**
     * Checks whether {@code name_to_handle_at(2)} returns a 64-bit inode handle for the open file.
     * 0 if so, or -errno.
     */
    public static int hasInodeHandle(Fd fd) {
        Scratch scratch = Scratch.take();
        int number = fd.acquire();
        try {
            ByteBuffer memory = scratch.bytes;
            memory.putInt(HANDLE_BYTES, INO64_BYTES);
            memory.put(NO_MOUNT_ID + 8, (byte) 0);
            int r =
                    Libc.intCall(
                            NAME_TO_HANDLE_AT,
                            scratch.errno,
                            number,
                            scratch.address + NO_MOUNT_ID + 8,
                            scratch.address,
                            scratch.address + NO_MOUNT_ID,
                            AT_EMPTY_PATH,
                            0);
            if (r < 0) {
                return r;
            }
            return memory.getInt(HANDLE_TYPE) == FILEID_INO64 ? 0 : -Errno.EOPNOTSUPP;
        } finally {
            fd.release();
            scratch.release();
        }
    }

    /**
     * {@code open_by_handle_at(2)} with a 64-bit inode handle, close-on-exec. Returns a number that
     * the caller must adopt, or -errno.
     *
     * @param mount any descriptor on that file system
     */
    public static int openByInode(Fd mount, long inode, int flags) {
        Scratch scratch = Scratch.take();
        int number = mount.acquire();
        try {
            ByteBuffer memory = scratch.bytes;
            memory.putInt(HANDLE_BYTES, INO64_BYTES);
            memory.putInt(HANDLE_TYPE, FILEID_INO64);
            memory.putLong(F_HANDLE, inode);
            return Libc.intCall(
                    OPEN_BY_HANDLE_AT,
                    scratch.errno,
                    number,
                    scratch.address,
                    flags | Fcntl.O_CLOEXEC,
                    0,
                    0,
                    0);
        } finally {
            mount.release();
            scratch.release();
        }
    }

    /** {@code mkdirat(2)}: 0, or -errno. */
    public static int mkdirat(Fd directory, String name, int mode) {
        return named(MKDIRAT, directory, name, mode, 0, 0);
    }

    /** {@code unlinkat(2)} of a directory: 0, or -errno. */
    public static int rmdirat(Fd directory, String name) {
        return named(UNLINKAT, directory, name, AT_REMOVEDIR, 0, 0);
    }

    /** {@code unlinkat(2)} of a file: 0, or -errno. */
    public static int unlinkat(Fd directory, String name) {
        return named(UNLINKAT, directory, name, 0, 0, 0);
    }

    /**
     * {@code renameat2(2)} in a directory with RENAME_NOREPLACE: 0, or -errno: EEXIST if the new
     * name exists, EINVAL if the file system does not support the flag.
     */
    public static int renameNoReplace(Fd directory, String from, String to) {
        return rename(directory, from, directory, to, RENAME_NOREPLACE);
    }

    /** The same from one directory to another; EXDEV if they are on different file systems. */
    public static int renameNoReplace(Fd source, String from, Fd destination, String to) {
        return rename(source, from, destination, to, RENAME_NOREPLACE);
    }

    /** {@code renameat(2)} in a directory; replaces a file of the new name. 0, or -errno. */
    public static int renameat(Fd directory, String from, String to) {
        return rename(directory, from, directory, to, 0);
    }

    private static int rename(Fd source, String from, Fd destination, String to, int flags) {
        Scratch scratch = Scratch.take();
        int number = source.acquire();
        try {
            int middle = CString.put(scratch.bytes, 0, from);
            int _ = CString.put(scratch.bytes, middle, to);
            return destination.with(other ->
                    Libc.intCall(
                            RENAMEAT2,
                            scratch.errno,
                            number,
                            scratch.address,
                            other,
                            scratch.address + middle,
                            flags,
                            0));
        } finally {
            source.release();
            scratch.release();
        }
    }

    /** {@code mkfifoat(3)}: 0, or -errno. */
    public static int mkfifoat(Fd directory, String name, int mode) {
        return named(MKFIFOAT, directory, name, mode, 0, 0);
    }

    /**
     * {@code mknodat(2)} without device numbers: 0, or -errno.
     *
     * @param mode the type of the file ({@link FileStatus#type}), and its permissions
     */
    public static int mknodat(Fd directory, String name, int mode) {
        Scratch scratch = Scratch.take();
        int number = directory.acquire();
        try {
            int _ = CString.put(scratch.bytes, 0, name);
            return Libc.intCall(
                    SYSCALL, scratch.errno, MKNODAT_NUMBER, number, scratch.address, mode, 0, 0);
        } finally {
            directory.release();
            scratch.release();
        }
    }

    /** {@code fchmodat(2)}: 0, or -errno. */
    public static int fchmodat(Fd directory, String name, int mode) {
        return named(FCHMODAT, directory, name, mode, 0, 0);
    }

    /** {@code fchmod(2)}: 0, or -errno. */
    public static int fchmod(Fd fd, int mode) {
        return plain(FCHMOD, fd, mode, 0);
    }

    /** {@code fchown(2)}: 0, or -errno. -1 leaves the uid or gid as it is. */
    public static int fchown(Fd fd, long uid, long gid) {
        return plain(FCHOWN, fd, uid, gid);
    }

    /**
     * {@code umask(2)}: sets the mask of this process, that is of all threads without their own
     * ({@link ThreadAttributes#umask}).
     *
     * @return the previous mask
     */
    public static int umask(int mask) {
        return Libc.intCall(UMASK, mask, 0, 0, 0, 0, 0);
    }

    /**
     * Changes the permission bits of the file that a descriptor holds, through {@code /proc}. Works
     * also with O_PATH, which {@code fchmod(2)} refuses. 0, or -errno.
     */
    public static int chmod(Fd fd, int mode) {
        return fchmodat(fd, fd.with(number -> "/proc/self/fd/" + number), mode);
    }

    /**
     * {@code fchownat(2)} with AT_EMPTY_PATH: changes the owner of the file that a descriptor
     * holds. Works also with O_PATH. 0, or -errno. -1 leaves the uid or gid as it is.
     */
    public static int chown(Fd fd, long uid, long gid) {
        return named(FCHOWNAT, fd, "", uid, gid, AT_EMPTY_PATH);
    }

    /** {@code symlinkat(2)}: 0, or -errno. */
    public static int symlinkat(String target, Fd directory, String name) {
        Scratch scratch = Scratch.take();
        int number = directory.acquire();
        try {
            int middle = CString.put(scratch.bytes, 0, target);
            int _ = CString.put(scratch.bytes, middle, name);
            return Libc.intCall(
                    SYMLINKAT,
                    scratch.errno,
                    scratch.address,
                    number,
                    scratch.address + middle,
                    0,
                    0,
                    0);
        } finally {
            directory.release();
            scratch.release();
        }
    }

    private static int plain(Libc.Function function, Fd fd, long a, long b) {
        int number = fd.acquire();
        try {
            return Libc.intCall(function, number, a, b, 0, 0, 0);
        } finally {
            fd.release();
        }
    }

    private static int named(
            Libc.Function function, @Nullable Fd directory, String name, long c, long d, long e) {
        Scratch scratch = Scratch.take();
        int number = directory == null ? Fcntl.AT_FDCWD : directory.acquire();
        try {
            int _ = CString.put(scratch.bytes, 0, name);
            return Libc.intCall(function, scratch.errno, number, scratch.address, c, d, e, 0);
        } finally {
            if (directory != null) {
                directory.release();
            }
            scratch.release();
        }
    }
}
