package io.holdfast.manager.process;

/** The processes of a unit that are signalled. */
public enum KillWhom {
    MAIN,
    /** The control process, which runs a command beside the main process. */
    CONTROL,
    ALL
}
