package org.example;

import io.holdfast.dbus.typed.Property;
import io.holdfast.dbus.typed.DBusSignal;

/** The D-Bus interface {@code org.example.Clock}, for the service and for its clients. */
public interface Clock {
    /** At(x) → s: returns the time {@code seconds} after 1970-01-01T00:00Z, in the zone of the clock. */
    String at(long seconds);

    /** The property Zone. */
    @Property
    String zone();

    @Property
    void zone(String id);

    /** The signal Tick(x). */
    record Tick(long seconds) implements DBusSignal {}
}
