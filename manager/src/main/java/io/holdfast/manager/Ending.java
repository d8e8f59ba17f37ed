package io.holdfast.manager;

import io.holdfast.manager.survival.ManagerEnd;
import java.util.OptionalInt;

/**
 * How the manager will end: chosen by units ({@code FailureAction=}), signals and clients. The
 * first who ends it decides. On the loop.
 */
final class Ending {
    /** What ends the manager. */
    interface Ways {
        /** Stops all units in order. */
        void inOrder();

        /** Kills what is left. */
        void atOnce();
    }

    private final boolean isContainerInit;
    private final Ways ways;
    private ManagerEnd end;
    private boolean begun;

    /**
     * @param end as a manager that was killed had it
     */
    Ending(boolean isContainerInit, ManagerEnd end, Ways ways) {
        this.isContainerInit = isContainerInit;
        this.end = end;
        this.ways = ways;
    }

    /** Whether more than the manager can be ended. */
    boolean isOfContainer() {
        return isContainerInit;
    }

    ManagerEnd end() {
        return end;
    }

    /** The exit status, unless who ends the manager chooses another one. */
    void setStatus(int status) {
        if (!begun) {
            end = end.withStatus(status);
        }
    }

    /**
     * Ends the manager.
     *
     * @param status of its exit; empty for the one that is chosen already
     * @param atOnce whether units are killed instead of stopped in order
     */
    void begin(ManagerEnd.What what, OptionalInt status, boolean atOnce) {
        if (!begun) {
            begun = true;
            end = new ManagerEnd(what, status.isPresent() ? status : end.status());
        }
        if (atOnce) {
            ways.atOnce();
        } else {
            ways.inOrder();
        }
    }
}
