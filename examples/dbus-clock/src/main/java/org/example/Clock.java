package org.example;

import io.holdfast.dbus.typed.Property;
import io.holdfast.dbus.typed.Signal;

/** The D-Bus interface {@code org.example.Clock}: for those who have a clock, and for those who ask it. */
public interface Clock {
    /** At(x) → s: what time it is so many seconds after 1970, in the zone of the clock. */
    String at(long seconds);

    /** The property Zone. */
    @Property
    String zone();

    @Property
    void zone(String id);

    /** The signal Tick(x). */
    record Tick(long seconds) implements Signal {}
}
