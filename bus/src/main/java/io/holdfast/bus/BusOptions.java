package io.holdfast.bus;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.service.Activator;
import io.holdfast.dbus.address.BusAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * How a bus is to be. Immutable.
 *
 * @param addresses where it listens; if empty, where the configuration says
 * @param config its configuration; {@link BusConfig#session}, {@link BusConfig#system}, a file, or
 *     one made by the program
 * @param activator who starts all services; if empty, the bus asks the owner of
 *     org.freedesktop.systemd1 for those that have a unit, and spawns the others
 * @param systemdActivation whether what has a unit waits until org.freedesktop.systemd1 has an
 *     owner; if not, and there is none, its program is spawned
 * @param serviceUmask the umask of services that the bus spawns
 * @param containers the folder of sockets for apps in containers; if empty, the bus makes none
 */
public record BusOptions(
        List<BusAddress> addresses,
        ConfigSource config,
        Optional<Activator> activator,
        boolean systemdActivation,
        int serviceUmask,
        Optional<Path> containers) {
    private static final int SERVICE_UMASK = 022;

    public BusOptions {
        addresses = List.copyOf(addresses);
    }

    /** With these addresses alone, and no more said. */
    public static BusOptions of(ConfigSource config, BusAddress... addresses) {
        return new BusOptions(
                List.of(addresses),
                config,
                Optional.empty(),
                false,
                SERVICE_UMASK,
                Optional.empty());
    }

    /** Listening at these addresses. */
    public BusOptions withAddresses(List<BusAddress> other) {
        return new BusOptions(
                other, config, activator, systemdActivation, serviceUmask, containers);
    }

    /** With another to start its services. It is closed with the bus. */
    public BusOptions withActivator(Activator other) {
        return new BusOptions(
                addresses, config, Optional.of(other), systemdActivation, serviceUmask, containers);
    }

    /** With all that has a unit left to the service manager, also before it is on the bus. */
    public BusOptions withSystemdActivation() {
        return new BusOptions(addresses, config, activator, true, serviceUmask, containers);
    }

    /**
     * With another umask for services that the bus spawns; it is 022 by default, whatever the bus
     * itself has inherited.
     *
     * @param mask 0 to 0777
     */
    public BusOptions withServiceUmask(int mask) {
        return new BusOptions(addresses, config, activator, systemdActivation, mask, containers);
    }

    /**
     * With org.freedesktop.DBus.Containers1: what makes containers can ask for a socket for each
     * app, and whoever asks for the credentials of a connection is told which app it is.
     *
     * @param folder of these sockets; made where only the last part of it is missing. The path must
     *     be one that can be mounted into a container
     */
    public BusOptions withContainers(Path folder) {
        return new BusOptions(
                addresses,
                config,
                activator,
                systemdActivation,
                serviceUmask,
                Optional.of(folder.toAbsolutePath()));
    }
}
