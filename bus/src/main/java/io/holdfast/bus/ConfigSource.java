package io.holdfast.bus;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.ConfigException;

/** Where a bus has its configuration from: asked when it opens, and at each reload. */
@FunctionalInterface
public interface ConfigSource {
    /**
     * @throws ConfigException if it is wrong: at a reload the old one stays in force
     */
    BusConfig load() throws ConfigException;
}
