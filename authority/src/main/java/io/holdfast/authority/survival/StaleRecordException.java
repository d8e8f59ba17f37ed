package io.holdfast.authority.survival;

/** A record cannot be restored: it has expired, or its process or session has ended. */
final class StaleRecordException extends Exception {
    private static final long serialVersionUID = 1L;

    StaleRecordException(String reason) {
        super(reason);
    }

    StaleRecordException(String reason, Throwable cause) {
        super(reason, cause);
    }
}
