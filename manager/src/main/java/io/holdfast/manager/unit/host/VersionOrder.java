package io.holdfast.manager.unit.host;

/**
 * Compares versions by the UAPI group's version format specification: {@code 6.1~rc1 < 6.1 < 6.1-2
 * < 6.10}.
 */
public final class VersionOrder {
    private VersionOrder() {}

    /** Returns a negative number, 0 or a positive number, as a comparator does. */
    public static int compare(String a, String b) {
        int i = 0;
        int j = 0;
        while (true) {
            i = skipForeign(a, i);
            j = skipForeign(b, j);
            for (char separator : new char[] {'~', 0, '-', '^', '.'}) {
                boolean ina = separator == 0 ? i == a.length() : at(a, i) == separator;
                boolean inb = separator == 0 ? j == b.length() : at(b, j) == separator;
                if (ina && inb && separator == 0) {
                    return 0;
                }
                if (ina != inb) {
                    return ina ? -1 : 1;
                }
                if (ina) {
                    i++;
                    j++;
                }
            }
            boolean number = isDigit(at(a, i)) || isDigit(at(b, j));
            int endA = end(a, i, number);
            int endB = end(b, j, number);
            int order =
                    number
                            ? compareNumbers(a.substring(i, endA), b.substring(j, endB))
                            : compareLetters(a.substring(i, endA), b.substring(j, endB));
            if (order != 0) {
                return order;
            }
            i = endA;
            j = endB;
        }
    }

    private static int compareNumbers(String a, String b) {
        if (a.isEmpty() || b.isEmpty()) {
            return Integer.compare(a.length(), b.length());
        }
        String x = a.replaceFirst("^0+", "");
        String y = b.replaceFirst("^0+", "");
        return x.length() != y.length()
                ? Integer.compare(x.length(), y.length())
                : Integer.signum(x.compareTo(y));
    }

    private static int compareLetters(String a, String b) {
        return Integer.signum(a.compareTo(b));
    }

    private static int skipForeign(String text, int from) {
        int i = from;
        while (i < text.length()
                && !isDigit(text.charAt(i))
                && !isLetter(text.charAt(i))
                && "~-^.".indexOf(text.charAt(i)) < 0) {
            i++;
        }
        return i;
    }

    private static int end(String text, int from, boolean number) {
        int i = from;
        while (i < text.length() && (number ? isDigit(text.charAt(i)) : isLetter(text.charAt(i)))) {
            i++;
        }
        return i;
    }

    private static char at(String text, int index) {
        return index < text.length() ? text.charAt(index) : 0;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static boolean isLetter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }
}
