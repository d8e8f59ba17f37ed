package io.holdfast.core.sys;

/**
 * Logs failures that no caller can receive. The logger is looked up only when there is something to
 * log: the lookup opens every module, which takes longer than many a program runs.
 */
public final class Faults {
    private Faults() {}

    public static void log(String message, Throwable cause) {
        System.getLogger("io.holdfast.core").log(System.Logger.Level.ERROR, message, cause);
    }
}
