package io.holdfast.manager.process;

/** Which processes of a unit are signalled. */
public enum KillWhom {
    MAIN,
    /** The one that runs a command beside the main one. */
    CONTROL,
    ALL
}
