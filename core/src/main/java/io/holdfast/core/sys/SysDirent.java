package io.holdfast.core.sys;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** {@code dirent.h}: lists the names in a directory as the kernel has them, whatever the locale. */
public final class SysDirent {
    // struct linux_dirent64
    private static final int D_RECLEN = 16;
    private static final int D_TYPE = 18;
    private static final int D_NAME = 19;

    private static final byte DT_DIR = 4;

    private static final Libc.Function GETDENTS64 = Libc.bind("getdents64");

    private SysDirent() {}

    /**
     * Returns the names of the directories in a directory, without {@code .} and {@code ..}, on a
     * file system that reports the type of an entry (kernfs does). Bytes that are not UTF-8 are
     * decoded as by {@link CString}.
     *
     * @param directory the directory, which may be open with O_PATH
     * @throws ErrnoException ENOENT or ENODEV if it was removed, EMFILE
     */
    public static List<String> directories(Fd directory) {
        List<String> names = new ArrayList<>();
        forEachDirectory(directory, names::add);
        return names;
    }

    /**
     * Passes on the same names one by one, for a directory in which other users can make any number
     * of them.
     *
     * @param use receives a name; returns whether to continue
     * @throws ErrnoException as {@link #directories}
     */
    public static void forEachDirectory(Fd directory, Predicate<String> use) {
        int flags = Fcntl.O_RDONLY | Fcntl.O_DIRECTORY;
        try (Fd listed = Fcntl.open(directory, ".", flags, 0)) {
            forEach(listed, true, use);
        }
    }

    /**
     * Returns the names in a directory, without {@code .} and {@code ..}, from the position of the
     * descriptor on.
     *
     * @param listed the directory, open for reading
     * @param most the maximum number of names, 1 or more; further ones are left out
     * @throws ErrnoException ENOENT or ENODEV if it was removed
     */
    public static List<String> names(Fd listed, int most) {
        List<String> names = new ArrayList<>();
        forEach(
                listed,
                false,
                name -> {
                    names.add(name);
                    return names.size() < most;
                });
        return names;
    }

    private static void forEach(Fd listed, boolean onlyDirectories, Predicate<String> use) {
        Scratch scratch = Scratch.take();
        try {
            for (int n = read(listed, scratch); n > 0; n = read(listed, scratch)) {
                for (int at = 0; at < n; ) {
                    int length = scratch.bytes.getShort(at + D_RECLEN) & 0xFFFF;
                    if (!onlyDirectories || scratch.bytes.get(at + D_TYPE) == DT_DIR) {
                        String name = name(scratch.bytes, at + D_NAME);
                        boolean isOther = !name.equals(".") && !name.equals("..");
                        if (isOther && !use.test(name)) {
                            return;
                        }
                    }
                    at += length;
                }
            }
        } finally {
            scratch.release();
        }
    }

    private static int read(Fd listed, Scratch scratch) {
        int number = listed.acquire();
        try {
            int n =
                    Libc.intCall(
                            GETDENTS64,
                            scratch.errno,
                            number,
                            scratch.address,
                            Scratch.SIZE,
                            0,
                            0,
                            0);
            return ErrnoException.check(n, "getdents64", ".");
        } finally {
            listed.release();
        }
    }

    private static String name(ByteBuffer memory, int from) {
        int length = 0;
        while (memory.get(from + length) != 0) {
            length++;
        }
        return CString.get(memory, from, length);
    }
}
