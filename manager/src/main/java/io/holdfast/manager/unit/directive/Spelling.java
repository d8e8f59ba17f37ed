package io.holdfast.manager.unit.directive;

import io.holdfast.core.text.EditDistance;
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

    /** Returns the edit distance of two words, regardless of the case. */
    static int distance(String one, String other) {
        return EditDistance.of(one.toLowerCase(Locale.ROOT), other.toLowerCase(Locale.ROOT));
    }
}
