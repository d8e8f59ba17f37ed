package io.holdfast.dbus.typed.value;

import io.holdfast.core.Fd;
import io.holdfast.dbus.wire.Handle;

/** The descriptors of a message. */
@FunctionalInterface
public interface Descriptors {
    /**
     * Returns the descriptor of a handle; the message still owns it.
     *
     * @throws io.holdfast.dbus.DBusException if the message has fewer descriptors
     */
    Fd of(Handle handle);
}
