package io.holdfast.core.socket;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.socket.MsgHdr;
import io.holdfast.core.sys.socket.Ucred;
import io.holdfast.core.sys.socket.UnixName;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What comes beside the data of a message: descriptors, the sender, its address. Made once and used
 * for many receives, one at a time by one thread. What is not taken is closed by the next receive
 * or by {@link #close}: nothing leaks, however much arrives.
 */
public final class Ancillary implements AutoCloseable {
    private static final long NO_ID = 0xFFFFFFFFL;
    private static final long OVERFLOW_ID = 65534; // /proc/sys/kernel/overflowuid by default

    private final MsgHdr message;
    private final int descriptorLimit;
    private List<Fd> descriptors = List.of();
    private @Nullable Sender sender;
    private boolean dataCut;
    private boolean descriptorsCut;

    private Ancillary(int descriptorLimit, boolean identity) {
        this.message = new MsgHdr(descriptorLimit, identity);
        this.descriptorLimit = descriptorLimit;
    }

    /**
     * Room for descriptors and for the sender.
     *
     * @param limit how many a message may bring, 0 to 253
     * @return the room
     */
    public static Ancillary ofDescriptors(int limit) {
        return new Ancillary(limit, true);
    }

    /**
     * Room for the sender alone: descriptors that come are closed.
     *
     * @return the room
     */
    public static Ancillary ofSender() {
        return new Ancillary(0, true);
    }

    MsgHdr message() {
        return message;
    }

    /** Closes what is left of the last message, before the next. */
    void clear() {
        takeDescriptors().forEach(Fd::close);
        Sender last = sender;
        sender = null;
        if (last != null) {
            last.close();
        }
        dataCut = false;
        descriptorsCut = false;
    }

    /**
     * Takes what recvmsg brought. Nothing between the kernel and an owner can fail, so that a full
     * table of descriptors leaks nothing.
     */
    void fill() {
        descriptors = message.takeDescriptors();
        dataCut = message.isDataCut();
        descriptorsCut = message.isControlCut();
        Fd pidfd = message.takePidfd();
        Ucred ucred = message.credentials();
        if (pidfd != null || (ucred != null && !isNobody(ucred))) {
            sender = sender(pidfd, ucred);
        }
        if (descriptors.size() > descriptorLimit) { // there is room for more: see MsgHdr
            descriptors.subList(descriptorLimit, descriptors.size()).forEach(Fd::close);
            descriptors = List.copyOf(descriptors.subList(0, descriptorLimit));
            descriptorsCut = true;
        }
    }

    private Sender sender(@Nullable Fd pidfd, @Nullable Ucred ucred) {
        int pid = ucred == null ? 0 : ucred.pid();
        long uid = ucred == null ? NO_ID : ucred.uid();
        long gid = ucred == null ? NO_ID : ucred.gid();
        if (pidfd != null) {
            return new Sender.Held(PidFd.ofKernel(pidfd), pid, uid, gid);
        }
        return isGone(message.pidfdError())
                ? new Sender.Gone(pid, uid, gid)
                : new Sender.BestEffort(pid, uid, gid);
    }

    /** What the kernel puts where a message was sent before anybody asked for its sender. */
    private static boolean isNobody(Ucred ucred) {
        return ucred.pid() == 0 && ucred.uid() == OVERFLOW_ID && ucred.gid() == OVERFLOW_ID;
    }

    private static boolean isGone(int pidfdError) {
        return pidfdError == Errno.EINVAL || pidfdError == Errno.ESRCH;
    }

    /**
     * {@return the descriptors of the last message; the caller owns them from now on} A second call
     * gives none.
     */
    public List<Fd> takeDescriptors() {
        List<Fd> taken = descriptors;
        descriptors = List.of();
        return taken;
    }

    /**
     * {@return the sender of the last message; the caller owns it from now on} A second call gives
     * none.
     */
    public Optional<Sender> takeSender() {
        Sender taken = sender;
        sender = null;
        return Optional.ofNullable(taken);
    }

    /** {@return the address of the sender of a datagram} */
    public UnixAddress senderAddress() {
        UnixName name = message.sender();
        return name == null ? UnixAddress.unnamed() : UnixAddress.of(name);
    }

    /** {@return whether the message was longer than the room for its data: the rest is lost} */
    public boolean isDataCut() {
        return dataCut;
    }

    /**
     * {@return whether more came than there was room for: those descriptors are closed, and lost}
     */
    public boolean isCut() {
        return descriptorsCut;
    }

    @Override
    public void close() {
        clear();
    }
}
