package io.holdfast.manager.unit.value;

import io.holdfast.core.text.EditDistance;
import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Finds the word that a misspelled one was meant to be. */
public final class Spelling {
    /** One wrong letter is allowed for each so many letters of a word, and at least one. */
    private static final int LETTERS_A_SLIP = 5;

    /** Longer words are not compared: they are not misspelled. */
    private static final int LONGEST = 64;

    private Spelling() {}

    /** Returns the known word that is most similar to a word, if one is similar enough. */
    public static Optional<String> meant(String written, Collection<String> known) {
        return known.stream()
                .filter(word -> isSlip(written, word))
                .min(
                        Comparator.comparingInt((String word) -> distance(written, word))
                                .thenComparing(Comparator.naturalOrder()));
    }

    /** Returns whether a word may be a misspelling of another. */
    private static boolean isSlip(String written, String meant) {
        int allowed = Math.max(1, meant.length() / LETTERS_A_SLIP);
        return written.length() <= LONGEST
                && Math.abs(written.length() - meant.length()) <= allowed
                && distance(written, meant) <= allowed;
    }

    /** Returns the edit distance of two words, regardless of the case. */
    private static int distance(String one, String other) {
        return EditDistance.of(one.toLowerCase(Locale.ROOT), other.toLowerCase(Locale.ROOT));
    }
}
