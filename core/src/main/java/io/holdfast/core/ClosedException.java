package io.holdfast.core;

/**
 * What a call was made on, or waits for, is closed: by its owner, or because it was handed over
 * ({@link Fd#move}). A wait ends with this when another thread closes what is waited for.
 */
public final class ClosedException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    /**
     * Says what was closed.
     *
     * @param message what is closed
     */
    public ClosedException(String message) {
        super(message);
    }
}
