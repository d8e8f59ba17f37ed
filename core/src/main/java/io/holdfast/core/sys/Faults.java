package io.holdfast.core.sys;

/**
 * Tells of what nobody else can be told of. The logger is looked for when there is something to
 * tell: that opens every module, which takes longer than many a program runs.
 */
public final class Faults {
    private Faults() {}

    public static void log(String what, Throwable why) {
        System.getLogger("io.holdfast.core").log(System.Logger.Level.ERROR, what, why);
    }
}
