package io.holdfast.cli.output;

/** Formats an amount of memory for people, with at most four digits. */
public final class MemoryText {
    private static final String[] UNITS = {"B", "KiB", "MiB", "GiB", "TiB"};
    private static final int STEP = 1024;

    private MemoryText() {}

    /** Returns for example {@code 512 B}, {@code 12.3 MiB} or {@code 345 GiB}. */
    public static String of(long bytes) {
        double amount = bytes;
        int unit = 0;
        while (amount >= STEP && unit < UNITS.length - 1) {
            amount /= STEP;
            unit++;
        }
        long tenths = Math.round(amount * 10);
        boolean whole = unit == 0 || tenths >= 1000;
        return (whole ? Long.toString(Math.round(amount)) : tenths / 10 + "." + tenths % 10)
                + " "
                + UNITS[unit];
    }
}
