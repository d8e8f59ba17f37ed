package io.holdfast.core.sys.socket;

import io.holdfast.core.Fd;
import io.holdfast.core.sys.Pool;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code struct msghdr} with one iovec and its control messages. An object is one to receive with,
 * made once and used for many calls of {@code recvmsg}, one at a time by one thread; one to send is
 * written into scratch memory.
 *
 * <p>What was received is owned from the moment the call returns: {@link #parse} turns every
 * descriptor into an {@link Fd} before anything else can happen, and closes none by itself.
 */
public final class MsgHdr {
    /** The kernel takes and gives at most this many descriptors a message. */
    public static final int MAX_DESCRIPTORS = 253;

    // struct msghdr
    private static final int NAME = 0;
    private static final int NAMELEN = 8;
    private static final int IOV = 16;
    private static final int IOVLEN = 24;
    private static final int CONTROL = 32;
    private static final int CONTROLLEN = 40;
    private static final int FLAGS = 48;
    private static final int MSGHDR_SIZE = 56;

    // struct iovec, behind it
    private static final int IOV_BASE = MSGHDR_SIZE;
    private static final int IOV_LEN = MSGHDR_SIZE + 8;
    private static final int NAME_BUFFER = MSGHDR_SIZE + 16;
    private static final int CONTROL_BUFFER = NAME_BUFFER + 112; // sockaddr_un is 110

    // struct cmsghdr
    private static final int CMSG_LEN = 0;
    private static final int CMSG_LEVEL = 8;
    private static final int CMSG_TYPE = 12;
    private static final int CMSG_DATA = 16;

    /** Room for a message to send. */
    static final int OUTGOING_SIZE =
            CONTROL_BUFFER + space(4 * MAX_DESCRIPTORS) + space(Ucred.SIZE);

    private static final int LABEL_ROOM = 256;
    private static final int SLOTS = 16;

    /** For receives of bytes alone. */
    private static final Pool<MsgHdr> POOL =
            new Pool<>(SLOTS, () -> new MsgHdr(MAX_DESCRIPTORS, true));

    private final ByteBuffer memory;
    private final long address;
    private final int controlSize;
    private int controlRoom; // for the next message: the size, or 0

    private int flags;
    private List<Fd> descriptors = List.of();
    private @Nullable Ucred credentials;
    private int pidfdError;
    private @Nullable Fd pidfd;

    /**
     * @param descriptorLimit how many descriptors there is room for, 0 to {@link #MAX_DESCRIPTORS}
     * @param identity whether there is room for credentials, a pidfd and a label as well, and then
     *     for {@link #MAX_DESCRIPTORS}: the kernel writes the pidfd last, so that a sender could
     *     crowd its own identity out with descriptors
     */
    public MsgHdr(int descriptorLimit, boolean identity) {
        if (descriptorLimit < 0 || descriptorLimit > MAX_DESCRIPTORS) {
            throw new IllegalArgumentException("descriptors a message: " + descriptorLimit);
        }
        controlSize =
                identity
                        ? space(Ucred.SIZE)
                                + space(LABEL_ROOM)
                                + space(4 * MAX_DESCRIPTORS)
                                + space(4)
                        : descriptorLimit == 0 ? 0 : space(4 * descriptorLimit);
        controlRoom = controlSize;
        MemorySegment room = Arena.ofAuto().allocate(CONTROL_BUFFER + controlSize, 8);
        memory = room.asByteBuffer().order(ByteOrder.nativeOrder());
        address = room.address();
        memory.putLong(IOV, address + IOV_BASE);
        memory.putLong(IOVLEN, 1);
    }

    /**
     * Takes an object for one call, with room for everything that can come beside the bytes. For a
     * peek it has none: the socket keeps its descriptors, so that dropping their duplicates never
     * waits.
     */
    static MsgHdr take(int flags) {
        MsgHdr message = POOL.take();
        message.controlRoom = (flags & SysSocket.MSG_PEEK) == 0 ? message.controlSize : 0;
        return message;
    }

    /** Closes what came beside the bytes, and gives the object back. */
    void release() {
        takeDescriptors().forEach(Fd::close);
        Fd process = takePidfd();
        if (process != null) {
            process.close();
        }
        POOL.release(this);
    }

    private static int space(int data) {
        return CMSG_DATA + (data + 7 & -8);
    }

    /**
     * Writes the header of a message to send into scratch memory: data, to a destination or the
     * connected peer, with descriptors and, if not the kernel's own, with credentials.
     *
     * @param memory at least {@link #OUTGOING_SIZE}
     * @param address where that begins
     */
    static void outgoing(
            ByteBuffer memory,
            long address,
            long data,
            long length,
            @Nullable UnixName to,
            int[] numbers,
            @Nullable Ucred as) {
        int name = to == null ? 0 : to.write(memory, NAME_BUFFER);
        int control = 0;
        if (numbers.length != 0) {
            int at = control(memory, control, SysSocket.SCM_RIGHTS, 4 * numbers.length);
            for (int i = 0; i < numbers.length; i++) {
                memory.putInt(at + 4 * i, numbers[i]);
            }
            control += space(4 * numbers.length);
        }
        if (as != null) {
            as.write(memory, control(memory, control, SysSocket.SCM_CREDENTIALS, Ucred.SIZE));
            control += space(Ucred.SIZE);
        }
        memory.putLong(NAME, name == 0 ? 0 : address + NAME_BUFFER);
        memory.putInt(NAMELEN, name);
        memory.putLong(IOV, address + IOV_BASE);
        memory.putLong(IOVLEN, 1);
        memory.putLong(CONTROL, control == 0 ? 0 : address + CONTROL_BUFFER);
        memory.putLong(CONTROLLEN, control);
        memory.putInt(FLAGS, 0);
        memory.putLong(IOV_BASE, data);
        memory.putLong(IOV_LEN, length);
    }

    /** Begins a control message behind others: where its data goes. */
    private static int control(ByteBuffer memory, int behind, int type, int length) {
        int at = CONTROL_BUFFER + behind;
        memory.putLong(at + CMSG_LEN, CMSG_DATA + length);
        memory.putInt(at + CMSG_LEVEL, SysSocket.SOL_SOCKET);
        memory.putInt(at + CMSG_TYPE, type);
        return at + CMSG_DATA;
    }

    /** Makes it room for a message: the kernel overwrites the lengths each time. */
    void incoming(long data, long length) {
        memory.putLong(IOV_BASE, data);
        memory.putLong(IOV_LEN, length);
        memory.putLong(NAME, address + NAME_BUFFER);
        memory.putInt(NAMELEN, UnixName.SIZE);
        memory.putLong(CONTROL, controlRoom == 0 ? 0 : address + CONTROL_BUFFER);
        memory.putLong(CONTROLLEN, controlRoom);
        memory.putInt(FLAGS, 0);
        descriptors = List.of();
        credentials = null;
        pidfd = null;
        pidfdError = 0;
    }

    long address() {
        return address;
    }

    /** Reads what recvmsg left, and takes ownership of every descriptor. */
    void parse(Fd socket) {
        flags = memory.getInt(FLAGS);
        long end = memory.getLong(CONTROLLEN);
        for (int at = 0; at + CMSG_DATA <= end; ) {
            int message = CONTROL_BUFFER + at;
            long length = memory.getLong(message + CMSG_LEN);
            if (length < CMSG_DATA || at + length > end) {
                break;
            }
            if (memory.getInt(message + CMSG_LEVEL) == SysSocket.SOL_SOCKET) {
                take(message, (int) length - CMSG_DATA, socket);
            }
            at += (int) (length + 7 & -8L);
        }
    }

    private void take(int message, int length, Fd socket) {
        switch (memory.getInt(message + CMSG_TYPE)) {
            case SysSocket.SCM_RIGHTS -> {
                int count = length / 4;
                List<Fd> list = new ArrayList<>(descriptors.size() + count);
                list.addAll(descriptors);
                for (int i = 0; i < count; i++) {
                    list.add(Fd.received(memory.getInt(message + CMSG_DATA + 4 * i), socket));
                }
                descriptors = list;
            }
            case SysSocket.SCM_CREDENTIALS -> {
                if (length >= Ucred.SIZE) { // else cut
                    credentials = Ucred.read(memory, message + CMSG_DATA);
                }
            }
            case SysSocket.SCM_PIDFD -> {
                if (length < Integer.BYTES) {
                    return;
                }
                int number = memory.getInt(message + CMSG_DATA);
                if (number >= 0) {
                    pidfd = Fd.adopt(number);
                } else {
                    pidfdError = -number;
                }
            }
            default -> {}
        }
    }

    /** Whether the data was longer than the room for it (MSG_TRUNC). */
    public boolean isDataCut() {
        return (flags & SysSocket.MSG_TRUNC) != 0;
    }

    /** Whether control messages were longer than the room for them (MSG_CTRUNC). */
    public boolean isControlCut() {
        return (flags & SysSocket.MSG_CTRUNC) != 0;
    }

    /** The descriptors that came; the caller owns them. A second call gives none. */
    public List<Fd> takeDescriptors() {
        List<Fd> taken = descriptors;
        descriptors = List.of();
        return taken;
    }

    /**
     * The pidfd of the sender (SCM_PIDFD), or null; the caller owns it. A second call gives null.
     */
    public @Nullable Fd takePidfd() {
        Fd taken = pidfd;
        pidfd = null;
        return taken;
    }

    /**
     * Why there is no pidfd, as an errno, or 0: EINVAL or ESRCH for a sender who was gone already
     * (Linux 6.5 to 6.16), EMFILE and the like for a shortage of ours.
     */
    public int pidfdError() {
        return pidfdError;
    }

    /** The credentials of the sender (SCM_CREDENTIALS), or null. */
    public @Nullable Ucred credentials() {
        return credentials;
    }

    /** The address of the sender, or null where the socket gives none. */
    public @Nullable UnixName sender() {
        int length = memory.getInt(NAMELEN);
        return memory.getLong(NAME) == 0 || length == 0
                ? null
                : UnixName.read(memory, NAME_BUFFER, length);
    }
}
