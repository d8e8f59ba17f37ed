package io.holdfast.bus;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.dbus.BusAddress;
import java.util.List;
import java.util.Optional;

/**
 * How a bus is to be. Immutable.
 *
 * @param addresses where it listens; if empty, where the configuration says
 * @param config its configuration; {@link BusConfig#session}, {@link BusConfig#system}, a file, or
 *     one made by the program
 * @param activator who starts its services; if empty, the bus spawns what their files say
 */
public record BusOptions(
        List<BusAddress> addresses, ConfigSource config, Optional<Activator> activator) {
    public BusOptions {
        addresses = List.copyOf(addresses);
    }

    /** With these addresses alone, and no more said. */
    public static BusOptions of(ConfigSource config, BusAddress... addresses) {
        return new BusOptions(List.of(addresses), config, Optional.empty());
    }

    /** Listening at these addresses. */
    public BusOptions withAddresses(List<BusAddress> other) {
        return new BusOptions(other, config, activator);
    }

    /** With another to start its services. It is closed with the bus. */
    public BusOptions withActivator(Activator other) {
        return new BusOptions(addresses, config, Optional.of(other));
    }
}
