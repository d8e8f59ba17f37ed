package io.holdfast.manager.access;

/** A caller is not authorized for a request, or must authenticate first. */
public final class DeniedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Why a request is denied. */
    public enum Reason {
        /** The caller lacks the permission, or nothing can be decided about its process. */
        NOT_PERMITTED,
        /** Too many requests of the caller's user wait for a decision. */
        TOO_MANY
    }

    private final Reason reason;

    DeniedException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    /** {@return why the request is denied} */
    public Reason reason() {
        return reason;
    }
}
