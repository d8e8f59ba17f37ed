package io.holdfast.manager.unit.resource;

import io.holdfast.manager.unit.value.Scalars;
import java.util.function.ToLongFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An amount of a resource: a number, or a share of what the machine has.
 *
 * @param value unsigned; -1: infinite. 0 for a share
 * @param share in ten thousandths; -1: the amount is a number
 */
public record Amount(long value, int share) {
    /** What one is as a share. */
    public static final int WHOLE = 10_000;

    public static final Amount INFINITE = of(-1);
    public static final Amount ZERO = of(0);

    private static final int NUMBER = -1;
    private static final Pattern SHARE = Pattern.compile("([0-9]{1,7})(?:\\.([0-9]{1,2}))?(%|‰|‱)");

    public static Amount of(long value) {
        return new Amount(value, NUMBER);
    }

    /**
     * Parses {@code infinity}, a share up to 100 %, or a number.
     *
     * @param numbers parses the number
     * @throws IllegalArgumentException if it is none of them
     */
    static Amount parse(String text, ToLongFunction<String> numbers) {
        if (text.equals("infinity")) {
            return INFINITE;
        }
        if (!isShare(text)) {
            return of(numbers.applyAsLong(text));
        }
        long share = parseShare(text);
        if (share > WHOLE) {
            throw Scalars.bad("a share of at most 100 %", text);
        }
        return new Amount(0, (int) share);
    }

    private static boolean isShare(String text) {
        return text.endsWith("%") || text.endsWith("‰") || text.endsWith("‱");
    }

    /**
     * Parses a share, which may be above 100 %.
     *
     * @return the share in ten thousandths
     * @throws IllegalArgumentException if it is not a share
     */
    static long parseShare(String text) {
        Matcher match = SHARE.matcher(text);
        if (match.matches()) {
            long whole = Long.parseLong(match.group(1));
            String fraction = match.group(2) == null ? "" : match.group(2);
            int digits =
                    switch (match.group(3)) {
                        case "%" -> 2;
                        case "‰" -> 1;
                        default -> 0;
                    };
            if (fraction.length() <= digits) {
                String all = fraction + "0".repeat(digits - fraction.length());
                return whole * (long) Math.pow(10, digits)
                        + (all.isEmpty() ? 0 : Long.parseLong(all));
            }
        }
        throw Scalars.bad("a percentage", text);
    }

    /** Returns the number that it is, of a total in whole units. */
    public long of(long total, long unit) {
        return share == NUMBER ? value : total / unit * share / WHOLE * unit;
    }

    public boolean isInfinite() {
        return share == NUMBER && value == -1;
    }

    public boolean isZero() {
        return share == NUMBER ? value == 0 : share == 0;
    }
}
