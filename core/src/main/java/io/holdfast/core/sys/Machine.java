package io.holdfast.core.sys;

/** The processor, for the few constants and layouts that differ. */
public final class Machine {
    public static final boolean ARM = System.getProperty("os.arch", "").equals("aarch64");

    static {
        if (!ARM && !System.getProperty("os.arch", "").equals("amd64")) {
            throw new ExceptionInInitializerError(
                    "Holdfast knows x86_64 and aarch64, not " + System.getProperty("os.arch"));
        }
    }

    private Machine() {}
}
