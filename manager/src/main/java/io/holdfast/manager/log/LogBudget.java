package io.holdfast.manager.log;

import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * A bound on the memory that the output kept of all units takes: one for the last lines, and one
 * for the files that the next manager reads. The limits of a single unit do not add up to it: they
 * let a few units keep much, and all units together keep more than there is.
 *
 * <p>When the budget is used up, the noisiest unit loses the older half of its output, and then
 * whichever unit is the noisiest, until an eighth of the budget is free again: so a line costs
 * constant time on average, and a quiet unit keeps its lines whatever the others write. Used by one
 * thread.
 */
final class LogBudget {
    /** The output kept of one unit. */
    interface Member {
        /** {@return the memory that it takes, in bytes, at most} */
        long bytes();

        /**
         * Drops the older half of it, but not the last line.
         *
         * @return how many bytes that frees
         */
        long halve();
    }

    private final long most;
    private final Set<Member> members = new LinkedHashSet<>();
    private long held;

    /**
     * @param most the budget in bytes
     */
    LogBudget(long most) {
        this.most = most;
    }

    /** Counts a member, from now until {@link #remove}. */
    void add(Member member) {
        if (members.add(member)) {
            grow(member.bytes());
        }
    }

    void remove(Member member) {
        if (members.remove(member)) {
            held -= member.bytes();
        }
    }

    /** Counts a change in the size of a member; it may lose output because of that. */
    void grow(long bytes) {
        held += bytes;
        if (held > most) {
            shrink(most - most / 8);
        }
    }

    private void shrink(long to) {
        while (held > to) {
            Member noisiest = members.stream().max(Comparator.comparingLong(Member::bytes)).get();
            long freed = noisiest.halve();
            if (freed == 0) {
                return; // every member has the least that it can have
            }
            held -= freed;
        }
    }

    /** {@return the bytes that all members take} */
    long held() {
        return held;
    }
}
