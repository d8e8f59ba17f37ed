package io.holdfast.authority.rules.sandbox;

import io.holdfast.authority.action.Place;
import org.mozilla.javascript.Context;

/**
 * Ends an evaluation at once. An Error, because the interpreter neither lets scripts catch those
 * nor runs a {@code finally} on their way.
 */
public final class Abort extends Error {
    private static final long serialVersionUID = 1L;

    private final transient Place place;

    private Abort(String reason) {
        super(reason, null, false, false);
        this.place =
                Context.getCurrentContext() == null ? ScriptPlace.UNKNOWN : ScriptPlace.ofCaller();
    }

    public static Abort of(String reason) {
        return new Abort(reason);
    }

    /** A question to the subject failed. */
    public static Abort of(RuntimeException failure) {
        String message = failure.getMessage();
        return of(message == null ? failure.toString() : message);
    }

    /** Where the script was. */
    public Place place() {
        return place;
    }
}
