package io.holdfast.core.sys;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** {@code unistd.h}: reads, writes, pipes, and the identity of this process. */
public final class Unistd {
    private static final Libc.Function CLOSE = Libc.bind("close");
    private static final Libc.Function READ = Libc.bind("read");
    private static final Libc.Function WRITE = Libc.bind("write");
    private static final Libc.Function EXIT = Libc.bind("_exit");

    private static final Libc.Function READLINKAT = Libc.bind("readlinkat");
    private static final Libc.Function ACCESS = Libc.bind("access");
    private static final Libc.Function GETPID = Libc.bind("getpid");

    private static final Libc.Function PREAD = Libc.bind("pread");
    private static final Libc.Function PWRITE = Libc.bind("pwrite");
    private static final Libc.Function PIPE2 = Libc.bind("pipe2");
    private static final Libc.Function GETEUID = Libc.bind("geteuid");
    private static final Libc.Function GETPPID = Libc.bind("getppid");
    private static final Libc.Function GETTID = Libc.bind("gettid");
    private static final Libc.Function DUP2 = Libc.bind("dup2");

    private static final int X_OK = 1;

    private Unistd() {}

    /** {@code access(2)} with X_OK: 0 if the real user may execute the file, or -errno. */
    public static int accessExecutable(String path) {
        Scratch scratch = Scratch.take();
        try {
            int _ = CString.put(scratch.bytes, 0, path);
            return Libc.intCall(ACCESS, scratch.errno, scratch.address, X_OK, 0, 0, 0, 0);
        } finally {
            scratch.release();
        }
    }

    /** {@code close(2)}, never retried: on Linux the number is free whatever it returns. */
    public static void close(int number) {
        int ignored = Libc.intCall(CLOSE, number, 0, 0, 0, 0, 0);
    }

    /** {@code read(2)}: bytes read, 0 at the end, or -errno. */
    public static long read(Fd fd, MemorySegment into) {
        Scratch scratch = Scratch.take();
        try {
            return transfer(READ, fd, scratch, into.address(), into.byteSize());
        } finally {
            scratch.release();
            Reference.reachabilityFence(into);
        }
    }

    private static long transfer(
            Libc.Function function, Fd fd, Scratch scratch, long address, long length) {
        int number = fd.acquire();
        try {
            long n;
            do {
                n = Libc.wordCall(function, scratch.errno, number, address, length, 0, 0, 0);
            } while (n == -Errno.EINTR);
            return n;
        } finally {
            fd.release();
        }
    }

    /**
     * {@code read(2)} into an array: bytes read, 0 at the end, or -errno. At most 8 KiB at once.
     */
    public static int read(Fd fd, byte[] into, int offset, int length) {
        Scratch scratch = Scratch.take();
        try {
            int room = Math.min(length, Scratch.SIZE);
            int n = (int) transfer(READ, fd, scratch, scratch.address, room);
            if (n > 0) {
                scratch.bytes.get(0, into, offset, n);
            }
            return n;
        } finally {
            scratch.release();
        }
    }

    /** {@code pread(2)} at offset 0 into an array, at most 8 KiB: bytes read, or -errno. */
    public static int readFromStart(Fd fd, byte[] into) {
        return pread(fd, into, 0, Math.min(into.length, Scratch.SIZE), 0);
    }

    /**
     * {@code pread(2)} into an array: bytes read, 0 at the end, or -errno. At most 64 KiB at once.
     *
     * @param at the offset in the file
     */
    public static int pread(Fd fd, byte[] into, int offset, int length, long at) {
        Objects.checkFromIndexSize(offset, length, into.length);
        Scratch scratch = Scratch.take();
        CopyBuffer copy = length > Scratch.SIZE ? CopyBuffer.take(CopyBuffer.SIZE) : null;
        try {
            int room = Math.min(length, CopyBuffer.SIZE);
            int n = transferAt(PREAD, fd, scratch, copy, room, at);
            if (n > 0) {
                (copy == null ? scratch.bytes : copy.bytes).get(0, into, offset, n);
            }
            return n;
        } finally {
            release(scratch, copy);
        }
    }

    /**
     * {@code pwrite(2)} from an array: bytes written, or -errno. At most 64 KiB at once.
     *
     * @param at the offset in the file
     */
    public static int pwrite(Fd fd, byte[] from, int offset, int length, long at) {
        Objects.checkFromIndexSize(offset, length, from.length);
        Scratch scratch = Scratch.take();
        CopyBuffer copy = length > Scratch.SIZE ? CopyBuffer.take(CopyBuffer.SIZE) : null;
        try {
            int room = Math.min(length, CopyBuffer.SIZE);
            (copy == null ? scratch.bytes : copy.bytes).put(0, from, offset, room);
            return transferAt(PWRITE, fd, scratch, copy, room, at);
        } finally {
            release(scratch, copy);
        }
    }

    private static int transferAt(
            Libc.Function function,
            Fd fd,
            Scratch scratch,
            @Nullable CopyBuffer copy,
            int length,
            long at) {
        long address = copy == null ? scratch.address : copy.memory.address();
        int number = fd.acquire();
        try {
            long n;
            do {
                n = Libc.wordCall(function, scratch.errno, number, address, length, at, 0, 0);
            } while (n == -Errno.EINTR);
            return (int) n;
        } finally {
            fd.release();
        }
    }

