package io.holdfast.manager.notify;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.Readiness;
import io.holdfast.core.socket.Sender;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.wait.FdCloser;
import io.holdfast.manager.log.Complaints;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.unit.UnitName;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The socket of {@code $NOTIFY_SOCKET} (sd_notify(3)) of one run of a service. The sender of each
 * message is identified by the pidfd that the kernel gives us (SCM_PIDFD), never by a PID in the
 * message.
 *
 * <p>A service may send descriptors whose close blocks for as long as it likes. While too many of
 * them wait to be closed, its socket takes no descriptors: messages without them still arrive. A
 * kernel before Linux 6.16 cannot refuse descriptors; there the messages wait.
 */
public final class NotifySocket implements AutoCloseable {
    /** Pause after which a full closer is checked again, while descriptors are refused. */
    private static final Duration REFUSAL = Duration.ofSeconds(1);

    private final NotifySockets all;
    private final UnitName unit;
    private final Path path;
    final UnixSocket socket;
    private final String owner; // of descriptors, for the closer
    private final EventLoop.Watch watch;
    private boolean refusing; // descriptors

    NotifySocket(NotifySockets all, UnitName unit, Path path, UnixSocket socket) {
        this.all = all;
        this.unit = unit;
        this.path = path;
        this.socket = socket;
        this.owner = "messages of " + unit;
        watch = all.loop.watch(socket.fd(), Readiness.IN, _ -> receive());
        limitDescriptors(); // an earlier run of the unit may have filled the closer
    }

    /** {@return the path for {@code $NOTIFY_SOCKET}} */
    public Path path() {
        return path;
    }

    UnitName unit() {
        return unit;
    }

    private void receive() {
        for (int i = 0; i < ManagerLimits.NOTIFY_BATCH.intValue() && socket.fd().isOpen(); i++) {
            if (!receiveOne()) {
                return;
            }
            take();
        }
    }

    /** Receives a message into the common buffer; returns whether there was one. */
    private boolean receiveOne() {
        all.data.clear();
        try {
            return socket.tryReceive(all.data, all.beside) != UnixSocket.WOULD_BLOCK;
        } catch (ErrnoException e) {
            all.complaints.log("lost", "notify message lost: " + e.getMessage());
            return false;
        }
    }

    private void take() {
        all.counters.messageReceived();
        Optional<Sender> sender = all.beside.takeSender();
        List<Fd> descriptors = all.beside.takeDescriptors();
        try {
            if (sender.isEmpty()) {
                return; // cannot happen: the kernel names each sender
            }
            if (sender.get().pidFd().isEmpty()) {
                all.counters.messageRefused();
                all.complaints.log(
                        new Complaints.Source("not held", sender.get().uid()),
                        "notify message of " + sender.get() + " ignored");
                return;
            }
            NotifySender held = new NotifySender(sender.get().pidFd().get(), sender.get().uid());
            if (all.beside.areDescriptorsCut()) {
                all.counters.messageRefused();
                all.complaints.log(
                        new Complaints.Source("cut", held.uid()),
                        "notify message of " + held + " ignored: descriptors were lost");
                return;
            }
            byte[] bytes = new byte[all.data.position()];
            all.data.get(0, bytes);
            all.receiver.datagram(unit, held, bytes, descriptors);
        } finally {
            sender.ifPresent(Sender::close);
            all.closer.close(owner, descriptors);
            limitDescriptors();
        }
    }

    private void limitDescriptors() {
        if (!refusing && all.closer.isFull(owner) && socket.fd().isOpen()) {
            all.complaints.log(
                    owner,
                    "%s: descriptors beside notify messages are refused: %d are slow to be closed, which is the limit"
                            .formatted(unit, FdCloser.MAX_WAITING));
            takeDescriptors(false);
            lookAgain();
        }
    }

    private void lookAgain() {
        EventLoop.Timer _ =
                all.loop.after(
                        REFUSAL,
                        () -> {
                            if (!socket.fd().isOpen()) {
                                return; // closed meanwhile
                            }
                            if (all.closer.isFull(owner)) {
                                lookAgain();
                            } else {
                                takeDescriptors(true);
                            }
                        });
    }

    private void takeDescriptors(boolean whether) {
        refusing = !whether;
        if (Feature.PASS_RIGHTS.isPresent()) {
            socket.passDescriptors(whether);
        } else {
            watch.events(whether ? Readiness.IN : 0);
        }
    }

    /** Removes the socket's file, and drops the messages that wait. */
    @Override
    public void close() {
        if (!socket.fd().isOpen()) {
            return;
        }
        watch.close();
        all.closed(this);
        socket.shutdown(); // nobody can send any more, so the loop ends
        while (receiveOne()) { // the close of the socket would close the descriptors here
            all.beside.takeSender().ifPresent(Sender::close);
            all.closer.close(owner, all.beside.takeDescriptors());
        }
        socket.close();
    }
}
