package io.holdfast.varlink.wire;

import java.io.Serial;
import org.jspecify.annotations.Nullable;

/** Thrown if the peer violated the protocol; the connection cannot continue. */
public final class MalformedMessageException extends Exception {
    @Serial private static final long serialVersionUID = 1;

    public MalformedMessageException(@Nullable String reason) {
        super(reason);
    }
}
