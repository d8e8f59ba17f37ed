package io.holdfast.bus;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.service.Activator;
import io.holdfast.dbus.address.BusAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The options of a bus. Immutable.
 *
 * @param addresses the addresses to listen at; if empty, those of the configuration
 * @param config its configuration; {@link BusConfig#session}, {@link BusConfig#system}, a file, or
 *     one made by the program
 * @param activator starts all services; if empty, the bus requests those that have a unit from the
 *     owner of org.freedesktop.systemd1, and spawns the others
 * @param systemdActivation whether services that have a unit wait until org.freedesktop.systemd1
 *     has an owner; if false, and it has none, the bus spawns the service's program
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

    /** Returns options with these addresses and the default for everything else. */
    public static BusOptions of(ConfigSource config, BusAddress... addresses) {
        return new BusOptions(
                List.of(addresses),
                config,
                Optional.empty(),
                false,
                SERVICE_UMASK,
                Optional.empty());
    }

    /** Returns the same options with other addresses. */
    public BusOptions withAddresses(List<BusAddress> other) {
        return new BusOptions(
                other, config, activator, systemdActivation, serviceUmask, containers);
    }

    /**
     * Returns the same options with an activator that starts all services. It is closed with the
     * bus.
     */
    public BusOptions withActivator(Activator other) {
        return new BusOptions(
                addresses, config, Optional.of(other), systemdActivation, serviceUmask, containers);
    }

    /**
     * Returns the same options with every service that has a unit left to the service manager, even
     * before the manager is on the bus.
     */
    public BusOptions withSystemdActivation() {
        return new BusOptions(addresses, config, activator, true, serviceUmask, containers);
    }

    /**
     * Returns the same options with another umask for services that the bus spawns. The default is
     * 022, whatever umask the bus itself has inherited.
     *
     * @param mask 0 to 0777
     */
    public BusOptions withServiceUmask(int mask) {
        return new BusOptions(addresses, config, activator, systemdActivation, mask, containers);
    }

    /**
     * Returns the same options with org.freedesktop.DBus.Containers1: a container manager can
     * request a socket for each app, and the credentials of a connection say which app it belongs
     * to.
     *
     * @param folder the folder of these sockets; if only the last part of its path is missing, the
     *     bus makes it. The path must be one that can be mounted into a container
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
