package io.holdfast.authority.rules;

import io.holdfast.authority.action.Place;
import java.lang.System.Logger.Level;

/** Receives what rules log, and what is wrong with them. Called by any thread of the rules. */
@FunctionalInterface
public interface RuleLog {
    /** Characters of a line; a longer one is cut, with a mark. */
    int LINE = 1_024;

    /** The system's log, as {@code io.holdfast.authority.rules}. */
    RuleLog SYSTEM =
            (place, text) ->
                    System.getLogger("io.holdfast.authority.rules")
                            .log(Level.INFO, () -> place + ": " + text);

    /** Tells nobody. */
    RuleLog NOWHERE = (_, _) -> {};

    /**
     * @param text one line, escaped by {@link io.holdfast.core.text.PrintableText}
     */
    void log(Place place, String text);
}
