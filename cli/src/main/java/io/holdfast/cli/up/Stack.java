package io.holdfast.cli.up;

import io.holdfast.bus.config.ServiceFolder;
import io.holdfast.cli.command.CommandException;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.unit.UnitName;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Holdfast's own bus, authority, helper and journal, as ordinary units. Their unit files are
 * written to a folder in the runtime folder, which is searched before the folders of the system,
 * and have the names to which other units refer.
 */
public final class Stack {
    /** The target that pulls in the whole stack. */
    public static final UnitName TARGET = UnitName.of("holdfast.target");

    /** The unit of the stack that the manager itself needs. */
    static final UnitName BUS_SOCKET = UnitName.of("dbus.socket");

    static final String LAUNCHER_PROPERTY = "holdfast.launcher";
    private static final String BUS_POLICY = "bus.conf";
    private static final String USERS_METRICS = "bus.metrics";
    private static final String UNITS = "stack";
    private static final String BUS_FOLDER = "dbus";
    private static final String AUTHORITY_FOLDER = "authority";
    private static final Path RUN = Path.of("/run");

    /** Programs that do not read DBUS_SYSTEM_BUS_ADDRESS connect to it. */
    private static final Path SYSTEM_BUS = Path.of("/run/dbus/system_bus_socket");

    /** Programs that use syslog(3) send to it. */
    private static final Path DEV_LOG = Path.of("/dev/log");

    /** Readable by all, because the bus and the authority run as other users. */
    private static final int FOLDER_MODE = 0755;

    private static final int FILE_MODE = 0644;

    private static final List<String> OF_USER =
            List.of(
                    "holdfast.target",
                    "dbus.socket",
                    "dbus.service",
                    "systemd-journald.socket",
                    JournalPlace.VARLINK_SOCKET.text(),
                    "systemd-journald.service");
    private static final List<String> OF_SYSTEM =
            List.of(
                    "holdfast.target",
                    "dbus.socket",
                    "dbus.service",
                    "systemd-journald.socket",
                    JournalPlace.VARLINK_SOCKET.text(),
                    JournalPlace.SYSLOG_SOCKET.text(),
                    "systemd-journald.service",
                    "holdfast-authority.socket",
                    "polkit.service",
                    "polkit-agent-helper.socket",
                    "polkit-agent-helper@.service");

    /** polkit's packages permit their own user to own its name. */
    private static final Path POLKITS_POLICY =
            Path.of("/usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf");

    private static final Path TEMPORARY = Path.of("/tmp");

    /** Folders that the sandbox of a service hides, or that only their owners may enter. */
    private static final List<Path> HIDDEN = List.of(TEMPORARY, Path.of("/root"), Path.of("/home"));

    private final boolean user;
    private final Path runtime;
    private final String launcher;
    private final JournalPlace journal;

    private Stack(ManagerOptions options, String launcher) {
        this.user = options.scope().user();
        this.runtime = options.runtimeDirectory();
        this.launcher = launcher;
        this.journal = JournalPlace.of(options);
    }

    /**
     * Returns the stack of a manager.
     *
     * @throws CommandException if the path of the launcher, which starts the stack's daemons, is
     *     not known
     */
    static Stack of(ManagerOptions options) {
        String launcher = System.getProperty(LAUNCHER_PROPERTY, "");
        if (launcher.isEmpty()) {
            throw new CommandException(
                    "holdfast.target needs the launcher holdfast (property holdfast.launcher)");
        }
        return new Stack(options, launcher);
    }

    /** Returns where the receiver of log messages listens and stores. */
    JournalPlace journal() {
        return journal;
    }

    /** Returns the address of the stack's bus. */
    String busAddress() {
        return "unix:path=" + runtime.resolve("bus");
    }

    /**
     * Adds the folder of the stack's units, and the address of its bus as an environment variable
     * of all units.
     */
    ManagerOptions applied(ManagerOptions options) {
        List<Path> folders = new ArrayList<>(options.units());
        folders.add(folder());
        String variable = user ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS";
        ManagerOptions activating =
                user
                        ? options
                        : options.withGenerator(
                                new UserServices(ServiceFolder.ofSystem(), busAddress()));
        return activating
                .withUnits(folders)
                .withJournal(journal.socket())
                .withScope(options.scope().withVariables(Map.of(variable, busAddress())));
    }

    private Path folder() {
        return runtime.resolve(UNITS);
    }

