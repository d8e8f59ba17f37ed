package io.holdfast.authority.survival;

/** What was written down cannot be taken back: what it was about has ended. */
final class LostException extends Exception {
    private static final long serialVersionUID = 1L;

    LostException(String reason) {
        super(reason);
    }

    LostException(String reason, Throwable cause) {
        super(reason, cause);
    }
}
