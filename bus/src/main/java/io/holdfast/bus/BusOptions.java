package io.holdfast.bus;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.service.Activator;
import io.holdfast.dbus.address.BusAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** The options of a bus. Immutable. */
public final class BusOptions implements Cloneable {
    // Changed only by with(), before anybody else sees the object.
    List<BusAddress> addresses;
    final ConfigSource config;
    Optional<Activator> activator = Optional.empty();
    boolean systemdActivation;
    int serviceUmask = 022;
    Optional<Path> containers = Optional.empty();

    private BusOptions(ConfigSource config, List<BusAddress> addresses) {
        this.config = config;
        this.addresses = addresses;
    }

    /**
     * Returns options with these addresses and the default for everything else.
     *
     * @param config the configuration; {@link BusConfig#session}, {@link BusConfig#system}, a file,
     *     or one made by the program
     * @param addresses the addresses to listen at; if empty, those of the configuration
     */
    public static BusOptions of(ConfigSource config, BusAddress... addresses) {
        return new BusOptions(config, List.of(addresses));
    }

    /** Returns the same options with other addresses. */
    public BusOptions withAddresses(List<BusAddress> other) {
        return with(options -> options.addresses = List.copyOf(other));
    }

    /**
     * Returns the same options with an activator that starts all services. It is closed with the
     * bus. By default, the bus requests those that have a unit from the owner of
     * org.freedesktop.systemd1, and spawns the others.
     */
    public BusOptions withActivator(Activator other) {
        return with(options -> options.activator = Optional.of(other));
    }

    /**
     * Returns the same options with every service that has a unit left to the service manager, even
     * before the manager is on the bus. By default, the bus spawns the service's program then.
     */
    public BusOptions withSystemdActivation() {
        return with(options -> options.systemdActivation = true);
    }

    /**
     * Returns the same options with another umask for services that the bus spawns. The default is
     * 022, whatever umask the bus itself has inherited.
     *
     * @param mask 0 to 0777
     */
    public BusOptions withServiceUmask(int mask) {
        return with(options -> options.serviceUmask = mask);
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
        return with(options -> options.containers = Optional.of(folder.toAbsolutePath()));
    }

    private BusOptions with(Consumer<BusOptions> change) {
        try {
            BusOptions copy = (BusOptions) clone();
            change.accept(copy);
            return copy;
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }
}
