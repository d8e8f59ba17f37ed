package io.holdfast.manager.reaction;

import io.holdfast.manager.survival.ManagerEnd;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Decides how the manager ends. Units ({@code FailureAction=}), signals and clients can end it; the
 * first request decides how, and later requests can only make it faster. Used on the event loop.
 */
public final class Ending {
    /** The two ways to stop the units. */
    public interface Stops {
        /** Stops all units in order. */
        void stopInOrder();

        /** Leaves the event loop; closing the manager kills the processes that are left. */
        void stopAtOnce();
    }

    private final boolean isContainerInit;
    private final Stops stops;
    private ManagerEnd end;
    private boolean begun;

    /**
     * @param before the decision of a previous manager that was killed while it stopped; empty if
     *     there was none
     */
    public Ending(boolean isContainerInit, Optional<ManagerEnd> before, Stops stops) {
        this.isContainerInit = isContainerInit;
        this.end = before.orElse(ManagerEnd.PLAIN);
        this.begun = before.isPresent();
        this.stops = stops;
    }

    /** Returns whether the manager can also halt, power off and restart its container. */
    public boolean isOfContainer() {
        return isContainerInit;
    }

    public ManagerEnd end() {
        return end;
    }

    /** Sets the exit status, unless the manager is ending already. */
    public void setStatus(int status) {
        if (!begun) {
            end = end.withStatus(status);
        }
    }

    /**
     * Ends the manager.
     *
     * @param status the exit status; empty for the one set by {@link #setStatus}
     * @param atOnce whether units are killed instead of stopped in order
     */
    public void begin(ManagerEnd.What what, OptionalInt status, boolean atOnce) {
        if (!begun) {
            begun = true;
            end = new ManagerEnd(what, status.isPresent() ? status : end.status());
        }
        if (atOnce) {
            stops.stopAtOnce();
        } else {
            stops.stopInOrder();
        }
    }
}
