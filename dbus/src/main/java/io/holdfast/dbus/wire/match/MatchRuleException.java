package io.holdfast.dbus.wire.match;

/** Text that is no match rule. The message says which key, at which character, and why. */
public final class MatchRuleException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    MatchRuleException(String message) {
        super(message);
    }
}
