package io.holdfast.authority.pam;

import java.io.Serial;

/** There is no PAM here, or it is not set up for us. The message says what to install. */
public final class PamUnavailableException extends Exception {
    @Serial private static final long serialVersionUID = 1L;

    PamUnavailableException(String message) {
        super(message);
    }
}
