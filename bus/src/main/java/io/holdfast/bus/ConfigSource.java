package io.holdfast.bus;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.ConfigException;

/** Loads the configuration of a bus, when the bus opens and at each reload. */
@FunctionalInterface
public interface ConfigSource {
    /**
     * Loads the configuration.
     *
     * @return the configuration
     * @throws ConfigException if it is wrong: at a reload the old one stays in effect
     */
    BusConfig load() throws ConfigException;
}