    private static void release(Scratch scratch, @Nullable CopyBuffer copy) {
        if (copy != null) {
            copy.release();
        }
        scratch.release();
    }

    /** {@code write(2)}: bytes written, or -errno. SIGPIPE never reaches a JVM. */
    public static long write(Fd fd, MemorySegment from) {
        Scratch scratch = Scratch.take();
        try {
            return transfer(WRITE, fd, scratch, from.address(), from.byteSize());
        } finally {
            scratch.release();
            Reference.reachabilityFence(from);
        }
    }

    /** {@code write(2)} from an array: bytes written, or -errno. At most 8 KiB at once. */
    public static int write(Fd fd, byte[] from, int offset, int length) {
        Scratch scratch = Scratch.take();
        try {
            int room = Math.min(length, Scratch.SIZE);
            scratch.bytes.put(0, from, offset, room);
            return (int) transfer(WRITE, fd, scratch, scratch.address, room);
        } finally {
            scratch.release();
        }
    }

    /**
     * {@code pipe2(2)}, close-on-exec.
     *
     * @param flags further flags, {@link Fcntl#O_NONBLOCK} or 0
     * @return the read end and the write end
     * @throws ErrnoException EMFILE, ENFILE
     */
    public static Fd[] pipe2(int flags) {
        Scratch scratch = Scratch.take();
        try {
            int r =
                    Libc.intCall(
                            PIPE2,
                            scratch.errno,
                            scratch.address,
                            Fcntl.O_CLOEXEC | flags,
                            0,
                            0,
                            0,
                            0);
            ErrnoException.check(r, "pipe2", "");
            return new Fd[] {Fd.adopt(scratch.bytes.getInt(0)), Fd.adopt(scratch.bytes.getInt(4))};
        } finally {
            scratch.release();
        }
    }

    /**
     * {@code readlinkat(2)} relative to a directory.
     *
     * @param directory where a relative name starts, or null for the working directory
     * @return the target
     * @throws ErrnoException with the error of the call
     */
    public static String readlinkat(@Nullable Fd directory, String name) {
        Scratch scratch = Scratch.take();
        int number = directory == null ? Fcntl.AT_FDCWD : directory.acquire();
        try {
            int at = CString.put(scratch.bytes, 0, name);
            int room = Scratch.SIZE - at;
            long n =
                    Libc.wordCall(
                            READLINKAT,
                            scratch.errno,
                            number,
                            scratch.address,
                            scratch.address + at,
                            room,
                            0,
                            0);
            if (n < 0) {
                throw new ErrnoException("readlinkat", name, (int) -n);
            }
            return CString.get(scratch.bytes, at, (int) n);
        } finally {
            if (directory != null) {
                directory.release();
            }
            scratch.release();
        }
    }

    /** {@code geteuid(2)}: the effective user of the calling thread. */
    public static long geteuid() {
        return Integer.toUnsignedLong(Libc.intCall(GETEUID, 0, 0, 0, 0, 0, 0));
    }

    /** {@code getpid(2)}: our PID. {@code ProcessHandle} would first read two files and more. */
    public static int getpid() {
        return Libc.intCall(GETPID, 0, 0, 0, 0, 0, 0);
    }

    /** {@code getppid(2)}: our parent's PID, 0 if it is outside of our PID namespace. */
    public static int getppid() {
        return Libc.intCall(GETPPID, 0, 0, 0, 0, 0, 0);
    }

    /** {@code gettid(2)}: the TID of the calling thread. */
    public static int gettid() {
        return Libc.intCall(GETTID, 0, 0, 0, 0, 0, 0);
    }

    /**
     * {@code dup2(2)}: makes a standard stream of this process refer to the same open file as
     * another descriptor. The old stream is closed in the same step.
     *
     * @param standard the number of the stream, 0 to 2
     * @param by the descriptor; lent
     * @throws IllegalArgumentException for any other number, since it has an owner
     * @throws ErrnoException EBUSY
     */
    public static void replaceStandard(int standard, Fd by) {
        if (standard < 0 || standard > 2) {
            throw new IllegalArgumentException("no standard stream: " + standard);
        }
        int number = by.acquire();
        try {
            int r;
            do {
                r = Libc.intCall(DUP2, number, standard, 0, 0, 0, 0);
            } while (r == -Errno.EINTR);
            int ignored = ErrnoException.check(r, "dup2", by + " to " + standard);
        } finally {
            by.release();
        }
    }

    /**
     * {@code F_DUPFD_CLOEXEC} of a standard stream of this process.
     *
     * @param standard the number of the stream, 0 to 2
     * @return the duplicate, owned by the caller
     * @throws IllegalArgumentException for any other number, since it has an owner
     * @throws ErrnoException EBADF if it is closed, EMFILE
     */
    public static Fd duplicateStandard(int standard) {
        if (standard < 0 || standard > 2) {
            throw new IllegalArgumentException("no standard stream: " + standard);
        }
        return Fd.adopt(Fcntl.dupfd(standard, 3), "fcntl(F_DUPFD_CLOEXEC)", standard);
    }

    /**
     * {@code _exit(2)}: ends this process at once. The JVM runs no shutdown hooks, flushes nothing,
     * and does not wait for threads in native code.
     */
    public static void exit(int status) {
        int ignored = Libc.intCall(EXIT, status, 0, 0, 0, 0, 0);
        throw new AssertionError("_exit returned");
    }
}
