package io.holdfast.core;

import java.util.Locale;

/**
 * A signal by its number, as Linux numbers them on x86_64 and aarch64.
 *
 * @param number 0 (nothing is sent, only the right to send is checked) to 64
 */
public record Signal(int number) {
    public static final Signal HUP = new Signal(1);
    public static final Signal INT = new Signal(2);
    public static final Signal QUIT = new Signal(3);
    public static final Signal ABRT = new Signal(6);
    public static final Signal KILL = new Signal(9);
    public static final Signal USR1 = new Signal(10);
    public static final Signal SEGV = new Signal(11);
    public static final Signal USR2 = new Signal(12);
    public static final Signal PIPE = new Signal(13);
    public static final Signal ALRM = new Signal(14);
    public static final Signal TERM = new Signal(15);
    public static final Signal CHLD = new Signal(17);
    public static final Signal CONT = new Signal(18);
    public static final Signal STOP = new Signal(19);
    public static final Signal TSTP = new Signal(20);
    public static final Signal WINCH = new Signal(28);

    private static final int MAX = 64;
    private static final int RTMIN = 34; // glibc keeps 32 and 33 for itself
    private static final String[] NAMES = {
        "0", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV",
        "USR2", "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU",
        "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS"
    };

    /**
     * Checks the number.
     *
     * @throws IllegalArgumentException if the number is out of its range
     */
    public Signal {
        if (number < 0 || number > MAX) {
            throw new IllegalArgumentException("no signal: " + number);
        }
    }

    /**
     * {@return the signal of a name, with or without {@code SIG}, in any case ({@code TERM}, {@code
     * sigterm}, {@code RTMIN+3}), or of a number}
     *
     * @param text the name or number
     * @throws IllegalArgumentException if there is no such signal
     */
    public static Signal of(String text) {
        String name = text.strip().toUpperCase(Locale.ROOT);
        if (name.startsWith("SIG")) {
            name = name.substring(3);
        }
        for (int i = 1; i < NAMES.length; i++) {
            if (NAMES[i].equals(name)) {
                return new Signal(i);
            }
        }
        try {
            if (name.startsWith("RTMIN+")) {
                return realTime(RTMIN + Integer.parseInt(name.substring(6)));
            }
            if (name.startsWith("RTMAX-")) {
                return realTime(MAX - Integer.parseInt(name.substring(6)));
            }
            return switch (name) {
                case "IOT" -> ABRT;
                case "CLD" -> CHLD;
                case "POLL" -> new Signal(29);
                case "RTMIN" -> new Signal(RTMIN);
                case "RTMAX" -> new Signal(MAX);
                default -> new Signal(Integer.parseInt(name));
            };
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("no signal: " + text, e);
        }
    }

    private static Signal realTime(int number) {
        if (number < RTMIN) {
            throw new IllegalArgumentException("not a real-time signal: " + number);
        }
        return new Signal(number);
    }

    /** {@return the name without {@code SIG}: {@code TERM}, {@code RTMIN+3}} */
    public String name() {
        if (number < NAMES.length) {
            return NAMES[number];
        }
        return number == RTMIN
                ? "RTMIN"
                : number > RTMIN ? "RTMIN+" + (number - RTMIN) : "" + number;
    }

    /** Returns the name with {@code SIG}. */
    @Override
    public String toString() {
        return number == 0 || Character.isDigit(name().charAt(0)) ? name() : "SIG" + name();
    }
}
