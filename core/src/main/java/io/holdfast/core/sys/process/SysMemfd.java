package io.holdfast.core.sys.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.CString;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Scratch;

/** {@code memfd_create(2)}: a file in memory that is in no folder. */
public final class SysMemfd {
    // linux/memfd.h
    private static final int MFD_CLOEXEC = 1;
    private static final int MFD_ALLOW_SEALING = 2;
    private static final int MFD_EXEC = 0x10; // Linux 6.3; required where vm.memfd_noexec is 1
    private static final int MFD_NOEXEC_SEAL = 8; // Linux 6.3; required where vm.memfd_noexec is 2

    private static final Libc.Function MEMFD_CREATE = Libc.bind("memfd_create");
    private static final Libc.Function FTRUNCATE = Libc.bind("ftruncate");

    private SysMemfd() {}

    /**
     * An empty file.
     *
     * @param name shown in {@code /proc/PID/fd} only
     * @throws ErrnoException EMFILE
     */
    public static Fd make(String name) {
        int number = create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);
        if (number == -Errno.EINVAL) {
            number = create(name, MFD_CLOEXEC);
        }
        return Fd.adopt(number, "memfd_create", name);
    }

    /**
     * An empty file that can be executed and sealed.
     *
     * @param name shown in {@code /proc/PID/fd} only
     * @throws ErrnoException EACCES if vm.memfd_noexec is 2, EMFILE
     */
    public static Fd makeExecutable(String name) {
        int number = create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
        if (number == -Errno.EINVAL) {
            number = create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        }
        if (number == -Errno.EACCES) {
            throw new ErrnoException(
                    "memfd_create",
                    name,
                    Errno.EACCES,
                    "vm.memfd_noexec=2 refuses programs in memory; set it to 0 or 1");
        }
        return Fd.adopt(number, "memfd_create", name);
    }

    /**
     * {@code ftruncate(2)}: sets the size of a file; what it grows by contains zeros and takes no
     * memory.
     *
     * @throws ErrnoException EINVAL, EPERM (it is sealed)
     */
    public static void resize(Fd file, long bytes) {
        int number = file.acquire();
        try {
            int r = Libc.intCall(FTRUNCATE, number, bytes, 0, 0, 0, 0);
            ErrnoException.check(r, "ftruncate", file);
        } finally {
            file.release();
        }
    }

    private static int create(String name, int flags) {
        Scratch scratch = Scratch.take();
        try {
            int _ = CString.put(scratch.bytes, 0, name);
            return Libc.intCall(MEMFD_CREATE, scratch.errno, scratch.address, flags, 0, 0, 0, 0);
        } finally {
            scratch.release();
        }
    }
}
