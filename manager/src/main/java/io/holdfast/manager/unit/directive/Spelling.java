package io.holdfast.manager.unit.directive;

import java.util.Locale;

/** How near two words are to each other. */
final class Spelling {
    /** Letters of a word that may be wrong: one of each so many, and at least one. */
    private static final int LETTERS_A_SLIP = 5;

    /** Words beyond this are not compared: nobody mistypes a novel. */
    private static final int LONGEST = 64;

    private Spelling() {}

    /** Whether a word may be a slip of the pen of another. */
    static boolean isSlip(String written, String meant) {
        int allowed = Math.max(1, meant.length() / LETTERS_A_SLIP);
        return written.length() <= LONGEST
                && Math.abs(written.length() - meant.length()) <= allowed
                && distance(written, meant) <= allowed;
    }

    /**
     * How many letters have to be put in, left out, replaced, or swapped with their neighbour; the
     * case does not count.
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
