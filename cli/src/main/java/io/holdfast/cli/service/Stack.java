package io.holdfast.cli.service;

import io.holdfast.cli.command.CommandException;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.TrustedFolder;
import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.unit.UnitName;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Our own bus, authority and helper, as units like any other: they are laid out in the runtime
 * folder, before the folders of the system, under the names that other units know them by.
 */
final class Stack {
    /** All of it. */
    static final UnitName TARGET = UnitName.of("holdfast.target");

    /** What the manager itself needs of it. */
    static final UnitName BUS_SOCKET = UnitName.of("dbus.socket");

    static final String LAUNCHER_PROPERTY = "holdfast.launcher";
    private static final String BUS_POLICY = "bus.conf";
    private static final String USERS_METRICS = "bus.metrics";
    private static final String UNITS = "units";
    private static final String BUS_FOLDER = "dbus";
    private static final String AUTHORITY_FOLDER = "authority";
    private static final Path RUN = Path.of("/run");

    /** Readable by all: the bus and the authority have users of their own. */
    private static final int FOLDER_MODE = 0755;

    private static final int FILE_MODE = 0644;

    private static final List<String> OF_USER =
            List.of("holdfast.target", "dbus.socket", "dbus.service");
    private static final List<String> OF_SYSTEM =
            List.of(
                    "holdfast.target",
                    "dbus.socket",
                    "dbus.service",
                    "holdfast-authority.socket",
                    "polkit.service",
                    "polkit-agent-helper.socket",
                    "polkit-agent-helper@.service");

    /** Folders that a service's sandbox hides, or that only their owners may enter. */
    private static final List<String> HIDDEN = List.of("/tmp", "/root", "/home");

    private final boolean user;
    private final Path runtime;
    private final String launcher;

    private Stack(boolean user, Path runtime, String launcher) {
        this.user = user;
        this.runtime = runtime;
        this.launcher = launcher;
    }

    /**
     * The stack of a manager.
     *
     * @throws CommandException if it is not known how this command was called: its daemons are
     *     started by it
     */
    static Stack of(ManagerOptions options) {
        String launcher = System.getProperty(LAUNCHER_PROPERTY, "");
        if (launcher.isEmpty()) {
            throw new CommandException(
                    "the stack is started by the command holdfast, and this is not it");
        }
        return new Stack(options.scope().user(), options.runtimeDirectory(), launcher);
    }

    /** The address of its bus. */
    String busAddress() {
        return "unix:path=" + runtime.resolve("bus");
    }

    /** A manager whose units can be started by it, and find its bus. */
    ManagerOptions applied(ManagerOptions options) {
        List<Path> folders = new ArrayList<>(options.units());
        folders.add(folder());
        String variable = user ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS";
        return options.withUnits(folders)
                .withScope(options.scope().withVariables(Map.of(variable, busAddress())));
    }

    private Path folder() {
        return runtime.resolve(UNITS);
    }

    /**
     * Lays the units out.
     *
     * @param slice the cgroup that they will be below, if there is one
     * @throws ErrnoException if another user could change them ({@link TrustedFolder}), or if that
     *     cannot be done
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
            throw new UncheckedIOException("cannot lay out the units in " + folder(), e);
        }
    }

    private byte[] content(String resource, Optional<String> slice) throws IOException {
        return read((user ? "user/" : "system/") + resource)
                .replace("@HOLDFAST@", escaped(launcher))
                .replace("@RUNTIME@", escaped(runtime.toString()))
                .replace("@VISIBLE@", visible())
                .replace("@BUS_FOLDER@", folderOf(BUS_FOLDER))
                .replace("@BUS_METRICS@", metricsIn(BUS_FOLDER))
                .replace("@AUTHORITY_FOLDER@", folderOf(AUTHORITY_FOLDER) + preserved())
                .replace("@AUTHORITY_METRICS@", metricsIn(AUTHORITY_FOLDER))
                // without cgroups this names nobody
                .replace("@SLICE@", slice.orElse("/holdfast.slice"))
                .getBytes(StandardCharsets.UTF_8);
    }

    /** As a word of a unit file takes it. */
    private static String escaped(String text) {
        return text.replace("%", "%%").replace("\\", "\\\\").replace("\"", "\\\"");
    }

    /**
     * What makes us and our runtime folder visible to services that see neither homes nor the
     * temporary folders of others, and whose users may not enter every folder above us.
     */
    private String visible() {
        Set<Path> covered = new LinkedHashSet<>();
        Set<Path> shown = new LinkedHashSet<>();
        for (Path place : List.of(program(), runtime)) {
            Path top = place.getNameCount() > 1 ? Path.of("/").resolve(place.getName(0)) : place;
            if (HIDDEN.contains(top.toString()) && !place.equals(top)) {
                shown.add(place);
                if (!top.toString().equals("/tmp")) { // which is their own
                    covered.add(top);
                }
            }
        }
        StringBuilder lines = new StringBuilder();
        covered.forEach(
                top -> lines.append("TemporaryFileSystem=").append(top).append(":mode=0755\n"));
        shown.forEach(place ->
                lines.append("BindReadOnlyPaths=\"")
                        .append(escaped(place.toString()))
                        .append("\"\n"));
        return lines.toString();
    }

    /** Whether ours is where {@code RuntimeDirectory=} makes folders. */
    private boolean mayHaveFolders() {
        return runtime.startsWith(RUN) && !runtime.equals(RUN);
    }

    /** The folder of a daemon in ours, in which it alone writes. A stop removes it. */
    private String folderOf(String daemon) {
        return mayHaveFolders()
                ? "RuntimeDirectory=\"%s/%s\"\nRuntimeDirectoryMode=0700\n"
                        .formatted(escaped(RUN.relativize(runtime).toString()), daemon)
                : "";
    }

    /** The authority writes down there what outlives it: a restart finds it again. */
    private String preserved() {
        return mayHaveFolders() ? "RuntimeDirectoryPreserve=restart\n" : "";
    }

    /** Without a folder of its own a daemon could serve them nowhere. */
    private String metricsIn(String daemon) {
        return mayHaveFolders()
                ? " --metrics \"%s/%s/metrics\"".formatted(escaped(runtime.toString()), daemon)
                : "";
    }

    /** The folder with all of us. */
    private Path program() {
        Path folder = Path.of(launcher).toAbsolutePath().resolveSibling("");
        boolean installed = !Files.exists(folder.resolve("pom.xml")); // into bin and lib
        return installed && folder.getParent() != null ? folder.getParent() : folder;
    }

    private static String read(String resource) throws IOException {
        try (InputStream stream =
                Objects.requireNonNull(
                        Stack.class.getResourceAsStream("stack/" + resource), resource)) {
            return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** The files of the stack go with it. */
    void remove() {
        try {
            for (String unit : user ? OF_USER : OF_SYSTEM) {
                boolean _ = Files.deleteIfExists(folder().resolve(unit));
            }
            boolean _ = Files.deleteIfExists(folder());
            boolean _ = Files.deleteIfExists(runtime.resolve(BUS_POLICY));
            boolean _ = Files.deleteIfExists(runtime.resolve(USERS_METRICS)); // of a killed bus
        } catch (IOException e) {
            // somebody has put more there
        }
    }
}
