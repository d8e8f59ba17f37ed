package io.holdfast.manager;

import io.holdfast.core.limit.Throttle;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.FdCloser;
import io.holdfast.core.process.PidFd;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Routes each notify message to the service that its sender belongs to. A message of a process that
 * is being spawned, and so not known yet, waits until the spawn is over. A message is parsed once
 * its sender's unit is known, so a complaint about it can name both. On the loop.
 */
final class NotifyRouter implements NotifySocket.Receiver, AutoCloseable {
    private final UnitTable units;
    private final FdCloser<String> closer;
    private final Throttle complaints;
    private final Deque<Early> early = new ArrayDeque<>();

    /** A message that waits. What it owns is closed with it. */
    private static final class Early implements AutoCloseable {
        private final NotifySender sender;
        private final byte[] datagram;
        private final List<Fd> descriptors;
        private final FdCloser<String> closer;

        Early(NotifySender sender, byte[] datagram, List<Fd> descriptors, FdCloser<String> closer) {
            this.sender = sender;
            this.datagram = datagram;
            this.descriptors = descriptors;
            this.closer = closer;
        }

        @Override
        public void close() {
            sender.close();
            closer.close("early messages", descriptors);
        }
    }

    NotifyRouter(ManagerContext context, UnitTable units) {
        this.units = units;
        this.closer = context.closer();
        this.complaints = Complaints.on(context.loop(), context::warn);
    }

    @Override
    public void datagram(NotifySender sender, byte[] datagram, List<Fd> descriptors) {
        Service owner;
        try {
            owner = units.ownerOf(sender.process());
        } catch (ErrnoException e) {
            complaints.log(
                    new Complaints.Source("not placed", sender.uid()),
                    "notify message of " + sender + " ignored: " + e.getMessage());
            return;
        }
        if (mayBeEarly(sender.process(), owner) && keep(sender, datagram, descriptors)) {
            return;
        }
        if (owner != null) {
            owner.messages().take(sender, datagram, descriptors);
            return;
        }
        complaints.log(
                new Complaints.Source("stranger", sender.uid()),
                "notify message of " + sender + " ignored: it belongs to no unit");
    }

    private boolean mayBeEarly(PidFd sender, @Nullable Service owner) {
        return owner == null
                ? units.services().anyMatch(Service::isSpawning)
                : owner.isSpawning() && !owner.messages().knows(sender);
    }

    /** False if too many wait. */
    private boolean keep(NotifySender sender, byte[] datagram, List<Fd> descriptors) {
        if (early.size() >= ManagerLimits.EARLY_MESSAGES.intValue()) {
            return false;
        }
        early.add(
                new Early(
                        sender.duplicate(),
                        datagram,
                        descriptors.stream().filter(Fd::isOpen).map(Fd::move).toList(),
                        closer));
        return true;
    }

    /** A spawn is over. */
    void spawned() {
        List<Early> waiting = List.copyOf(early);
        early.clear();
        for (Early one : waiting) {
            try (one) {
                datagram(one.sender, one.datagram, one.descriptors);
            }
        }
    }

    @Override
    public void close() {
        early.forEach(Early::close);
        early.clear();
    }
}
