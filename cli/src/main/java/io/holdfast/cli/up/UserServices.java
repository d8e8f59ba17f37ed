package io.holdfast.cli.up;

import io.holdfast.bus.config.ConfigException;
import io.holdfast.bus.config.ServiceFolder;
import io.holdfast.bus.service.ServiceFile;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitGenerator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Makes units of D-Bus services that have a user and no unit of their own: {@code
 * dbus-NAME.service}. The stack's bus cannot change users, so it requests this unit from the
 * manager, which reads the service file in the folders of root: neither the bus nor its clients
 * decide what runs as whom. A unit file of this name takes precedence, and drop-ins are added.
 */
final class UserServices implements UnitGenerator {
    private static final String PREFIX = ServiceFile.userUnit("").replace(".service", "");
    private static final String SUFFIX = ".service";

    private final List<ServiceFolder> folders;
    private final String busAddress;

    /**
     * @param folders the folders of service files, the one that takes precedence first
     * @param busAddress the address of the bus, for the services
     */
    UserServices(List<ServiceFolder> folders, String busAddress) {
        this.folders = List.copyOf(folders);
        this.busAddress = busAddress;
    }

    @Override
    public Optional<Generated> generate(UnitName unit) {
        String text = unit.text();
        if (!text.startsWith(PREFIX) || !text.endsWith(SUFFIX)) {
            return Optional.empty();
        }
        String name = text.substring(PREFIX.length(), text.length() - SUFFIX.length());
        return folders.stream()
                .map(folder -> folder.path().resolve(name + SUFFIX))
                .filter(Files::isRegularFile)
                .flatMap(file -> read(file, name).stream())
                .findFirst()
                .flatMap(this::unitOf);
    }

    private static Optional<ServiceFile> read(Path file, String name) {
        try {
            return Optional.of(ServiceFile.load(file, true, true))
                    .filter(service -> service.name().equals(name));
        } catch (ConfigException e) {
            return Optional.empty(); // the bus skips it too, and logs why
        }
    }

    private Optional<Generated> unitOf(ServiceFile service) {
        String user = service.user();
        if (user == null
                || service.systemdService() != null
                || !service.exec().getFirst().startsWith("/")) {
            return Optional.empty();
        }
        String text =
                """
                [Unit]
                Description=D-Bus service %s
                CollectMode=inactive-or-failed
                [Service]
                Type=dbus
                BusName=%s
                User=%s
                Environment=DBUS_STARTER_BUS_TYPE=system %s
                ExecStart=%s
                """
                        .formatted(
                                service.name(),
                                service.name(),
                                user.replace("%", "%%"),
                                quoted("DBUS_STARTER_ADDRESS=" + busAddress),
                                service.exec().stream()
                                        .map(word -> quoted(word.replace("$", "$$")))
                                        .collect(Collectors.joining(" ")));
        return Optional.of(new Generated(service.file(), text));
    }

    /** Quotes a text as a word of a unit file. */
    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("%", "%%") + '"';
    }
}
