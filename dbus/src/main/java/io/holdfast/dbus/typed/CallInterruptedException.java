package io.holdfast.dbus.typed;

import java.io.Serial;

/**
 * Thrown by a proxy whose calling thread was interrupted while it waited, from a method that does
 * not declare InterruptedException. The interrupt status of the thread is set again.
 *
 * <pre>{@code
 * try {
 *     clock.setZone("UTC");
 * } catch (CallInterruptedException e) {
 *     return; // this thread is to end; whether the call was carried out is not known
 * }
 * }</pre>
 */
public final class CallInterruptedException extends RuntimeException {
    @Serial private static final long serialVersionUID = 1;

    CallInterruptedException(String call, InterruptedException cause) {
        super(call + ": interrupted", cause);
    }
}
