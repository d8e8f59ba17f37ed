package io.holdfast.manager;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.LoadPath;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * How a manager is set up.
 *
 * @param units folders of unit files that come before the standard ones
 * @param runtimeDirectory where its sockets are; made if it is missing
 * @param slice the name of its slice in the cgroup that it was started in
 * @param ownsProcess whether all children of this process that {@link
 *     io.holdfast.core.process.Spawn} did not start, and that were not there before the manager,
 *     are orphans of its units: only where nothing else in this JVM starts processes. Without
 *     cgroups nothing else can tell them apart.
 * @param isContainerInit whether units may end the container that the manager is the init of
 *     ({@link ContainerInit})
 */
public record ManagerOptions(
        ManagerScope scope,
        LoadPath loadPath,
        List<Path> units,
        Path runtimeDirectory,
        UnitName slice,
        boolean ownsProcess,
        boolean isContainerInit) {
    /** The slice that a manager uses unless told otherwise. */
    public static final UnitName DEFAULT_SLICE = UnitName.of("holdfast.slice");

    /** Bytes that the path of the runtime directory may have; an address takes 107 (unix(7)). */
    public static final int MAX_RUNTIME_DIRECTORY = 107 - "/io.holdfast.Authority".length();

    public ManagerOptions {
        units = List.copyOf(units);
    }

    /** For the whole system, by root. */
    public static ManagerOptions system(Map<String, String> environment) {
        return new ManagerOptions(
                ManagerScope.system(environment),
                LoadPath.system(environment),
                List.of(),
                Path.of("/run/holdfast"),
                DEFAULT_SLICE,
                false,
                false);
    }

    /** For one user. */
    public static ManagerOptions user(Map<String, String> environment) {
        ManagerScope scope = ManagerScope.user(environment);
        return new ManagerOptions(
                scope,
                LoadPath.user(environment),
                List.of(),
                Path.of(scope.runtimeDirectory(), "holdfast"),
                DEFAULT_SLICE,
                false,
                false);
    }

    /**
     * @param other for whom the manager works. Neither the load path nor the runtime directory
     *     follows
     */
    public ManagerOptions withScope(ManagerScope other) {
        return new ManagerOptions(
                other, loadPath, units, runtimeDirectory, slice, ownsProcess, isContainerInit);
    }

    /**
     * @param folders the one that wins first; none by default
     */
    public ManagerOptions withUnits(List<Path> folders) {
        return new ManagerOptions(
                scope, loadPath, folders, runtimeDirectory, slice, ownsProcess, isContainerInit);
    }

    /**
     * @param directory by default {@code holdfast} in {@code /run}, or in the user's {@code
     *     XDG_RUNTIME_DIR}
     */
    public ManagerOptions withRuntimeDirectory(Path directory) {
        return new ManagerOptions(
                scope, loadPath, units, directory, slice, ownsProcess, isContainerInit);
    }

    /**
     * Refuses a runtime directory whose sockets could have no address.
     *
     * @throws IllegalArgumentException if its path is longer than {@link #MAX_RUNTIME_DIRECTORY}
     */
    public void checkRuntimeDirectory() {
        int length = runtimeDirectory.toString().getBytes(UTF_8).length;
        if (length > MAX_RUNTIME_DIRECTORY) {
            throw new IllegalArgumentException(
                    "the runtime directory %s has a path of %d bytes; with more than %d its sockets have no address"
                            .formatted(runtimeDirectory, length, MAX_RUNTIME_DIRECTORY));
        }
    }

    /**
     * @param name of a slice; {@link #DEFAULT_SLICE} by default
     */
    public ManagerOptions withSlice(UnitName name) {
        return new ManagerOptions(
                scope, loadPath, units, runtimeDirectory, name, ownsProcess, isContainerInit);
    }

    /**
     * With all children of this process taken as the manager's, except those of {@code Spawn}; they
     * are not by default. See {@code ownsProcess}.
     */
    public ManagerOptions withProcessOwned() {
        return new ManagerOptions(
                scope, loadPath, units, runtimeDirectory, slice, true, isContainerInit);
    }

    /** As the init of a container, which {@link ContainerInit#isHere} tells; not by default. */
    public ManagerOptions withContainerInit(boolean isInit) {
        return new ManagerOptions(
                scope, loadPath, units, runtimeDirectory, slice, ownsProcess, isInit);
    }
}
