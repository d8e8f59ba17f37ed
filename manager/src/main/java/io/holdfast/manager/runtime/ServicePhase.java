package io.holdfast.manager.runtime;

/** What its sockets need to know about the state of a service. */
public enum ServicePhase {
    /** It has no run, and none is coming: its sockets look for traffic. */
    DOWN,
    /** It has no run, and waits for its automatic restart. */
    WAITING,
    /** It has a run or gets one, and its sockets stay in the state that they are in. */
    BUSY,
    /** Its main process runs and looks for traffic itself. */
    RUNNING,
    /** Its run is being stopped. */
    STOPPING;

    /** Whether it is active or comes up without anybody's doing. */
    public boolean isUp() {
        return this == WAITING || this == BUSY || this == RUNNING;
    }

    /** Whether it has a run. */
    public boolean hasRun() {
        return this == BUSY || this == RUNNING || this == STOPPING;
    }
}
