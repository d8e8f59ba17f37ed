package io.holdfast.manager;

import io.holdfast.core.limit.Charge;
import io.holdfast.core.limit.FairShare;
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
 * is being spawned, and so not known yet, waits until the spawn is over. What waits is charged to
 * the sender's user with its descriptors, for anybody may send while something is spawned. A
 * message is parsed once its sender's unit is known, so a complaint about it can name both. On the
 * loop.
 */
final class NotifyRouter implements NotifySocket.Receiver, AutoCloseable {
    private final UnitTable units;
    private final FdCloser<String> closer;
    private final Throttle complaints;
    private final boolean cgroups;
    private final FairShare<Long> shares = FairShare.of(ManagerLimits.EARLY_MESSAGES);
    private final Deque<Early> early = new ArrayDeque<>();

    /** A message that waits. What it owns is closed with it. */
    private static final class Early implements AutoCloseable {
        private final NotifySender sender;
        private final byte[] datagram;
        private final List<Fd> descriptors;
        private final FdCloser<String> closer;
        private final Charge<Long> charge;

        /**
         * @param charge of the message and its descriptors
         */
        Early(
                NotifySender sender,
                byte[] datagram,
                List<Fd> descriptors,
                FdCloser<String> closer,
                Charge<Long> charge) {
            this.sender = sender;
            this.datagram = datagram;
            this.descriptors = descriptors;
            this.closer = closer;
            this.charge = charge;
        }

        @Override
        public void close() {
            sender.close();
            closer.close("user " + sender.uid(), descriptors);
            charge.close();
        }
    }

    NotifyRouter(ManagerContext context, UnitTable units) {
        this.units = units;
        this.closer = context.closer();
        this.complaints = Complaints.on(context.loop(), context::warn);
        this.cgroups = context.cgroups().isPresent();
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

    /** Where there are cgroups a process is born in that of its unit. */
    private boolean mayBeEarly(PidFd sender, @Nullable Service owner) {
        return owner == null
                ? !cgroups && units.services().anyMatch(Service::isSpawning)
                : owner.isSpawning() && !owner.messages().knows(sender);
    }

    /** False if too many of the sender's user wait. */
    private boolean keep(NotifySender sender, byte[] datagram, List<Fd> descriptors) {
        Charge<Long> charge = shares.charge(sender.uid(), 1L + descriptors.size());
        if (charge == null) {
            complaints.log(
                    new Complaints.Source("early", sender.uid()),
                    "notify message of "
                            + sender
                            + " does not wait: "
                            + shares.refusal(sender.uid()));
            return false;
        }
        early.add(
                new Early(
                        sender.duplicate(),
                        datagram,
                        descriptors.stream().filter(Fd::isOpen).map(Fd::move).toList(),
                        closer,
                        charge));
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
