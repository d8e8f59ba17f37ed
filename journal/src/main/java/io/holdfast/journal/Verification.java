package io.holdfast.journal;

import java.util.List;

/**
 * The result of verifying a journal file.
 *
 * @param objects the number of objects that were read
 * @param entries the number of entries that were read
 * @param problems what is wrong, in the order of discovery; at most 100
 */
public record Verification(long objects, long entries, List<JournalException> problems) {
    /** Copies the problems. */
    public Verification {
        problems = List.copyOf(problems);
    }

    /** {@return whether nothing is wrong} */
    public boolean isValid() {
        return problems.isEmpty();
    }
}
