package io.holdfast.manager.notify;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.limit.Charge;
import io.holdfast.core.limit.FairShare;
import io.holdfast.core.limit.Throttle;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.wait.FdCloser;
import io.holdfast.manager.log.Complaints;
import io.holdfast.manager.loop.ManagerCounters;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.process.ProcessIndex;
import io.holdfast.manager.process.Workload;
import io.holdfast.manager.unit.UnitName;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Routes each notify message to the unit of its sender, if it came by the socket of this unit: an
 * orphan without a cgroup can give itself the mark of another unit, but does not know the name of
 * its socket. If the sender may be a process that is being spawned, and so not known yet, the
 * message waits until the spawn is over. A waiting message and its descriptors are charged to the
 * sender's user, because every user may send while a spawn is in progress. A message is parsed once
 * its sender's unit is known, so a complaint about it can name both. On the loop.
 */
public final class NotifyRouter implements NotifySockets.Receiver, AutoCloseable {
    /** A unit whose processes may send messages. */
    public interface Recipient {
        /**
         * Returns whether a process of it is being spawned; the manager does not know this process
         * yet, but it may already send messages.
         */
        boolean isSpawning();

        /** {@return whether the process is its main or control process} */
        boolean knows(PidFd process);

        /** Takes a datagram of a process that belongs to this unit. */
        void take(NotifySender sender, byte[] datagram, List<Fd> descriptors);
    }

    private final ProcessIndex index;
    private final Function<UnitName, Optional<? extends Recipient>> recipients;
    private final FdCloser<String> closer;
    private final Throttle complaints;
    private final ManagerCounters counters;
    private final boolean cgroups;
    private final FairShare<Long> shares = FairShare.of(ManagerLimits.EARLY_MESSAGES);
    private final Deque<Early> early = new ArrayDeque<>();

    /** A waiting message. Its close also closes its sender and descriptors. */
    private static final class Early implements AutoCloseable {
        private final UnitName socket;
        private final NotifySender sender;
        private final byte[] datagram;
        private final List<Fd> descriptors;
        private final FdCloser<String> closer;
        private final Charge<Long> charge;

        /**
         * @param charge for the message and its descriptors
         */
        Early(
                UnitName socket,
                NotifySender sender,
                byte[] datagram,
                List<Fd> descriptors,
                FdCloser<String> closer,
                Charge<Long> charge) {
            this.socket = socket;
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

    /**
     * @param warnings receives lines about ignored messages
     * @param cgroups whether processes are born in the cgroup of their unit
     * @param counters counts the ignored messages
     * @param recipients finds the unit of a name, if it takes messages
     */
    public NotifyRouter(
            EventLoop loop,
            FdCloser<String> closer,
            Consumer<String> warnings,
            boolean cgroups,
            ProcessIndex index,
            ManagerCounters counters,
            Function<UnitName, Optional<? extends Recipient>> recipients) {
        this.index = index;
        this.recipients = recipients;
        this.closer = closer;
        this.complaints = Complaints.on(loop, warnings);
        this.counters = counters;
        this.cgroups = cgroups;
    }

    @Override
    public void datagram(
            UnitName socket, NotifySender sender, byte[] datagram, List<Fd> descriptors) {
        Optional<UnitName> unit;
        try {
            unit = index.ownerOf(sender.process()).map(Workload::unit);
        } catch (ErrnoException e) {
            counters.messageRefused();
            complaints.log(
                    new Complaints.Source("not placed", sender.uid()),
                    "notify message of " + sender + " ignored: " + e.getMessage());
            return;
        }
        if (unit.filter(it -> !it.equals(socket)).isPresent()) {
            counters.messageRefused();
            complaints.log(
                    new Complaints.Source("other socket", sender.uid()),
                    "notify message of %s, a process of %s, ignored: it came by the socket of %s"
                            .formatted(sender, unit.get(), socket));
            return;
        }
        Recipient owner = unit.flatMap(recipients).orElse(null);
        if (mayBeEarly(sender.process(), owner) && keep(socket, sender, datagram, descriptors)) {
            return;
        }
        if (owner != null) {
            owner.take(sender, datagram, descriptors);
            return;
        }
        counters.messageRefused();
        complaints.log(
                new Complaints.Source("stranger", sender.uid()),
                "notify message of " + sender + " ignored: it belongs to no unit");
    }

    /**
     * Returns whether the sender may be a process that is being spawned. With cgroups, such a
     * process is born in the cgroup of its unit, and so has an owner.
     */
    private boolean mayBeEarly(PidFd sender, @Nullable Recipient owner) {
        return owner == null
                ? !cgroups && index.isAnySpawning()
                : owner.isSpawning() && !owner.knows(sender);
    }

    /** Keeps the message for later; returns false if too many of the sender's user wait. */
    private boolean keep(
            UnitName socket, NotifySender sender, byte[] datagram, List<Fd> descriptors) {
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
                        socket,
                        sender.duplicate(),
                        datagram,
                        descriptors.stream().filter(Fd::isOpen).map(Fd::move).toList(),
                        closer,
                        charge));
        return true;
    }

    /** Routes the waiting messages again, because a spawn is over. */
    public void spawned() {
        List<Early> waiting = List.copyOf(early);
        early.clear();
        for (Early one : waiting) {
            try (one) {
                datagram(one.socket, one.sender, one.datagram, one.descriptors);
            }
        }
    }

    @Override
    public void close() {
        early.forEach(Early::close);
        early.clear();
    }
}
