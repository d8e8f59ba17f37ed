package io.holdfast.varlink.typed;

import io.holdfast.varlink.idl.tree.Type;
import io.holdfast.varlink.json.Json;
import java.util.function.Function;

/**
 * How the values of a Java type become JSON, and back. Both functions throw {@link UnfitException}
 * for a value that does not fit.
 *
 * @param type the Varlink type
 * @param toJson takes a Java value
 * @param toJava takes a JSON value; {@link Json.Null} for an absent one
 */
record Conversion(Type type, Function<Object, Json> toJson, Function<Json, Object> toJava) {
    /** Converts a value at a place, which the exception of a failure names. */
    static <A, B> B at(String place, Function<A, B> conversion, A value) {
        try {
            return conversion.apply(value);
        } catch (UnfitException e) {
            throw e.in(place);
        } catch (NullPointerException e) {
            throw new UnfitException(place, "is null");
        }
    }

    /** A value that does not fit its type. */
    static final class UnfitException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        /** Where the value is, as {@code units[3].name}. */
        private final String place;

        private final String reason;

        UnfitException(String reason) {
            this("", reason);
        }

        private UnfitException(String place, String reason) {
            super(place + ": " + reason);
            this.place = place;
            this.reason = reason;
        }

        UnfitException in(String outer) {
            boolean joined = place.isEmpty() || place.startsWith("[");
            return new UnfitException(joined ? outer + place : outer + "." + place, reason);
        }

        String place() {
            return place;
        }
    }
}
