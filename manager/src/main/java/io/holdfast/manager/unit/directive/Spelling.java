package io.holdfast.manager.unit.directive;

import java.util.Locale;

/** Measures how similar two words are, to find misspelled directives. */
final class Spelling {
    /** One wrong letter is allowed for each so many letters of a word, and at least one. */
    private static final int LETTERS_A_SLIP = 5;

    /** Longer words are not compared: they are not misspelled directives. */
    private static final int LONGEST = 64;

    private Spelling() {}

    /** Returns whether a word may be a misspelling of another. */
    static boolean isSlip(String written, String meant) {
        int allowed = Math.max(1, meant.length() / LETTERS_A_SLIP);
        return written.length() <= LONGEST
                && Math.abs(written.length() - meant.length()) <= allowed
                && distance(written, meant) <= allowed;
    }

    /**
     * Counts the letters that have to be inserted, removed, replaced, or swapped with their
     * neighbour; ignores the case.
     */
    static int distance(String one, String other) {
        String a = one.toLowerCase(Locale.ROOT);
        String b = other.toLowerCase(Locale.ROOT);
        int[][] cost = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                if (i == 0 || j == 0) {
                    cost[i][j] = i + j;
                    continue;
                }
                boolean same = a.charAt(i - 1) == b.charAt(j - 1);
                int least = cost[i - 1][j - 1] + (same ? 0 : 1);
                least = Math.min(least, Math.min(cost[i - 1][j], cost[i][j - 1]) + 1);
                boolean swapped =
                        i > 1
                                && j > 1
                                && a.charAt(i - 1) == b.charAt(j - 2)
                                && a.charAt(i - 2) == b.charAt(j - 1);
                cost[i][j] = swapped ? Math.min(least, cost[i - 2][j - 2] + 1) : least;
            }
        }
        return cost[a.length()][b.length()];
    }
}
