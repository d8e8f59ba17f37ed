package io.holdfast.authority.survival;

/** A record cannot be restored: it has expired, or its process or session has ended. */
final class LostException extends Exception {
    private static final long serialVersionUID = 1L;

    LostException(String reason) {
        super(reason);
    }

    LostException(String reason, Throwable cause) {
        super(reason, cause);
    }
}
