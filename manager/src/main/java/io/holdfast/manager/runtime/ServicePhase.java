package io.holdfast.manager.runtime;

/** The state of a service as far as its sockets depend on it. */
public enum ServicePhase {
    /** It has no run, and none is coming: its sockets watch for traffic. */
    DOWN,
    /** It has no run, and waits for its automatic restart. */
    WAITING,
    /** It runs or is about to; its sockets need not act. */
    BUSY,
    /** Its main process runs and watches for traffic itself. */
    RUNNING,
    /** Its run is being stopped. */
    STOPPING;

    /** Returns whether it is active or comes up automatically. */
    public boolean isUp() {
        return this == WAITING || this == BUSY || this == RUNNING;
    }

    /** Returns whether it has a run. */
    public boolean hasRun() {
        return this == BUSY || this == RUNNING || this == STOPPING;
    }
}
