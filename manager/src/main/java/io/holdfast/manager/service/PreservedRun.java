package io.holdfast.manager.service;

import java.util.Optional;

/** The run whose folders are kept for the next ({@code RuntimeDirectoryPreserve=restart}). */
final class PreservedRun {
    private Optional<ServiceRun> run = Optional.empty();

    /** Instead of the one before, whose folders are this one's, too. */
    void keep(Optional<ServiceRun> ended) {
        run = ended;
    }

    boolean isEmpty() {
        return run.isEmpty();
    }

    /** Removes what was kept, if anything was, and goes on with that done. */
    void discard(Runnable then) {
        Optional<ServiceRun> left = run;
        run = Optional.empty();
        left.ifPresentOrElse(kept -> kept.discard(then), then);
    }
}
