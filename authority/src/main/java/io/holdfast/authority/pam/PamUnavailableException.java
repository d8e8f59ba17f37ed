package io.holdfast.authority.pam;

import java.io.Serial;

/** PAM is not installed, or not configured for this service. The message says what to install. */
public final class PamUnavailableException extends Exception {
    @Serial private static final long serialVersionUID = 1L;

    PamUnavailableException(String message) {
        super(message);
    }
}
