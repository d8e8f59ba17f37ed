package io.holdfast.core.sys.socket;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** {@code sock_diag(7)}: what the kernel knows of the sockets of this network namespace. */
public final class SysSockDiag {
    private static final int AF_NETLINK = 16;
    private static final int SOCK_RAW = 3;
    private static final int NETLINK_SOCK_DIAG = 4;

    private static final short SOCK_DIAG_BY_FAMILY = 20;
    private static final short NLMSG_ERROR = 2;
    private static final short NLMSG_DONE = 3;
    private static final short NLM_F_REQUEST_AND_DUMP = 0x301;

    private static final int HEADER = 16; // struct nlmsghdr
    private static final int REQUEST = 24; // struct unix_diag_req
    private static final int SOCKET = 16; // struct unix_diag_msg
    private static final int ATTRIBUTE = 4; // struct rtattr
    private static final int BUFFER = 64 << 10; // the kernel fills half of that at a time

    private static final int ESTABLISHED = 1 << 1;
    private static final int SHOW_NAME_AND_PEER = 1 | 4;
    private static final short UNIX_DIAG_NAME = 0;
    private static final short UNIX_DIAG_PEER = 2;

    private static final Libc.Function SOCKET_CALL = Libc.bind("socket");

    private SysSockDiag() {}

    /**
     * A connected AF_UNIX socket.
     *
     * @param inode its number, which no other socket has while it is open
     * @param peer that of the socket at the other end; 0 if it is closed
     * @param name that it is bound to; an accepted one has that of its listener
     */
    public record UnixConnection(long inode, long peer, UnixName name) {}

    /**
     * The connected AF_UNIX sockets of the caller's network namespace, as they are one after the
     * other: what connects or closes meanwhile may be missing.
     *
     * @throws ErrnoException EPROTONOSUPPORT or ENOENT if the kernel cannot tell
     */
    public static List<UnixConnection> unixConnections() {
        int number =
                Libc.intCall(
                        SOCKET_CALL,
                        AF_NETLINK,
                        SOCK_RAW | Fcntl.O_CLOEXEC,
                        NETLINK_SOCK_DIAG,
                        0,
                        0,
                        0);
        if (number < 0) {
            throw new ErrnoException("socket", "sock_diag", -number);
        }
        List<UnixConnection> found = new ArrayList<>();
        try (Fd netlink = Fd.adopt(number);
                Arena arena = Arena.ofConfined()) {
            MemorySegment request = arena.allocate(HEADER + REQUEST);
            request.set(JAVA_INT, 0, HEADER + REQUEST);
            request.set(JAVA_SHORT, 4, SOCK_DIAG_BY_FAMILY);
            request.set(JAVA_SHORT, 6, NLM_F_REQUEST_AND_DUMP);
            request.set(JAVA_BYTE, HEADER, (byte) SysSocket.AF_UNIX);
            request.set(JAVA_INT, HEADER + 4, ESTABLISHED);
            request.set(JAVA_INT, HEADER + 12, SHOW_NAME_AND_PEER);
            int sent = SysSocket.send(netlink, request);
            ErrnoException.check(sent, "send", netlink);
            MemorySegment answer = arena.allocate(BUFFER, Integer.BYTES);
            boolean more = true;
            while (more) {
                int n = SysSocket.recv(netlink, answer);
                more = read(answer.asSlice(0, ErrnoException.check(n, "recv", netlink)), found);
            }
        }
        return found;
    }

    /** Reads one part of the answer; false if it is the last one. */
    private static boolean read(MemorySegment part, List<UnixConnection> found) {
        long at = 0;
        while (at + HEADER <= part.byteSize()) {
            int length = part.get(JAVA_INT, at);
            if (length < HEADER || at + length > part.byteSize()) {
                throw new ErrnoException("recv", "sock_diag", Errno.EPROTO);
            }
            switch (part.get(JAVA_SHORT, at + 4)) {
                case NLMSG_DONE -> {
                    return false;
                }
                case NLMSG_ERROR ->
                        throw new ErrnoException(
                                "sock_diag", "unix", -part.get(JAVA_INT, at + HEADER));
                case SOCK_DIAG_BY_FAMILY ->
                        found.add(connection(part.asSlice(at + HEADER, length - HEADER)));
                default -> {} // nothing that was asked for
            }
            at += aligned(length);
        }
        return true;
    }

    private static UnixConnection connection(MemorySegment message) {
        long inode = Integer.toUnsignedLong(message.get(JAVA_INT, 4));
        long peer = 0;
        UnixName name = UnixName.of(new byte[0]);
        for (long at = SOCKET; at + ATTRIBUTE <= message.byteSize(); ) {
            int length = Short.toUnsignedInt(message.get(JAVA_SHORT, at));
            if (length < ATTRIBUTE || at + length > message.byteSize()) {
                throw new ErrnoException("recv", "sock_diag", Errno.EPROTO);
            }
            MemorySegment value = message.asSlice(at + ATTRIBUTE, length - ATTRIBUTE);
            switch (message.get(JAVA_SHORT, at + 2)) {
                case UNIX_DIAG_PEER -> peer = Integer.toUnsignedLong(value.get(JAVA_INT, 0));
                case UNIX_DIAG_NAME -> name = UnixName.read(value.toArray(JAVA_BYTE));
                default -> {} // nothing that was asked for
            }
            at += aligned(length);
        }
        return new UnixConnection(inode, peer, name);
    }

    private static int aligned(int length) {
        return length + 3 & -4;
    }
}
