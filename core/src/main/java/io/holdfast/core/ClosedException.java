package io.holdfast.core;

/**
 * Thrown when the object that a call uses or waits for is closed: its owner closed it, or handed it
 * over ({@link Fd#move}). When another thread closes the object, a wait for it ends with this.
 */
public final class ClosedException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    /**
     * Makes the exception.
     *
     * @param message names the closed object
     */
    public ClosedException(String message) {
        super(message);
    }
}
