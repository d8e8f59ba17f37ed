package io.holdfast.core.linux;

import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** {@code dirent.h}: what is in a directory, by name as the kernel has it, whatever the locale. */
public final class SysDirent {
    // struct linux_dirent64
    private static final int D_RECLEN = 16;
    private static final int D_TYPE = 18;
    private static final int D_NAME = 19;

    private static final byte DT_DIR = 4;

    private static final MethodHandle GETDENTS64 = Libc.bind("getdents64");

    private SysDirent() {}

    /**
     * The names of the directories in a directory, without {@code .} and {@code ..}, on a file
     * system that tells the type of an entry (kernfs does). Bytes that are no UTF-8 are kept as
     * {@link CString} keeps them.
     *
     * @param directory may be open with O_PATH
     * @throws ErrnoException ENOENT or ENODEV if it was removed, EMFILE
     */
    public static List<String> directories(Fd directory) {
        List<String> names = new ArrayList<>();
        int flags = Fcntl.O_RDONLY | Fcntl.O_DIRECTORY;
        try (Fd listed = Fcntl.open(directory, ".", flags, 0)) {
            list(listed, names);
        }
        return names;
    }

    private static void list(Fd listed, List<String> names) {
        Scratch scratch = Scratch.take();
        try {
            for (; ; ) {
                int n = read(listed, scratch);
                if (n == 0) {
                    return;
                }
                for (int at = 0; at < n; ) {
                    int length = scratch.bytes.getShort(at + D_RECLEN) & 0xFFFF;
                    if (scratch.bytes.get(at + D_TYPE) == DT_DIR) {
                        add(names, scratch.bytes, at + D_NAME);
                    }
                    at += length;
                }
            }
        } finally {
            scratch.give();
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

    private static void add(List<String> names, ByteBuffer memory, int from) {
        int length = 0;
        while (memory.get(from + length) != 0) {
            length++;
        }
        String name = CString.get(memory, from, length);
        if (!name.equals(".") && !name.equals("..")) {
            names.add(name);
        }
    }
}
