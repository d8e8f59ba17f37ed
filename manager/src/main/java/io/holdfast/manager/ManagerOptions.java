package io.holdfast.manager;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.manager.exec.SandboxSupport;
import io.holdfast.manager.notify.NotifySockets;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.unit.file.UnitGenerator;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * The options of a manager.
 *
 * @param units folders of unit files that take precedence over the standard ones
 * @param runtimeDirectory the folder of its sockets; made if it is missing
 * @param slice the name of its slice, below the cgroup that the manager was started in
 * @param ownsProcess whether the manager treats every child of this process as an orphan of its
 *     units, except children that {@link io.holdfast.core.process.Spawn} started and children that
 *     are older than the manager. Use it only if nothing else in this JVM starts processes: without
 *     cgroups nothing else can distinguish them.
 * @param isContainerInit whether units may end the container that the manager is the init of
 *     ({@link ContainerInit})
 * @param sandbox how a sandbox is treated that cannot be made
 */
public record ManagerOptions(
        ManagerScope scope,
        LoadPath loadPath,
        List<Path> units,
        Path runtimeDirectory,
        UnitName slice,
        boolean ownsProcess,
        boolean isContainerInit,
        SandboxSupport.Mode sandbox) {
    /** The default slice of a manager. */
    public static final UnitName DEFAULT_SLICE = UnitName.of("holdfast.slice");

    /**
     * The greatest length of the path of the runtime directory in bytes; a socket address takes 107
     * (unix(7)).
     */
    public static final int MAX_RUNTIME_DIRECTORY = 107 - NotifySockets.PATH_LENGTH;

    /** Creates options by which a sandbox is treated as found ({@link SandboxSupport.Mode}). */
    public ManagerOptions(
            ManagerScope scope,
            LoadPath loadPath,
            List<Path> units,
            Path runtimeDirectory,
            UnitName slice,
            boolean ownsProcess,
            boolean isContainerInit) {
        this(
                scope,
                loadPath,
                units,
                runtimeDirectory,
                slice,
                ownsProcess,
                isContainerInit,
                SandboxSupport.Mode.AS_FOUND);
    }

    public ManagerOptions {
        units = List.copyOf(units);
    }

    /** Returns the options of the manager of the whole system, run by root. */
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

    /** Returns the options of the manager of one user. */
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
     * @param other the scope of the manager. Neither the load path nor the runtime directory
     *     changes with it
     */
    public ManagerOptions withScope(ManagerScope other) {
        return new ManagerOptions(
                other,
                loadPath,
                units,
                runtimeDirectory,
                slice,
                ownsProcess,
                isContainerInit,
                sandbox);
    }

    /**
     * @param folders the folders, highest precedence first; none by default
     */
    public ManagerOptions withUnits(List<Path> folders) {
        return new ManagerOptions(
                scope,
                loadPath,
                folders,
                runtimeDirectory,
                slice,
                ownsProcess,
                isContainerInit,
                sandbox);
    }

    /**
     * @param generator makes units that no folder has; none by default
     */
    public ManagerOptions withGenerator(UnitGenerator generator) {
        return new ManagerOptions(
                scope,
                loadPath.withGenerator(generator),
                units,
                runtimeDirectory,
                slice,
                ownsProcess,
                isContainerInit,
                sandbox);
    }

    /**
     * @param directory by default {@code holdfast} in {@code /run}, or in the user's {@code
     *     XDG_RUNTIME_DIR}
     */
    public ManagerOptions withRuntimeDirectory(Path directory) {
        return new ManagerOptions(
                scope, loadPath, units, directory, slice, ownsProcess, isContainerInit, sandbox);
    }

    /**
     * Checks that the sockets in the runtime directory can have addresses.
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
     * @param name the name of a slice; {@link #DEFAULT_SLICE} by default
     */
    public ManagerOptions withSlice(UnitName name) {
        return new ManagerOptions(
                scope,
                loadPath,
                units,
                runtimeDirectory,
                name,
                ownsProcess,
                isContainerInit,
                sandbox);
    }

    /**
     * Makes the manager treat all children of this process as its own, except those of {@code
     * Spawn}. Off by default; see {@code ownsProcess}.
     */
    public ManagerOptions withProcessOwned() {
        return new ManagerOptions(
                scope, loadPath, units, runtimeDirectory, slice, true, isContainerInit, sandbox);
    }

    /**
     * Sets whether the manager is the init of a container, as {@link ContainerInit#isHere} finds
     * out. Off by default.
     */
    public ManagerOptions withContainerInit(boolean isInit) {
        return new ManagerOptions(
                scope, loadPath, units, runtimeDirectory, slice, ownsProcess, isInit, sandbox);
    }

    /**
     * @param mode {@link SandboxSupport.Mode#AS_FOUND} by default
     */
    public ManagerOptions withSandbox(SandboxSupport.Mode mode) {
        return new ManagerOptions(
                scope,
                loadPath,
                units,
                runtimeDirectory,
                slice,
                ownsProcess,
                isContainerInit,
                mode);
    }
}
