package io.holdfast.dbus.wire.match;

/**
 * Thrown for text that is no valid match rule. The message says which key, at which character, and
 * why.
 */
public final class MatchRuleException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    MatchRuleException(String message) {
        super(message);
    }
}
