package io.holdfast.varlink;

import java.io.Serial;

/** The peer broke the protocol; the connection cannot go on. */
final class MalformedMessageException extends Exception {
    @Serial private static final long serialVersionUID = 1;

    MalformedMessageException(String reason) {
        super(reason);
    }
}
