package io.holdfast.manager.service;

import io.holdfast.core.Registration;
import io.holdfast.manager.runtime.BusNames;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The name on the bus that a run of a service is known by. Who has it before the service runs has
 * nothing to do with this run: only a change tells that it is there. On the loop.
 */
final class BusNameWatch {
    private @Nullable Registration watch;
    private int run; // of which it is told; what is told of an earlier one does not count
    private boolean known;
    private Optional<String> owner = Optional.empty();
    private boolean taken;

    /**
     * Begins to look.
     *
     * @param ready told once when it is known who has the name now
     * @param changed told of each change after that
     */
    void begin(
            BusNames bus,
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
                                told(now, ready, changed);
                            }
                        });
        if (mine == run) {
            watch = begun;
        } else { // it was ended by what it told at once
            begun.cancel();
        }
    }

    /**
     * Goes on looking for a process that an earlier manager has started: whoever has the name, has
     * it of that one.
     *
     * @param changed told of the owner, and of each change after that
     */
    void resume(BusNames bus, String name, Consumer<Optional<String>> changed) {
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

    private void told(
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

    /** Whether somebody has the name who had it not before the run. */
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
