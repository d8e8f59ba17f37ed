package io.holdfast.manager.service;

import java.util.Optional;

/**
 * The ended run whose folders are preserved for the next run ({@code
 * RuntimeDirectoryPreserve=restart}).
 */
final class PreservedRun {
    private Optional<ServiceRun> run = Optional.empty();

    /** Replaces the previous run, whose folders belong to this run too. */
    void keep(Optional<ServiceRun> ended) {
        run = ended;
    }

    boolean isEmpty() {
        return run.isEmpty();
    }

    /** Removes the preserved folders, if there are any, and then continues. */
    void discard(Runnable then) {
        Optional<ServiceRun> left = run;
        run = Optional.empty();
        left.ifPresentOrElse(kept -> kept.discard(then), then);
    }
}
