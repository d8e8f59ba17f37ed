package io.holdfast.core.process.privilege;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysMemfd;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import java.util.List;

/** What the programs that are made here share: the headers of elf(5), and the file in memory. */
final class ElfImage {
    // linux/elf.h
    static final int LOAD = 1; // PT_LOAD
    static final int DYNAMIC = 2; // PT_DYNAMIC
    static final int INTERPRETER = 3; // PT_INTERP
    static final int STACK = 0x6474_e551; // PT_GNU_STACK
    static final int READ_EXECUTE = 5; // PF_R | PF_X
    static final int READ_WRITE = 6; // PF_R | PF_W
    private static final int EXECUTABLE = 2; // ET_EXEC
    private static final int HEADER_BYTES = 64;
    private static final int SEGMENT_BYTES = 56;

    static final long BASE = 0x40_0000; // where the file is in memory
    static final long ALIGNMENT = 0x1_0000; // the largest page
    static final int WORD = Long.BYTES;

    private ElfImage() {}

    /** Returns the size of the headers of a file. */
    static int headersBytes(int segments) {
        return HEADER_BYTES + segments * SEGMENT_BYTES;
    }

    /** Puts the header of a file whose first instruction is behind the headers. */
    static void header(ByteBuffer image, short machine, int segments) {
        image.put(new byte[] {0x7f, 'E', 'L', 'F'});
        image.put(new byte[] {2, 1, 1, 0}).putLong(0); // 64 bits, little-endian, version 1
        image.putShort((short) EXECUTABLE).putShort(machine).putInt(1);
        image.putLong(BASE + headersBytes(segments)).putLong(HEADER_BYTES).putLong(0).putInt(0);
        image.putShort((short) HEADER_BYTES).putShort((short) SEGMENT_BYTES);
        image.putShort((short) segments);
        image.putShort((short) 0).putShort((short) 0).putShort((short) 0); // no sections
    }

    /** Puts the header of a segment. */
    static void segment(
            ByteBuffer image,
            int type,
            int flags,
            long offset,
            long address,
            long size,
            long alignment) {
        image.putInt(type).putInt(flags).putLong(offset).putLong(address).putLong(address);
        image.putLong(size).putLong(size).putLong(alignment);
    }

    static ByteBuffer buffer(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Returns the bytes of a listing, whose lines begin with them. */
    static byte[] code(String listing) {
        List<String> bytes = listing.lines().map(line -> line.split(" ", 2)[0]).toList();
        return HexFormat.of().parseHex(String.join("", bytes));
    }

    /**
     * Returns a file that can only be read and executed.
     *
     * @throws ErrnoException EACCES if the machine refuses programs in memory, EMFILE, ENOMEM
     */
    static Fd file(String name, byte[] image) {
        Fd file = SysMemfd.makeExecutable(name);
        try {
            write(file, image);
            ErrnoException.check(Fcntl.seal(file), "fcntl(F_ADD_SEALS)", file);
            return file;
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private static void write(Fd file, byte[] image) {
        for (int at = 0; at < image.length; ) {
            int most = Math.min(image.length - at, 1 << 16);
            int written = Unistd.pwrite(file, image, at, most, at);
            if (written == 0) {
                throw new ErrnoException("pwrite", file.toString(), Errno.EIO);
            }
            at += ErrnoException.check(written, "pwrite", file);
        }
    }
}
