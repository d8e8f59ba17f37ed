package io.holdfast.varlink.json;

import java.io.Serial;

/**
 * A text is not JSON, or a value is not what the reader expected. The message says where (offset or
 * field) and why.
 */
public final class JsonException extends IllegalArgumentException {
    @Serial private static final long serialVersionUID = 1;

    JsonException(String message) {
        super(message);
    }
}
