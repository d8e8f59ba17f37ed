package io.holdfast.dbus.typed.value;

import io.holdfast.core.Fd;
import io.holdfast.dbus.wire.Handle;

/** The descriptors that came with a message. */
@FunctionalInterface
public interface Descriptors {
    /**
     * The one that a handle means, which still is the message's.
     *
     * @throws io.holdfast.dbus.DBusException if less came
     */
    Fd of(Handle handle);
}
