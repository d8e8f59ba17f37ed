package io.holdfast.bus.connection;

import static java.util.Objects.requireNonNull;
import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.holdfast.bus.account.Charge;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.config.Limits;
import io.holdfast.core.EventLoop;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The delivered calls that are not answered yet. A reply passes only if it answers one of these,
 * and only once.
 */
public final class PendingReplies {
    /** One call that waits for its reply. Calls are equal if a reply would answer both. */
    public static final class Call {
        private final Connection caller;
        private final Connection callee;
        private final int serial;
        private int index; // in the caller's list
        private @Nullable Charge charge;
        private long deadline; // on the clock of System.nanoTime; 0 if there is no limit

        private Call(Connection caller, Connection callee, int serial) {
            this.caller = caller;
            this.callee = callee;
            this.serial = serial;
        }

        public Connection caller() {
            return caller;
        }

        public int serial() {
            return serial;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Call call
                    && call.serial == serial
                    && call.caller == caller
                    && call.callee == callee;
        }

        @Override
        public int hashCode() {
            return ((int) caller.id() * 31 + (int) callee.id()) * 31 + serial;
        }
    }

    private final EventLoop loop;
    private final Supplier<Limits> limits;
    private final Consumer<Call> onTimeout;
    private EventLoop.@Nullable Timer nextTimeout;
    private final Set<Call> limited =
            new LinkedHashSet<>(); // those with a deadline, the oldest first
    private int size;

    /**
     * @param limits returns the limits that apply now
     * @param onTimeout called for each call whose reply took too long
     */
    public PendingReplies(EventLoop loop, Supplier<Limits> limits, Consumer<Call> onTimeout) {
        this.loop = loop;
        this.limits = limits;
        this.onTimeout = onTimeout;
    }

    public int size() {
        return size;
    }

    /**
     * Adds a call.
     *
     * @param charge closed when the call is removed; the caller closes it if this returns false
     * @return false if a call with the same serial, caller and callee waits already
     */
    public boolean add(Connection caller, Connection callee, int serial, Charge charge) {
        Call call = new Call(caller, callee, serial);
        long timeout = MILLISECONDS.toNanos(limits.get().get(BusLimit.REPLY_TIMEOUT));
        call.deadline = timeout > 0 ? System.nanoTime() + timeout : 0;
        call.charge = charge;
        if (callee.callsReceived.putIfAbsent(call, call) != null) {
            return false;
        }
        call.index = caller.callsMade.size();
        boolean _ = caller.callsMade.add(call);
        size++;
        if (timeout > 0) {
            boolean _ = limited.add(call);
            if (nextTimeout == null) {
                expireAfter(timeout);
            }
        }
        return true;
    }

    /** Removes the call that a reply answers; returns false if there is none. */
    public boolean take(Connection caller, Connection callee, int serial) {
        return remove(new Call(caller, callee, serial));
    }

    private boolean remove(Call equal) {
        Call call = equal.callee.callsReceived.remove(equal);
        if (call == null) {
            return false;
        }
        Call last = call.caller.callsMade.removeLast();
        if (last.index != call.index) { // it takes the place of the removed call
            last.index = call.index;
            Call _ = call.caller.callsMade.set(last.index, last);
        }
        if (call.deadline != 0) {
            boolean _ = limited.remove(call);
        }
        size--;
        requireNonNull(call.charge).close();
        return true;
    }

    /**
     * Removes the calls from and to a connection that leaves, and reports each that it never
     * answered.
     */
    public void end(Connection gone, Consumer<Call> unanswered) {
        while (!gone.callsMade.isEmpty()) {
            boolean _ = remove(gone.callsMade.getLast());
        }
        while (!gone.callsReceived.isEmpty()) {
            Call call = gone.callsReceived.keySet().iterator().next();
            unanswered.accept(call);
            boolean _ = remove(call);
        }
    }

    private void expireAfter(long nanos) {
        nextTimeout = loop.after(Duration.ofNanos(nanos), this::expire);
    }

    /** Removes the calls whose reply took too long, and reports each. */
    private void expire() {
        nextTimeout = null;
        long now = System.nanoTime();
        while (!limited.isEmpty()) {
            Call oldest = limited.iterator().next();
            long remaining = oldest.deadline - now;
            if (remaining > 0) {
                expireAfter(remaining);
                return;
            }
            onTimeout.accept(oldest);
            boolean _ = remove(oldest);
        }
    }
}
