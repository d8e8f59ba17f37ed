package io.holdfast.core.sys;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;

/** {@code sys/xattr.h}: extended attributes of files. */
public final class SysXattr {
    private static final Libc.Function FSETXATTR = Libc.bind("fsetxattr");

    private static final Libc.Function FGETXATTR = Libc.bind("fgetxattr");

    private SysXattr() {}

    /**
     * Sets an attribute ({@code fsetxattr(2)}).
     *
     * @param file opened for reading or writing
     * @param name with its namespace: {@code system.posix_acl_access}
     * @param value at most 8000 bytes
     * @return 0 or -errno
     */
    public static int set(Fd file, String name, byte[] value) {
        int at = name.length() + 1;
        if (at + value.length > Scratch.SIZE) {
            return -Errno.E2BIG;
        }
        Scratch scratch = Scratch.take();
        int number = file.acquire();
        try {
            int _ = CString.put(scratch.bytes, 0, name);
            scratch.bytes.put(at, value);
            return Libc.intCall(
                    FSETXATTR, number, scratch.address, scratch.address + at, value.length, 0, 0);
        } finally {
            file.release();
            scratch.release();
        }
    }

    /**
     * Reads an attribute ({@code fgetxattr(2)}).
     *
     * @param file opened for reading or writing
     * @param name with its namespace
     * @param value receives at most 8000 bytes of it
     * @return how many bytes it has, or -errno: ENODATA without such an attribute, ERANGE if it is
     *     longer
     */
    public static int get(Fd file, String name, byte[] value) {
        int at = name.length() + 1;
        Scratch scratch = Scratch.take();
        int number = file.acquire();
        try {
            int _ = CString.put(scratch.bytes, 0, name);
            int most = Math.min(value.length, Scratch.SIZE - at);
            int size =
                    Libc.intCall(
                            FGETXATTR, number, scratch.address, scratch.address + at, most, 0, 0);
            if (size > 0) {
                scratch.bytes.get(at, value, 0, size);
            }
            return size;
        } finally {
            file.release();
            scratch.release();
        }
    }
}
