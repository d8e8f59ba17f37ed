package io.holdfast.authority.rules.sandbox;

import io.holdfast.authority.action.SourceLine;
import org.mozilla.javascript.Context;

/**
 * Ends an evaluation at once. It is an Error, because the interpreter neither lets scripts catch an
 * Error nor runs their {@code finally} for it.
 */
public final class Abort extends Error {
    private static final long serialVersionUID = 1L;

    private final transient SourceLine place;

    private Abort(String reason) {
        super(reason, null, false, false);
        this.place =
                Context.getCurrentContext() == null ? ScriptPlace.UNKNOWN : ScriptPlace.ofCaller();
    }

    public static Abort of(String reason) {
        return new Abort(reason);
    }

    /** Makes an abort for a fact about the subject that could not be looked up. */
    public static Abort of(RuntimeException failure) {
        String message = failure.getMessage();
        return of(message == null ? failure.toString() : message);
    }

    /** Returns the place of the script when this was made. */
    public SourceLine place() {
        return place;
    }
}
