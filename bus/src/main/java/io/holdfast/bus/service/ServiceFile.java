package io.holdfast.bus.service;

import io.holdfast.bus.config.ConfigException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A service that is started on demand for its name.
 *
 * @param exec the program and its arguments; empty if only a service manager can start it
 * @param user the user that it runs as, a name or number; null on a session bus
 * @param systemdService the unit that a service manager starts for it
 */
public record ServiceFile(
        String name,
        List<String> exec,
        @Nullable String user,
        @Nullable String systemdService,
        Path file) {
    /** The most bytes of one file; a larger one is refused. */
    public static final int MAX_SIZE = 1 << 16;

    public ServiceFile {
        exec = List.copyOf(exec);
    }

    /**
     * Returns the name of the unit by which a service manager starts a service that has no unit, as
     * its user.
     *
     * @param name the name of the service
     */
    public static String userUnit(String name) {
        return "dbus-" + name + ".service";
    }

    /**
     * Reads one file.
     *
     * @param strict whether the file must be named after its service
     * @param system whether it is for a system bus, where a service without a unit needs a user
     * @throws ConfigException if it describes no service
     */
    public static ServiceFile load(Path file, boolean strict, boolean system)
            throws ConfigException {
        return new ServiceFileReader(file, strict, system).read();
    }
}
