package io.holdfast.manager;

import io.holdfast.manager.survival.ManagerEnd;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How the manager will end: chosen by units ({@code FailureAction=}), signals and clients. The
 * first who ends it decides; whoever comes later can only make it quicker. On the loop.
 */
final class Ending {
    /** The two ways to stop the units. */
    interface Stops {
        /** Stops all units in their order. */
        void stopInOrder();

        /** Leaves the loop; what still runs is killed when the manager closes. */
        void stopAtOnce();
    }

    private final boolean isContainerInit;
    private final Stops stops;
    private ManagerEnd end;
    private boolean begun;

    /**
     * @param before what a manager that was killed while it stopped had decided; empty if there was
     *     none
     */
    Ending(boolean isContainerInit, Optional<ManagerEnd> before, Stops stops) {
        this.isContainerInit = isContainerInit;
        this.end = before.orElse(ManagerEnd.PLAIN);
        this.begun = before.isPresent();
        this.stops = stops;
    }

    /** Whether the manager can also halt, power off and restart its container. */
    boolean isOfContainer() {
        return isContainerInit;
    }

    ManagerEnd end() {
        return end;
    }

    /** Sets the exit status, unless the end has begun. */
    void setStatus(int status) {
        if (!begun) {
            end = end.withStatus(status);
        }
    }

    /**
     * Ends the manager.
     *
     * @param status of its exit; empty for the one that {@link #setStatus} has set
     * @param atOnce whether units are killed instead of stopped in order
     */
    void begin(ManagerEnd.What what, OptionalInt status, boolean atOnce) {
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
