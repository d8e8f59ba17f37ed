package io.holdfast.dbus.marshal;

import io.holdfast.core.limit.Limit;
import java.util.List;

/**
 * The limits of this module that are system properties; {@link io.holdfast.dbus.ConnectionOptions}
 * has those that a program sets.
 */
public final class DBusLimits {
    /** The number of objects, interfaces and properties that a cache of remote objects keeps. */
    public static final Limit CACHED_ENTRIES =
            Limit.count(
                    "io.holdfast.dbus.cachedEntries",
                    100_000,
                    "objects, interfaces and properties that a cache of remote objects keeps");

    private DBusLimits() {}

    /** {@return all limits} */
    public static List<Limit> all() {
        return List.of(CACHED_ENTRIES);
    }
}
