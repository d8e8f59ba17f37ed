package io.holdfast.varlink.json;

import java.io.Serial;

/**
 * Thrown for a text that is no JSON, or a value that is not of the expected type. The message says
 * where (offset or field) and why.
 */
public final class JsonException extends IllegalArgumentException {
    @Serial private static final long serialVersionUID = 1;

    /**
     * Makes an exception.
     *
     * @param message what is wrong, and where
     */
    public JsonException(String message) {
        super(message);
    }
}
