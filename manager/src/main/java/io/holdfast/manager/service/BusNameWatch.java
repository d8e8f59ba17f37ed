package io.holdfast.manager.service;

import io.holdfast.core.Registration;
import io.holdfast.manager.runtime.BusNameWatcher;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Watches the bus name of a run of a service. An owner from before the run has nothing to do with
 * it: only a change shows that the service has taken its name. Used on the event loop.
 */
final class BusNameWatch {
    private @Nullable Registration watch;
    private int run; // results for an earlier run are ignored
    private boolean known;
    private Optional<String> owner = Optional.empty();
    private boolean taken;

    /**
     * Begins to watch.
     *
     * @param ready called once with the present owner, as soon as it is known
     * @param changed called with the owner at each later change
     */
    void begin(
            BusNameWatcher bus,
            String name,
            Consumer<Optional<String>> ready,
            Consumer<Optional<String>> changed) {
        end();
        int mine = run;
        Registration begun =
                bus.onOwner(
                        name,
                        now -> {
                            if (mine == run) {
                                ownerChanged(now, ready, changed);
                            }
                        });
        if (mine == run) {
            watch = begun;
        } else { // the first callback ended it
            begun.cancel();
        }
    }

    /**
     * Watches the name for a process that an earlier manager started: a present owner has the name
     * from that process.
     *
     * @param changed called with the owner, if there is one, and at each later change
     */
    void resume(BusNameWatcher bus, String name, Consumer<Optional<String>> changed) {
        begin(
                bus,
                name,
                now -> {
                    taken = now.isPresent();
                    if (taken) {
                        changed.accept(now);
                    }
                },
                changed);
    }

    private void ownerChanged(
            Optional<String> now,
            Consumer<Optional<String>> ready,
            Consumer<Optional<String>> changed) {
        boolean first = !known;
        boolean different = !now.equals(owner);
        known = true;
        owner = now;
        if (first) {
            ready.accept(now);
        } else if (different) {
            taken = now.isPresent();
            changed.accept(now);
        }
    }

    /** Returns whether the name has an owner that took it during the run. */
    boolean isTaken() {
        return taken;
    }

    void end() {
        run++;
        known = false;
        taken = false;
        owner = Optional.empty();
        Registration ended = watch;
        watch = null;
        if (ended != null) {
            ended.cancel();
        }
    }
}
