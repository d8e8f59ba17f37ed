package io.holdfast.manager.unit.value;

import io.holdfast.manager.unit.Quote;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Collection;
import java.util.Locale;
import java.util.Optional;

/**
 * Parses the simple values of unit files. Each method throws {@link IllegalArgumentException} with
 * a message that says what was expected.
 */
public final class Scalars {
    private static final String SIZE_SUFFIXES = "BKMGTPE";
    private static final int MAX_DIGITS = 40;

    private Scalars() {}

    public static boolean parseBoolean(String text) {
        return findBoolean(text).orElseThrow(() -> bad("yes or no", text));
    }

    /** Parses a boolean; empty if the text is none. */
    public static Optional<Boolean> findBoolean(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "1", "yes", "y", "true", "t", "on" -> Optional.of(true);
            case "0", "no", "n", "false", "f", "off" -> Optional.of(false);
            default -> Optional.empty();
        };
    }

    /** Parses a file mode: octal, up to 7777. */
    public static int parseMode(String text) {
        if (!text.matches("[0-7]{1,8}") || Integer.parseInt(text, 8) > 07777) {
            throw bad("an octal mode up to 7777", text);
        }
        return Integer.parseInt(text, 8);
    }

    public static int parseInt(String text, int low, int high) {
        if (text.matches("[+-]?[0-9]{1,10}")) {
            long value = Long.parseLong(text);
            if (value >= low && value <= high) {
                return (int) value;
            }
        }
        throw bad("a number from " + low + " to " + high, text);
    }

    /**
     * Parses a number without suffix; infinity is -1. Above 2^63-1 it is negative, as in the
     * kernel.
     */
    public static long parseUnsigned(String text) {
        if (text.equals("infinity")) {
            return -1;
        }
        if (!text.matches("[0-9]{1,20}")) {
            throw bad("a number or infinity", text);
        }
        return unsigned(new BigInteger(text), text);
    }

    /** Parses a number of bytes: {@code 1.5G}, {@code 1G 500M}, with base 1024; infinity is -1. */
    public static long parseSize(String text) {
        return parseSize(text, 1024);
    }

    /** Parses a number of bytes or of operations: each suffix is the base times the one before. */
    public static long parseSize(String text, int base) {
        if (text.equals("infinity")) {
            return -1;
        }
        BigDecimal sum = BigDecimal.ZERO;
        int lastSuffix = SIZE_SUFFIXES.length();
        int at = 0;
        do {
            int start = at;
            while (at < text.length() && "0123456789.".indexOf(text.charAt(at)) >= 0) {
                at++;
            }
            String number = text.substring(start, at);
            if (number.length() > MAX_DIGITS || !number.matches("[0-9]+(\\.[0-9]+)?")) {
                throw bad("a size such as 512K, 1.5G or infinity", text);
            }
            at = skipBlanks(text, at);
            int suffix = at < text.length() ? SIZE_SUFFIXES.indexOf(text.charAt(at)) : 0;
            if (suffix < 0 || suffix >= lastSuffix) {
                throw bad("a size such as 512K, 1.5G or infinity", text);
            }
            BigDecimal scale = new BigDecimal(BigInteger.valueOf(base).pow(suffix));
            sum = sum.add(new BigDecimal(number).multiply(scale));
            lastSuffix = suffix;
            at = skipBlanks(text, Math.min(at + 1, text.length()));
        } while (at < text.length());
        return unsigned(sum.toBigInteger(), text);
    }

    private static int skipBlanks(String text, int from) {
        int at = from;
        while (at < text.length() && (text.charAt(at) == ' ' || text.charAt(at) == '\t')) {
            at++;
        }
        return at;
    }

    private static long unsigned(BigInteger value, String text) {
        if (value.bitLength() > 64) {
            throw bad("less than 2^64", text);
        }
        return value.longValue();
    }

    public static <E extends Enum<E>> E parseWord(E[] constants, String text) {
        StringBuilder words = new StringBuilder();
        for (E constant : constants) {
            if (word(constant).equals(text)) {
                return constant;
            }
            words.append(words.isEmpty() ? "" : ", ").append(word(constant));
        }
        throw bad("one of " + words, text);
    }

    /** Returns the word of a constant in unit files: {@code on-failure} for {@code ON_FAILURE}. */
    public static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /**
     * Parses an absolute path: removes {@code .} and double and trailing slashes, refuses {@code
     * ..}.
     */
    public static String parsePath(String text) {
        if (!text.startsWith("/") || text.indexOf(0) >= 0) {
            throw bad("an absolute path", text);
        }
        return "/" + relativePath(text.substring(1), text);
    }

    /** Parses a relative path in the same way. */
    public static String parseRelativePath(String text) {
        if (text.startsWith("/") || text.indexOf(0) >= 0) {
            throw bad("a relative path", text);
        }
        String path = relativePath(text, text);
        if (path.isEmpty()) {
            throw bad("a relative path", text);
        }
        return path;
    }

    private static String relativePath(String path, String text) {
        StringBuilder simple = new StringBuilder(path.length());
        for (String part : path.split("/")) {
            if (part.equals("..")) {
                throw bad("a path without ..", text);
            }
            if (!part.isEmpty() && !part.equals(".")) {
                simple.append(simple.isEmpty() ? "" : "/").append(part);
            }
        }
        return simple.toString();
    }

    public static IllegalArgumentException bad(String expected, String text) {
        return new IllegalArgumentException(Quote.of(text) + " is not " + expected);
    }

    /** Returns the exception for a word that is none of some known words, with the nearest one. */
    public static IllegalArgumentException unknown(
            String expected, String text, Collection<String> known) {
        return Spelling.meant(text, known)
                .map(word -> bad(expected + ", did you mean " + word + "?", text))
                .orElseGet(() -> bad(expected, text));
    }
}
