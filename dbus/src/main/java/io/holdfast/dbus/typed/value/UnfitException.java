package io.holdfast.dbus.typed.value;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/**
 * Thrown for a value that does not fit its type. Each enclosing part adds its place while the
 * exception passes, so that a value that fits costs nothing.
 */
public final class UnfitException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1;

    private final boolean ofNull;
    private final String reason;
    private String place = "";

    /**
     * @param reason what is wrong with the value, as {@code is 7, …}
     */
    public UnfitException(String reason) {
        this(reason, false);
    }

    private UnfitException(String reason, boolean ofNull) {
        super(reason, null, false, false);
        this.reason = reason;
        this.ofNull = ofNull;
    }

    /** Returns the value, or throws if it is null. */
    public static Object present(@Nullable Object value) {
        if (value == null) {
            throw new UnfitException("is null", true);
        }
        return value;
    }

    /** Adds the place of the value in a larger one, and returns this exception. */
    public UnfitException in(String part) {
        place = place.isEmpty() ? part : part + ", " + place;
        return this;
    }

    /** Returns place and reason. */
    public String text() {
        return place + " " + reason;
    }

    /** Returns the exception for the program that passed the value. */
    public RuntimeException toCallerException(String subject) {
        String message = subject + ": " + text();
        return ofNull ? new NullPointerException(message) : new IllegalArgumentException(message);
    }
}
