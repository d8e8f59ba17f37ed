package io.holdfast.authority.rules;

import io.holdfast.authority.action.SourceLine;

/** Receives the log lines and errors of rules. Called by any thread of the rules. */
@FunctionalInterface
public interface RuleLog {
    /** The maximum number of characters of a line; a longer one is cut, and the cut is marked. */
    int LINE = 1_024;

    /** Discards all lines. */
    RuleLog NOWHERE = (_, _) -> {};

    /**
     * Logs a line.
     *
     * @param text one line, escaped by {@link io.holdfast.core.text.PrintableText}
     */
    void log(SourceLine place, String text);

    /**
     * Logs a line that a check has caused.
     *
     * @param user the user of the check's subject
     * @param text one line, escaped by {@link io.holdfast.core.text.PrintableText}
     */
    default void log(long user, SourceLine place, String text) {
        log(place, text);
    }
}
