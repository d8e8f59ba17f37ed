package io.holdfast.receiver.store;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysXattr;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/** The POSIX access list of a user's file, which that user may read ({@code linux/posix_acl.h}). */
final class AccessList {
    private static final String ATTRIBUTE = "system.posix_acl_access";
    private static final int VERSION = 2;
    private static final int ENTRIES = 5;
    private static final int ENTRY_BYTES = 8;
    private static final int NO_ID = -1;
    private static final short OWNER = 0x01;
    private static final short USER = 0x02;
    private static final short GROUP = 0x04;
    private static final short MASK = 0x10;
    private static final short OTHER = 0x20;
    private static final short READ = 4;
    private static final short READ_WRITE = 6;

    private AccessList() {}

    /**
     * Lets a user read a file, besides its owner and its group.
     *
     * @throws IOException if the file cannot be opened, or its access list cannot be set; a file
     *     system without access lists is accepted
     */
    static void permitReading(Path file, long user) throws IOException {
        ByteBuffer list =
                ByteBuffer.allocate(Integer.BYTES + ENTRIES * ENTRY_BYTES)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putInt(VERSION);
        list.putShort(OWNER).putShort(READ_WRITE).putInt(NO_ID);
        list.putShort(USER).putShort(READ).putInt((int) user);
        list.putShort(GROUP).putShort(READ).putInt(NO_ID);
        list.putShort(MASK).putShort(READ).putInt(NO_ID);
        list.putShort(OTHER).putShort((short) 0).putInt(NO_ID);
        try (Fd opened = Fcntl.open(file.toString(), Fcntl.O_RDONLY | Fcntl.O_NOFOLLOW)) {
            int result = SysXattr.set(opened, ATTRIBUTE, list.array());
            if (result < 0 && result != -Errno.EOPNOTSUPP) {
                throw new IOException(
                        file + ": its access list is not set: " + Errno.name(-result));
            }
        } catch (ErrnoException e) {
            throw new IOException(e);
        }
    }
}
