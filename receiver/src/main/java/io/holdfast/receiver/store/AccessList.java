package io.holdfast.receiver.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysXattr;
import io.holdfast.core.sys.Unistd;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The POSIX access list of a file ({@code linux/posix_acl.h}): besides its owner, its user and the
 * members of {@code adm} and {@code systemd-journal} may read it, as systemd arranges by
 * systemd-tmpfiles(8), which a container may run before the folder of the files is there.
 */
final class AccessList {
    private static final String ATTRIBUTE = "system.posix_acl_access";
    private static final int VERSION = 2;
    private static final Path ACCOUNTS = Path.of("/etc/group");
    private static final Set<String> READERS = Set.of("adm", "systemd-journal");
    private static final int ENTRY_BYTES = 8;
    private static final int NO_ID = -1;
    private static final short OWNER = 0x01;
    private static final short USER = 0x02;
    private static final short GROUP = 0x04;
    private static final short OTHER_GROUP = 0x08;
    private static final short MASK = 0x10;
    private static final short OTHER = 0x20;
    private static final short READ = 4;
    private static final short READ_WRITE = 6;

    private AccessList() {}

    /**
     * Lets a user, and those who may read all logs, read a file.
     *
     * @param user 0 for a file of the system
     * @throws IOException if the file cannot be opened, or its access list cannot be set; a file
     *     system without access lists is accepted
     */
    static void permitReading(Path file, long user) throws IOException {
        List<Integer> groups = Unistd.geteuid() == 0 ? groups() : List.of();
        int entries = (user == 0 ? 4 : 5) + groups.size();
        ByteBuffer list =
                ByteBuffer.allocate(Integer.BYTES + entries * ENTRY_BYTES)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putInt(VERSION);
        list.putShort(OWNER).putShort(READ_WRITE).putInt(NO_ID);
        if (user != 0) {
            list.putShort(USER).putShort(READ).putInt((int) user);
        }
        list.putShort(GROUP).putShort(READ).putInt(NO_ID);
        for (int group : groups) {
            list.putShort(OTHER_GROUP).putShort(READ).putInt(group);
        }
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

    /** Returns the groups of readers that exist, in the order that the kernel wants. */
    private static List<Integer> groups() throws IOException {
        if (!Files.isReadable(ACCOUNTS)) {
            return List.of();
        }
        try (Stream<String> lines = Files.lines(ACCOUNTS, ISO_8859_1)) {
            return lines.map(line -> line.split(":", -1))
                    .filter(words -> words.length > 2 && READERS.contains(words[0]))
                    .filter(words -> words[2].matches("[0-9]{1,9}"))
                    .map(words -> Integer.valueOf(words[2]))
                    .sorted()
                    .distinct()
                    .toList();
        }
    }
}
