package io.holdfast.manager;

import io.holdfast.core.limit.Throttle;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.EventLoop;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.FdCloser;
import io.holdfast.core.linux.Readiness;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.Sender;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The socket of {@code $NOTIFY_SOCKET} (sd_notify(3)). The sender of each message is the process
 * that the kernel holds for us (SCM_PIDFD), never a number in the message.
 */
final class NotifySocket implements AutoCloseable {
    private static final int MAX_DESCRIPTORS = 253;
    private static final int FOR_ALL = 0777;

    /** Whom datagrams go to, on the loop. */
    interface Receiver {
        /**
         * Takes one datagram. What is wrong with it is for the receiver to report, who knows the
         * sender's unit.
         *
         * @param sender lent for the call
         * @param datagram not parsed yet; one byte longer than {@link NotifyMessage#MAX_SIZE} if it
         *     is too long
         * @param descriptors lent for the call; closed afterwards
         */
        void datagram(NotifySender sender, byte[] datagram, List<Fd> descriptors);
    }

    private final Path path;
    private final UnixSocket socket;
    private final Receiver receiver;
    private final FdCloser<String> closer;
    private final Throttle complaints;
    private final Ancillary beside = Ancillary.ofDescriptors(MAX_DESCRIPTORS);
    private final ByteBuffer data = ByteBuffer.allocateDirect(NotifyMessage.MAX_SIZE + 1);

    /**
     * Binds it, in the place of one that a manager has left. Everybody may send: who it was decides
     * what counts.
     *
     * @param closer closes the descriptors that come beside messages
     * @throws ErrnoException EADDRINUSE if a manager lives there
     */
    NotifySocket(
            Path path,
            EventLoop loop,
            FdCloser<String> closer,
            Receiver receiver,
            Consumer<String> complaints) {
        this.path = path;
        this.closer = closer;
        this.receiver = receiver;
        this.complaints = Complaints.on(loop, complaints);
        socket = UnixSocket.bind(new UnixAddress.PathName(path.toString()), FOR_ALL);
        socket.passIdentity();
        EventLoop.Watch ignored = loop.watch(socket.fd(), Readiness.IN, _ -> receive());
    }

    Path path() {
        return path;
    }

    private void receive() {
        for (int i = 0; i < ManagerLimits.NOTIFY_BATCH.intValue(); i++) {
            data.clear();
            int n;
            try {
                n = socket.tryReceive(data, beside);
            } catch (ErrnoException e) {
                complaints.log("lost", "notify message lost: " + e.getMessage());
                return;
            }
            if (n == UnixSocket.WOULD_BLOCK) {
                return;
            }
            take();
        }
    }

    private void take() {
        Optional<Sender> sender = beside.takeSender();
        List<Fd> descriptors = beside.takeDescriptors();
        try {
            if (sender.isEmpty()) {
                return; // the kernel names the sender of every datagram
            }
            if (sender.get().process().isEmpty()) {
                complaints.log(
                        new Complaints.Source("not held", sender.get().uid()),
                        "notify message of " + notHeld(sender.get()) + " ignored");
                return;
            }
            NotifySender held = new NotifySender(sender.get().process().get(), sender.get().uid());
            if (beside.isCut()) {
                complaints.log(
                        new Complaints.Source("cut", held.uid()),
                        "notify message of " + held + " ignored: descriptors were lost");
                return;
            }
            byte[] bytes = new byte[data.position()];
            data.get(0, bytes);
            receiver.datagram(held, bytes, descriptors);
        } finally {
            String owner = "user " + sender.map(who -> Long.toString(who.uid())).orElse("unknown");
            closer.close(owner, descriptors);
            sender.ifPresent(Sender::close);
        }
    }

    private static String notHeld(Sender sender) {
        String number = sender.pid().isPresent() ? " " + sender.pid().getAsInt() : "";
        String why = sender.gone() ? "gone" : "not held";
        return "process" + number + " (" + why + ") of user " + sender.uid();
    }

    @Override
    public void close() {
        beside.close();
        socket.close();
        boolean ignored = path.toFile().delete();
    }
}
