package io.holdfast.core.sys;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * {@code sys/uio.h}: transfers that never wait, with or without O_NONBLOCK. A file whose driver
 * does not support them returns EOPNOTSUPP.
 */
public final class SysUio {
    private static final int RWF_NOWAIT = 8;
    private static final long CURRENT_POSITION = -1;

    // struct iovec, at the beginning of the scratch memory; short data follows it
    private static final int IOV_BASE = 0;
    private static final int IOV_LEN = 8;
    private static final int IOV_SIZE = 16;

    private static final Libc.Function PREADV2 = Libc.bind("preadv2");
    private static final Libc.Function PWRITEV2 = Libc.bind("pwritev2");

    private SysUio() {}

    /**
     * {@code preadv2(2)} with RWF_NOWAIT at the current position: bytes read, 0 at the end, or
     * -errno. At most 64 KiB at once.
     */
    public static int readNow(Fd fd, byte[] into, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, into.length);
        Scratch scratch = Scratch.take();
        CopyBuffer copy = copyFor(length);
        try {
            int room = Math.min(length, CopyBuffer.SIZE);
            int n = transfer(PREADV2, fd, scratch, copy == null ? null : copy.memory, room);
            if (n > 0) {
                bytes(scratch, copy).get(copy == null ? IOV_SIZE : 0, into, offset, n);
            }
            return n;
        } finally {
            release(scratch, copy);
        }
    }

    /**
     * {@code pwritev2(2)} with RWF_NOWAIT at the current position: bytes written, or -errno. At
     * most 64 KiB at once.
     */
    public static int writeNow(Fd fd, byte[] from, int offset, int length) {
        Objects.checkFromIndexSize(offset, length, from.length);
        Scratch scratch = Scratch.take();
        CopyBuffer copy = copyFor(length);
        try {
            int room = Math.min(length, CopyBuffer.SIZE);
            bytes(scratch, copy).put(copy == null ? IOV_SIZE : 0, from, offset, room);
            return transfer(PWRITEV2, fd, scratch, copy == null ? null : copy.memory, room);
        } finally {
            release(scratch, copy);
        }
    }

    private static @Nullable CopyBuffer copyFor(int length) {
        return length > Scratch.SIZE - IOV_SIZE ? CopyBuffer.take(CopyBuffer.SIZE) : null;
    }

    private static ByteBuffer bytes(Scratch scratch, @Nullable CopyBuffer copy) {
        return copy == null ? scratch.bytes : copy.bytes;
    }

    private static void release(Scratch scratch, @Nullable CopyBuffer copy) {
        if (copy != null) {
            copy.release();
        }
        scratch.release();
    }

    private static int transfer(
            Libc.Function function,
            Fd fd,
            Scratch scratch,
            @Nullable MemorySegment memory,
            int length) {
        long address = memory == null ? scratch.address + IOV_SIZE : memory.address();
        scratch.bytes.putLong(IOV_BASE, address);
        scratch.bytes.putLong(IOV_LEN, length);
        int number = fd.acquire();
        try {
            long n;
            do {
                n =
                        Libc.wordCall(
                                function,
                                scratch.errno,
                                number,
                                scratch.address,
                                1,
                                CURRENT_POSITION,
                                RWF_NOWAIT,
                                0);
            } while (n == -Errno.EINTR);
            return (int) n;
        } finally {
            fd.release();
        }
    }
}