    /**
     * Writes the unit files.
     *
     * @param slice the cgroup below which the units run, if there is one
     * @throws ErrnoException if another user could change the files ({@link TrustedFolder}), or if
     *     they cannot be written
     */
    void layOut(Optional<String> slice) {
        try (TrustedFolder above = TrustedFolder.make(runtime);
                TrustedFolder units = above.child(UNITS, FOLDER_MODE)) {
            for (String unit : user ? OF_USER : OF_SYSTEM) {
                units.write(unit, FILE_MODE, content(unit, slice));
            }
            if (!user) {
                above.write(BUS_POLICY, FILE_MODE, content(BUS_POLICY, slice));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the units to " + folder(), e);
        }
    }

    private byte[] content(String resource, Optional<String> slice) throws IOException {
        return read((user ? "user/" : "system/") + resource)
                .replace("@HOLDFAST@", escaped(launcher))
                .replace("@RUNTIME@", escaped(runtime.toString()))
                .replace("@VISIBLE@", covered() + shown())
                .replace("@SHOWN@", shown())
                .replace("@LINK@", link(SYSTEM_BUS, runtime.resolve("bus")))
                .replace("@DEV_LOG@", link(DEV_LOG, journal.sockets().resolve("dev-log")))
                .replace("@JOURNAL@", escaped(journal.sockets().toString()))
                .replace("@STORAGE@", storage())
                .replace("@BUS_FOLDER@", folderOf(BUS_FOLDER))
                .replace("@METRICS@", metrics())
                .replace("@AUTHORITY_BUS@", authorityBus(slice.isPresent()))
                .replace("@AUTHORITY@", slice.isPresent() ? " polkit.service" : "")
                .replace("@AUTHORITY_FOLDER@", folderOf(AUTHORITY_FOLDER) + preserved())
                // without cgroups this matches no process
                .replace("@SLICE@", slice.orElse("/holdfast.slice"))
                .getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Returns the option for the bus that the authority serves. The bus recognizes the authority by
     * its cgroup. Without cgroups it can only go by the user of polkit's packages; an image without
     * them gets an authority on Varlink alone.
     */
    private String authorityBus(boolean hasCgroups) {
        return hasCgroups || Files.exists(POLKITS_POLICY)
                ? "\"unix:path=" + escaped(runtime.toString()) + "/bus\""
                : "none";
    }

    /**
     * Returns the directive for a link at an address of the machine. A stack in another runtime
     * folder is not the machine's, and the socket of another program stays.
     */
    private String link(Path at, Path socket) throws IOException {
        boolean isMachines = runtime.equals(ManagerOptions.system(Map.of()).runtimeDirectory());
        boolean isFree = // also if a link is there that leads nowhere
                !Files.exists(at)
                        || (Files.isSymbolicLink(at) && Files.readSymbolicLink(at).equals(socket));
        return isMachines && isFree ? "Symlinks=" + at + "\n" : "";
    }

    /** Returns the option for the folder of the journal, unless it is the machine's. */
    private String storage() {
        return journal.isMachines()
                ? " --kernel"
                : " --directory \"" + escaped(journal.storage().toString()) + "\"";
    }

    /** Escapes a text as a word of a unit file. */
    private static String escaped(String text) {
        return text.replace("%", "%%").replace("\\", "\\\\").replace("\"", "\\\"");
    }

    /**
     * Returns the directives that cover the homes which a service's user may not enter, but has to
     * for the places of {@link #shown}.
     */
    private String covered() {
        return hiddenPlaces()
                .map(Stack::top)
                .filter(top -> !top.equals(TEMPORARY)) // private to the service
                .distinct()
                .map(top -> "TemporaryFileSystem=" + top + ":mode=0755\n")
                .collect(Collectors.joining());
    }

    /**
     * Returns the directives that make the program, its JDK and the runtime folder visible to
     * services that see neither homes nor the temporary folders of others. An inaccessible folder
     * ({@code ProtectHome=yes}) hides them nevertheless, as in systemd.
     */
    private String shown() {
        return hiddenPlaces()
                .map(place -> "BindReadOnlyPaths=\"" + escaped(place.toString()) + "\"\n")
                .collect(Collectors.joining());
    }

    private Stream<Path> hiddenPlaces() {
        return Stream.of(program(), Path.of(System.getProperty("java.home")), runtime)
                .filter(place -> HIDDEN.contains(top(place)) && !place.equals(top(place)))
                .distinct();
    }

    private static Path top(Path place) {
        return place.getNameCount() > 0 ? Path.of("/").resolve(place.getName(0)) : place;
    }

    /**
     * Returns whether the runtime folder is below the one in which {@code RuntimeDirectory=}
     * creates folders.
     */
    private boolean mayHaveFolders() {
        return runtime.startsWith(RUN) && !runtime.equals(RUN);
    }

    /**
     * Returns the directives for a private folder of a daemon in the runtime folder. It is removed
     * when the daemon stops.
     */
    private String folderOf(String daemon) {
        return mayHaveFolders()
                ? "RuntimeDirectory=\"%s/%s\"\nRuntimeDirectoryMode=0700\n"
                        .formatted(escaped(RUN.relativize(runtime).toString()), daemon)
                : "";
    }

    /**
     * Returns the directive that preserves the authority's folder over a restart, because its state
     * files are there.
     */
    private String preserved() {
        return mayHaveFolders() ? "RuntimeDirectoryPreserve=restart\n" : "";
    }

    /**
     * Returns the option for metrics, which are served only if the daemon has a folder of its own.
     */
    private String metrics() {
        return mayHaveFolders() ? " --metrics ${RUNTIME_DIRECTORY}/metrics" : "";
    }

    /** Returns the folder that contains the whole program. */
    private Path program() {
        Path folder = Path.of(launcher).toAbsolutePath().resolveSibling("");
        boolean installed = !Files.exists(folder.resolve("pom.xml")); // in bin and lib
        return installed && folder.getParent() != null ? folder.getParent() : folder;
    }

    private static String read(String resource) throws IOException {
        try (InputStream stream =
                Objects.requireNonNull(
                        Stack.class.getResourceAsStream("stack/" + resource), resource)) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** Removes the files of the stack. */
    void remove() {
        try {
            for (String unit : user ? OF_USER : OF_SYSTEM) {
                boolean _ = Files.deleteIfExists(folder().resolve(unit));
            }
            boolean _ = Files.deleteIfExists(folder());
            boolean _ = Files.deleteIfExists(runtime.resolve(BUS_POLICY));
            boolean _ = Files.deleteIfExists(runtime.resolve(USERS_METRICS)); // of a killed bus
            if (!journal.isMachines()) {
                boolean _ = Files.deleteIfExists(journal.sockets());
            }
        } catch (IOException e) {
            // another process has added files
        }
    }
}
