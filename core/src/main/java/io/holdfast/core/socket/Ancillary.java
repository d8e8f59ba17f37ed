package io.holdfast.core.socket;

import com.google.errorprone.annotations.MustBeClosed;
import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.socket.MsgHdr;
import io.holdfast.core.sys.socket.Ucred;
import io.holdfast.core.sys.socket.UnixName;
import io.holdfast.core.wait.FdCloser;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The ancillary data of a received message: descriptors, the sender, and its address. One object
 * serves many receives, one at a time on one thread. Descriptors and senders that are not taken are
 * closed by the next receive or by {@link #close}: nothing leaks, however much arrives.
 *
 * <p>The close of a received descriptor never waits for the process that sent it. What closes the
 * socket closes the descriptor, too ({@link Fd#closeWith}); by default a thread of the library's,
 * which charges it to the peer's user. One that came with a datagram is charged to the user in the
 * message's credentials if the sender is requested, else the receiving socket.
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
     * Returns an object with room for descriptors and for the sender.
     *
     * @param limit how many descriptors a message may bring, 0 to 253
     * @return the object
     */
    @MustBeClosed
    public static Ancillary ofDescriptors(int limit) {
        return new Ancillary(limit, true);
    }

    /**
     * Returns an object with room for the sender only: received descriptors are closed.
     *
     * @return the object
     */
    @MustBeClosed
    public static Ancillary ofSender() {
        return new Ancillary(0, true);
    }

    MsgHdr message() {
        return message;
    }

    /** Closes what was not taken from the last message, before the next receive. */
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
     * Takes over the results of recvmsg. Nothing between the kernel and an owner can fail, so that
     * nothing leaks even with a full descriptor table.
     */
    void fill(SocketType type) {
        descriptors = message.takeDescriptors();
        dataCut = message.isDataCut();
        descriptorsCut = message.isControlCut();
        Fd pidfd = message.takePidfd();
        Ucred ucred = message.credentials();
        if (pidfd != null || (ucred != null && !isPlaceholder(ucred))) {
            sender = sender(pidfd, ucred);
        }
        if (type == SocketType.DATAGRAM && sender != null && !descriptors.isEmpty()) {
            Consumer<Fd> ofSender = FdCloser.automatic(sender.uid());
            descriptors.forEach(fd -> fd.closeWith(ofSender));
        }
        if (descriptors.size() > descriptorLimit) { // the control buffer holds more: see MsgHdr
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

    /**
     * Returns whether these are the credentials that the kernel substitutes for a message that was
     * sent before the receiver requested senders.
     */
    private static boolean isPlaceholder(Ucred ucred) {
        return ucred.pid() == 0 && ucred.uid() == OVERFLOW_ID && ucred.gid() == OVERFLOW_ID;
    }

    private static boolean isGone(int pidfdError) {
        return pidfdError == Errno.EINVAL || pidfdError == Errno.ESRCH;
    }

    /**
     * {@return the descriptors of the last message, owned by the caller from now on} A second call
     * returns none.
     */
    public List<Fd> takeDescriptors() {
        List<Fd> taken = descriptors;
        descriptors = List.of();
        return taken;
    }

    /**
     * {@return the sender of the last message, owned by the caller from now on} A second call
     * returns none.
     */
    public Optional<Sender> takeSender() {
        Sender taken = sender;
        sender = null;
        return Optional.ofNullable(taken);
    }

    /** {@return the address of the sender of a datagram} */
    public UnixAddress senderAddress() {
        UnixName name = message.sender();
        return name == null ? UnixAddress.unnamed() : KernelAddress.address(name);
    }

    /** {@return whether the message was longer than the buffer for its data: the rest is lost} */
    public boolean isDataCut() {
        return dataCut;
    }

    /**
     * {@return whether more descriptors arrived than there was room for: the excess is closed, and
     * lost}
     */
    public boolean areDescriptorsCut() {
        return descriptorsCut;
    }

    @Override
    public void close() {
        clear();
    }
}
