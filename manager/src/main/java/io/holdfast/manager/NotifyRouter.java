package io.holdfast.manager;

import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.process.PidFd;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Brings each notify message to the service that its sender is of. One of a process that is being
 * spawned, and so not known yet, waits until that is over. On the loop.
 */
final class NotifyRouter implements NotifySocket.Receiver, AutoCloseable {
    private final UnitTable units;
    private final ThrottledLine unplaced;
    private final ThrottledLine strange;
    private final Deque<Early> early = new ArrayDeque<>();

    /** A message that waits. What it owns is closed with it. */
    private record Early(PidFd sender, NotifyMessage message, List<Fd> descriptors)
            implements AutoCloseable {
        @Override
        public void close() {
            sender.close();
            descriptors.forEach(Fd::close);
        }
    }

    NotifyRouter(ManagerContext context, UnitTable units) {
        this.units = units;
        this.unplaced = ThrottledLine.on(context.loop(), context::warn);
        this.strange = ThrottledLine.on(context.loop(), context::warn);
    }

    @Override
    public void message(PidFd sender, NotifyMessage message, List<Fd> descriptors) {
        Service owner;
        try {
            owner = units.ownerOf(sender);
        } catch (ErrnoException e) {
            unplaced.say("a notify message was ignored: " + e.getMessage());
            return;
        }
        if (mayBeEarly(sender, owner) && keep(sender, message, descriptors)) {
            return;
        }
        if (owner != null) {
            owner.messages().take(sender, message, descriptors);
            return;
        }
        strange.say("a notify message of " + sender + ", which belongs to no unit, was ignored");
    }

    private boolean mayBeEarly(PidFd sender, @Nullable Service owner) {
        return owner == null
                ? units.services().anyMatch(Service::isSpawning)
                : owner.isSpawning() && !owner.messages().knows(sender);
    }

    /** False if too many wait. */
    private boolean keep(PidFd sender, NotifyMessage message, List<Fd> descriptors) {
        if (early.size() >= Limits.EARLY_MESSAGES) {
            return false;
        }
        early.add(
                new Early(
                        sender.duplicate(),
                        message,
                        descriptors.stream().filter(Fd::isOpen).map(Fd::move).toList()));
        return true;
    }

    /** A spawn is over. */
    void spawned() {
        List<Early> waiting = List.copyOf(early);
        early.clear();
        for (Early one : waiting) {
            try (one) {
                message(one.sender(), one.message(), one.descriptors());
            }
        }
    }

    @Override
    public void close() {
        early.forEach(Early::close);
        early.clear();
    }
}
