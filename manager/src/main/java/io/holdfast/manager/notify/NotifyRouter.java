package io.holdfast.manager.notify;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.FdCloser;
import io.holdfast.core.limit.Charge;
import io.holdfast.core.limit.FairShare;
import io.holdfast.core.limit.Throttle;
import io.holdfast.core.process.PidFd;
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
 * Routes each notify message to the service that its sender belongs to. A message of a process that
 * is being spawned, and so not known yet, waits until the spawn is over. What waits is charged to
 * the sender's user with its descriptors, for anybody may send while something is spawned. A
 * message is parsed once its sender's unit is known, so a complaint about it can name both. On the
 * loop.
 */
public final class NotifyRouter implements NotifySocket.Receiver, AutoCloseable {
    /** A unit whose processes may send messages. */
    public interface Recipient {
        /**
         * Whether a process of it is being spawned, which is not known yet and may speak already.
         */
        boolean isSpawning();

        /** Whether it is the main process, or the one that runs a command beside it. */
        boolean knows(PidFd process);

        /** Takes a datagram of a process that this unit owns. */
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

    /**
     * @param warnings gets lines on messages that are ignored
     * @param cgroups whether processes are born in the cgroup of their unit
     * @param counters counts the messages that are ignored
     * @param recipients the unit of that name, if it takes messages
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
    public void datagram(NotifySender sender, byte[] datagram, List<Fd> descriptors) {
        Recipient owner;
        try {
            owner = ownerOf(sender.process());
        } catch (ErrnoException e) {
            counters.messageRefused();
            complaints.log(
                    new Complaints.Source("not placed", sender.uid()),
                    "notify message of " + sender + " ignored: " + e.getMessage());
            return;
        }
        if (mayBeEarly(sender.process(), owner) && keep(sender, datagram, descriptors)) {
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

    private @Nullable Recipient ownerOf(PidFd process) {
        Optional<? extends Recipient> owner =
                index.ownerOf(process).map(Workload::unit).flatMap(recipients);
        return owner.orElse(null);
    }

    /** Where there are cgroups a process is born in that of its unit. */
    private boolean mayBeEarly(PidFd sender, @Nullable Recipient owner) {
        return owner == null
                ? !cgroups && index.isAnySpawning()
                : owner.isSpawning() && !owner.knows(sender);
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
    public void spawned() {
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
