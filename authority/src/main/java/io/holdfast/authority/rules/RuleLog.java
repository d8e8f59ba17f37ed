package io.holdfast.authority.rules;

import io.holdfast.authority.action.Place;
import java.lang.System.Logger.Level;

/** Where rules, and what is wrong with them, are told. Called by any thread of the rules. */
@FunctionalInterface
public interface RuleLog {
    /** The system's log, as {@code io.holdfast.authority.rules}. */
    RuleLog SYSTEM =
            (place, text) ->
                    System.getLogger("io.holdfast.authority.rules")
                            .log(Level.INFO, () -> place + ": " + text);

    /** Tells nobody. */
    RuleLog NOWHERE = (_, _) -> {};

    /**
     * @param text one line, without control characters
     */
    void log(Place place, String text);
}
