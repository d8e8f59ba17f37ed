package io.holdfast.manager.access;

/** A caller may not do what he asked for, or not now. */
public final class DeniedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Why not. */
    public enum Reason {
        /** He has not the permission, or nothing can be decided about him. */
        NOT_PERMITTED,
        /** Too many of his user's requests wait for a decision. */
        TOO_MANY
    }

    private final Reason reason;

    DeniedException(Reason reason, String message) {
        super(message);
        this.reason = reason;
    }

    /** Why not. */
    public Reason reason() {
        return reason;
    }
}
