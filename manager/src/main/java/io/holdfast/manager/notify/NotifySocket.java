package io.holdfast.manager.notify;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.FdCloser;
import io.holdfast.core.Feature;
import io.holdfast.core.Readiness;
import io.holdfast.core.limit.Throttle;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.Sender;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.manager.log.Complaints;
import io.holdfast.manager.loop.ManagerCounters;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.survival.Survival;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The socket of {@code $NOTIFY_SOCKET} (sd_notify(3)). The sender of each message is identified by
 * the pidfd that the kernel gives us (SCM_PIDFD), never by a PID in the message.
 *
 * <p>Every user may send, also descriptors whose close blocks for as long as the sender likes.
 * While too many descriptors of a user wait to be closed, the socket takes no descriptors: messages
 * without them still arrive. A kernel before Linux 6.16 cannot refuse descriptors; there the
 * messages wait.
 */
public final class NotifySocket implements AutoCloseable {
    private static final int MAX_DESCRIPTORS = 253;
    private static final int FOR_ALL = 0777;
    private static final String KEY = "notify";

    /** Pause after which a full closer is checked again, while descriptors are refused. */
    private static final Duration REFUSAL = Duration.ofSeconds(1);

    /** Receives the datagrams, on the loop. */
    interface Receiver {
        /**
         * Takes one datagram. The receiver, which knows the sender's unit, reports what is wrong
         * with it.
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
    private final ManagerCounters counters;
    private final EventLoop loop;
    private final EventLoop.Watch watch;
    private final Set<String> slow = new HashSet<>(); // users for whom descriptors are refused
    private final Ancillary beside = Ancillary.ofDescriptors(MAX_DESCRIPTORS);
    private final ByteBuffer data = ByteBuffer.allocateDirect(NotifyMessage.MAX_SIZE + 1);

    /**
     * Binds the socket, replacing one that an ended manager has left. Every user may send: the
     * sender decides which messages count.
     *
     * @param closer closes the descriptors that come with messages
     * @param survival hands over the socket of a killed manager, with the messages that wait in it
     * @throws ErrnoException EADDRINUSE if a manager is running there
     */
    public NotifySocket(
            Path path,
            EventLoop loop,
            FdCloser<String> closer,
            Receiver receiver,
            Survival survival,
            ManagerCounters counters,
            Consumer<String> complaints) {
        this.path = path;
        this.closer = closer;
        this.receiver = receiver;
        this.complaints = Complaints.on(loop, complaints);
        this.counters = counters;
        this.loop = loop;
        List<Fd> kept = survival.take(KEY);
        socket =
                kept.size() == 1
                        ? UnixSocket.adopt(kept.getFirst())
                        : UnixSocket.bind(new UnixAddress.PathName(path.toString()), FOR_ALL);
        socket.passIdentity();
        survival.keep(KEY, List.of(socket.fd()));
        watch = loop.watch(socket.fd(), Readiness.IN, _ -> receive());
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
        counters.messageReceived();
        Optional<Sender> sender = beside.takeSender();
        List<Fd> descriptors = beside.takeDescriptors();
        try {
            if (sender.isEmpty()) {
                return; // cannot happen: the kernel names each sender
            }
            if (sender.get().pidFd().isEmpty()) {
                counters.messageRefused();
                complaints.log(
                        new Complaints.Source("not held", sender.get().uid()),
                        "notify message of " + sender.get() + " ignored");
                return;
            }
            NotifySender held = new NotifySender(sender.get().pidFd().get(), sender.get().uid());
            if (beside.areDescriptorsCut()) {
                counters.messageRefused();
                complaints.log(
                        new Complaints.Source("cut", held.uid()),
                        "notify message of " + held + " ignored: descriptors were lost");
                return;
            }
            byte[] bytes = new byte[data.position()];
            data.get(0, bytes);
            receiver.datagram(held, bytes, descriptors);
        } finally {
            sender.ifPresent(Sender::close);
            close(sender.map(NotifySocket::owner).orElse("user unknown"), descriptors);
        }
    }

    /** Returns the owner of descriptors, for their closer. */
    private static String owner(Sender sender) {
        return "user " + sender.uid();
    }

    private void close(String owner, List<Fd> descriptors) {
        closer.close(owner, descriptors);
        if (closer.isFull(owner) && slow.add(owner)) {
            complaints.log(
                    owner,
                    "descriptors beside notify messages are refused: %d of %s are slow to be closed, which is the limit"
                            .formatted(FdCloser.MAX_WAITING, owner));
            takeDescriptors(false);
            lookAgain(owner);
        }
    }

    private void lookAgain(String owner) {
        EventLoop.Timer _ =
                loop.after(
                        REFUSAL,
                        () -> {
                            if (closer.isFull(owner)) {
                                lookAgain(owner);
                            } else {
                                boolean _ = slow.remove(owner);
                                takeDescriptors(slow.isEmpty());
                            }
                        });
    }

    private void takeDescriptors(boolean whether) {
        if (!socket.fd().isOpen()) {
            return; // closed meanwhile
        }
        if (Feature.PASS_RIGHTS.isPresent()) {
            socket.passDescriptors(whether);
        } else {
            watch.events(whether ? Readiness.IN : 0);
        }
    }

    @Override
    public void close() {
        beside.close();
        socket.close();
        boolean ignored = path.toFile().delete();
    }
}
