package io.holdfast.bus.connection;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.holdfast.bus.account.ChargedResource;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.core.EventLoop;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The delivered calls that are not answered yet: caller, callee and serial. A reply passes only if
 * it answers one of these, and only once. Slots are reused: steady operation allocates none.
 */
public final class PendingReplies {
    /** One call that waits for its reply. */
    public static final class Slot {
        private @Nullable Connection caller;
        private @Nullable Connection callee;
        private int serial;
        private @Nullable Slot nextInBucket; // or in the reserve
        private @Nullable Slot before; // in the caller's list
        private @Nullable Slot after;
        private @Nullable Slot above; // in the callee's list
        private @Nullable Slot below;
        private @Nullable Slot older; // in the list of all calls
        private @Nullable Slot younger;
        private long deadline; // on the clock of System.nanoTime, if there is a limit
        private boolean limited;

        public int serial() {
            return serial;
        }

        public Connection caller() {
            return java.util.Objects.requireNonNull(caller);
        }

        Connection callee() {
            return java.util.Objects.requireNonNull(callee);
        }
    }

    /** The list heads of one connection: the calls that it made, and the calls that it received. */
    public static final class Ends {
        private @Nullable Slot made;
        private @Nullable Slot got;
        private int madeCount;

        /** Returns how many calls of this connection wait for their reply. */
        public int outstanding() {
            return madeCount;
        }
    }

    private static final int KEPT = 4_096; // slots in reserve

    private final EventLoop loop;
    private final Charges charges;
    private final Consumer<Slot> onTimeout;
    private EventLoop.@Nullable Timer nextTimeout;
    private @Nullable Slot[] buckets = new @Nullable Slot[256];
    private int size;
    private @Nullable Slot oldest;
    private @Nullable Slot youngest;
    private @Nullable Slot reserve;
    private int reserved;

    /**
     * @param onTimeout called for each call whose reply took too long
     */
    public PendingReplies(EventLoop loop, Charges charges, Consumer<Slot> onTimeout) {
        this.loop = loop;
        this.charges = charges;
        this.onTimeout = onTimeout;
    }

    public int size() {
        return size;
    }

    /**
     * Adds a call that has been charged to the caller.
     *
     * @return false if a call with the same serial, caller and callee waits already
     */
    public boolean add(Connection caller, Connection callee, int serial) {
        int bucket = bucket(caller, callee, serial);
        if (find(bucket, caller, callee, serial) != null) {
            return false;
        }
        if (size > buckets.length) {
            grow();
            bucket = bucket(caller, callee, serial);
        }
        Slot slot = reserve;
        if (slot == null) {
            slot = new Slot();
        } else {
            reserve = slot.nextInBucket;
            reserved--;
        }
        slot.caller = caller;
        slot.callee = callee;
        slot.serial = serial;
        slot.nextInBucket = buckets[bucket];
        buckets[bucket] = slot;
        size++;
        long timeout = MILLISECONDS.toNanos(charges.limits().get(BusLimit.REPLY_TIMEOUT));
        slot.limited = timeout > 0;
        slot.deadline = slot.limited ? System.nanoTime() + timeout : 0;
        if (slot.limited && nextTimeout == null) {
            expireAfter(timeout);
        }
        slot.older = youngest;
        if (youngest == null) {
            oldest = slot;
        } else {
            youngest.younger = slot;
        }
        youngest = slot;

        Ends calling = caller.replies;
        slot.after = calling.made;
        if (calling.made != null) {
            calling.made.before = slot;
        }
        calling.made = slot;
        calling.madeCount++;
        Ends called = callee.replies;
        slot.below = called.got;
        if (called.got != null) {
            called.got.above = slot;
        }
        called.got = slot;
        return true;
    }

    /** Removes the call that a reply answers; returns false if there is none. */
    public boolean take(Connection caller, Connection callee, int serial) {
        Slot slot = find(bucket(caller, callee, serial), caller, callee, serial);
        if (slot == null) {
            return false;
        }
        remove(slot);
        return true;
    }

    /**
     * Removes the calls from and to a connection that leaves, and reports each that it never
     * answered.
     */
    public void end(Connection gone, Consumer<Slot> unanswered) {
        Ends ends = gone.replies;
        for (Slot slot = ends.made; slot != null; slot = ends.made) {
            remove(slot);
        }
        for (Slot slot = ends.got; slot != null; slot = ends.got) {
            unanswered.accept(slot);
            remove(slot);
        }
    }

    private void expireAfter(long nanos) {
        nextTimeout = loop.after(Duration.ofNanos(nanos), this::expire);
    }

    /** Removes the calls whose reply took too long, and reports each. */
    private void expire() {
        nextTimeout = null;
        long now = System.nanoTime();
        for (Slot slot = oldest; slot != null && slot.limited; slot = oldest) {
            long remaining = slot.deadline - now;
            if (remaining > 0) {
                expireAfter(remaining);
                return;
            }
            onTimeout.accept(slot);
            remove(slot);
        }
    }

    private @Nullable Slot find(int bucket, Connection caller, Connection callee, int serial) {
        for (Slot slot = buckets[bucket]; slot != null; slot = slot.nextInBucket) {
            if (slot.serial == serial && slot.caller == caller && slot.callee == callee) {
                return slot;
            }
        }
        return null;
    }

    private void remove(Slot slot) {
        Connection caller = slot.caller();
        Connection callee = slot.callee();
        int bucket = bucket(caller, callee, slot.serial);
        Slot previous = null;
        Slot at = buckets[bucket];
        while (at != slot) {
            previous = at;
            at = java.util.Objects.requireNonNull(at).nextInBucket;
        }
        if (previous == null) {
            buckets[bucket] = slot.nextInBucket;
        } else {
            previous.nextInBucket = slot.nextInBucket;
        }
        size--;
        charges.release(caller, ChargedResource.REPLY);
        if (slot.older == null) {
            oldest = slot.younger;
        } else {
            slot.older.younger = slot.younger;
        }
        if (slot.younger == null) {
            youngest = slot.older;
        } else {
            slot.younger.older = slot.older;
        }
        slot.older = null;
        slot.younger = null;

        if (slot.before == null) {
            caller.replies.made = slot.after;
        } else {
            slot.before.after = slot.after;
        }
        if (slot.after != null) {
            slot.after.before = slot.before;
        }
        caller.replies.madeCount--;
        if (slot.above == null) {
            callee.replies.got = slot.below;
        } else {
            slot.above.below = slot.below;
        }
        if (slot.below != null) {
            slot.below.above = slot.above;
        }

        slot.caller = null;
        slot.callee = null;
        slot.before = null;
        slot.after = null;
        slot.above = null;
        slot.below = null;
        if (reserved < KEPT) {
            slot.nextInBucket = reserve;
            reserve = slot;
            reserved++;
        } else {
            slot.nextInBucket = null;
        }
    }

    private int bucket(Connection caller, Connection callee, int serial) {
        int hash = (int) caller.id() * 0x9E3779B9 + (int) callee.id() * 0x85EBCA6B + serial;
        hash *= 0xC2B2AE35;
        return (hash ^ hash >>> 16) & buckets.length - 1;
    }

    private void grow() {
        @Nullable Slot[] old = buckets;
        buckets = new @Nullable Slot[old.length * 4];
        for (Slot first : old) {
            for (Slot slot = first; slot != null; ) {
                Slot next = slot.nextInBucket;
                int bucket = bucket(slot.caller(), slot.callee(), slot.serial);
                slot.nextInBucket = buckets[bucket];
                buckets[bucket] = slot;
                slot = next;
            }
        }
    }
}
