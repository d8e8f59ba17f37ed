package io.holdfast.core.sys;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;

/** {@code sys/mman.h}: mapped memory. */
public final class SysMman {
    private static final int PROT_READ_WRITE = 1 | 2;
    private static final int MAP_SHARED = 1;
    private static final int MADV_DONTNEED = 4;
    private static final int MADV_REMOVE = 9;

    private static final Libc.Function MMAP = Libc.bind("mmap");
    private static final Libc.Function MUNMAP = Libc.bind("munmap");
    private static final Libc.Function MADVISE = Libc.bind("madvise");

    private SysMman() {}

    /**
     * {@code mmap(2)}, MAP_SHARED: maps the beginning of a file for reading and writing. An access
     * behind the end of the file ends this process (SIGBUS).
     *
     * @param bytes the length, 1 or more
     * @param arena its close unmaps the file
     * @throws ErrnoException ENOMEM, EACCES
     */
    @SuppressWarnings("restricted") // the size that was mapped
    public static MemorySegment map(Fd file, long bytes, Arena arena) {
        Scratch scratch = Scratch.take();
        int number = file.acquire();
        try {
            long address =
                    Libc.wordCall(
                            MMAP, scratch.errno, 0, bytes, PROT_READ_WRITE, MAP_SHARED, number, 0);
            if (address < 0) { // no user's address is
                throw new ErrnoException("mmap", file.toString(), (int) -address);
            }
            return MemorySegment.ofAddress(address)
                    .reinterpret(
                            bytes,
                            arena,
                            _ -> {
                                int _ = Libc.intCall(MUNMAP, address, bytes, 0, 0, 0, 0);
                            });
        } finally {
            file.release();
            scratch.release();
        }
    }

    /**
     * {@code madvise(2)}, MADV_DONTNEED: unmaps the pages of a shared mapping of a file, whose
     * contents stay in the page cache. The next access maps them again. 0, or -errno.
     *
     * @param mapping a whole mapping, which begins at a page
     */
    public static int release(MemorySegment mapping) {
        return advise(mapping, MADV_DONTNEED);
    }

    /**
     * {@code madvise(2)}, MADV_REMOVE: gives back the memory of a part of a mapped file in memory,
     * which then contains zeros. 0, or -errno.
     *
     * @param part whole pages
     */
    public static int remove(MemorySegment part) {
        return advise(part, MADV_REMOVE);
    }

    private static int advise(MemorySegment part, int advice) {
        try {
            return Libc.intCall(MADVISE, part.address(), part.byteSize(), advice, 0, 0, 0);
        } finally {
            Reference.reachabilityFence(part);
        }
    }
}
