package io.holdfast.authority.rules;

import io.holdfast.authority.action.Place;
import org.mozilla.javascript.Context;

/**
 * Ends an evaluation at once. An Error, for scripts can neither catch those nor run a {@code
 * finally} on their way.
 */
final class Abort extends Error {
    private static final long serialVersionUID = 1L;

    private final boolean spoils;
    private final transient Place place;

    private Abort(String reason, boolean spoils) {
        super(reason, null, false, false);
        this.spoils = spoils;
        this.place =
                Context.getCurrentContext() == null ? ScriptPlace.UNKNOWN : ScriptPlace.ofCaller();
    }

    /** It took more than it may: nobody knows what it leaves behind. */
    static Abort excess(String reason) {
        return new Abort(reason, true);
    }

    /** There is no answer to be had. */
    static Abort refusal(String reason) {
        return new Abort(reason, false);
    }

    /** A question to the subject failed. */
    static Abort of(RuntimeException failure) {
        String message = failure.getMessage();
        return refusal(message == null ? failure.toString() : message);
    }

    /** Where the script was. */
    Place place() {
        return place;
    }

    /** Whether the scope is not to be used again. */
    boolean spoils() {
        return spoils;
    }
}
