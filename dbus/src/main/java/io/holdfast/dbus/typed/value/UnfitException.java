package io.holdfast.dbus.typed.value;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/**
 * A value that its type has no place for. It gets its place on the way out, part by part, so that a
 * value that fits costs nothing.
 */
public final class UnfitException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1;

    private final boolean ofNull;
    private final String reason;
    private String place = "";

    /**
     * @param reason what is wrong with it, as {@code is 7, …}
     */
    public UnfitException(String reason) {
        this(reason, false);
    }

    private UnfitException(String reason, boolean ofNull) {
        super(reason, null, false, false);
        this.reason = reason;
        this.ofNull = ofNull;
    }

    /** The value, if there is one. */
    public static Object present(@Nullable Object value) {
        if (value == null) {
            throw new UnfitException("is null", true);
        }
        return value;
    }

    /** The same, of a value that is a part of this one. */
    public UnfitException in(String part) {
        place = place.isEmpty() ? part : part + ", " + place;
        return this;
    }

    /** Place and reason. */
    public String text() {
        return place + " " + reason;
    }

    /** What the program gets that gave the value. */
    public RuntimeException toGiver(String subject) {
        String message = subject + ": " + text();
        return ofNull ? new NullPointerException(message) : new IllegalArgumentException(message);
    }
}
