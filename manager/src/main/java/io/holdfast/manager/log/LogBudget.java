package io.holdfast.manager.log;

import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * A bound on the memory that the last lines of all units take. The limits of a single unit do not
 * add up to it: they let a few units keep much, and all units together keep more than the heap.
 *
 * <p>When the budget is used up, the noisiest unit loses the older half of its lines, and then
 * whichever unit is the noisiest, until an eighth of the budget is free again: so a line costs
 * constant time on average, and a quiet unit keeps its lines whatever the others write. Used by one
 * thread.
 */
final class LogBudget {
    private final long most;
    private final Set<UnitLog> logs = new LinkedHashSet<>();
    private long held;

    /**
     * @param most the budget in bytes
     */
    LogBudget(long most) {
        this.most = most;
    }

    /** Counts a log, from now until {@link #remove}. */
    void add(UnitLog log) {
        if (logs.add(log)) {
            grow(log.bytes());
        }
    }

    void remove(UnitLog log) {
        if (logs.remove(log)) {
            held -= log.bytes();
        }
    }

    /** Counts a change in the size of a log; it may lose lines because of that. */
    void grow(long bytes) {
        held += bytes;
        if (held > most) {
            shrink(most - most / 8);
        }
    }

    private void shrink(long to) {
        while (held > to) {
            UnitLog noisiest = logs.stream().max(Comparator.comparingLong(UnitLog::bytes)).get();
            long freed = noisiest.halve();
            if (freed == 0) {
                return; // every log has one line at most
            }
            held -= freed;
        }
    }

    /** {@return the bytes that the lines of all logs take} */
    long held() {
        return held;
    }
}
