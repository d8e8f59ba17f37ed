package io.holdfast.manager.run;

import java.util.Optional;

/**
 * The ended run whose folders are preserved for the next run ({@code
 * RuntimeDirectoryPreserve=restart}).
 */
public final class PreservedRun {
    private Optional<UnitRun> run = Optional.empty();

    /** Replaces the previous run, whose folders belong to this run too. */
    public void keep(Optional<UnitRun> ended) {
        run = ended;
    }

    public boolean isEmpty() {
        return run.isEmpty();
    }

    /** Removes the preserved folders, if there are any, and then continues. */
    public void discard(Runnable then) {
        Optional<UnitRun> left = run;
        run = Optional.empty();
        left.ifPresentOrElse(kept -> kept.discard(then), then);
    }
}
