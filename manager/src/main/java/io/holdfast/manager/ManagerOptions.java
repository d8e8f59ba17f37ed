package io.holdfast.manager;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.manager.exec.SandboxSupport;
import io.holdfast.manager.log.JournalSocket;
import io.holdfast.manager.notify.NotifySockets;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.unit.file.UnitGenerator;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The options of a manager. Immutable. */
public final class ManagerOptions implements Cloneable {
    /** The default slice of a manager. */
    public static final UnitName DEFAULT_SLICE = UnitName.of("holdfast.slice");

    /**
     * The greatest length of the path of the runtime directory in bytes; a socket address takes 107
     * (unix(7)).
     */
    public static final int MAX_RUNTIME_DIRECTORY = 107 - NotifySockets.PATH_LENGTH;

    // Changed only by with(), before anybody else sees the object.
    private ManagerScope scope;
    private LoadPath loadPath;
    private List<Path> units = List.of();
    private Path runtimeDirectory;
    private Optional<Path> journalSettings = Optional.empty();
    private UnitName slice = DEFAULT_SLICE;
    private boolean ownsProcess;
    private boolean isContainerInit;
    private SandboxSupport.Mode sandbox = SandboxSupport.Mode.AS_FOUND;
    private @Nullable JournalSocket journal;

    private ManagerOptions(ManagerScope scope, LoadPath loadPath, Path runtimeDirectory) {
        this.scope = scope;
        this.loadPath = loadPath;
        this.runtimeDirectory = runtimeDirectory;
    }

    /** Returns the options of the manager of the whole system, run by root. */
    public static ManagerOptions system(Map<String, String> environment) {
        return new ManagerOptions(
                ManagerScope.system(environment),
                LoadPath.system(environment),
                Path.of("/run/holdfast"));
    }

    public static ManagerOptions user(Map<String, String> environment) {
        ManagerScope scope = ManagerScope.user(environment);
        return new ManagerOptions(
                scope, LoadPath.user(environment), Path.of(scope.runtimeDirectory(), "holdfast"));
    }

    /** {@return whether the manager works for the system or for a user} */
    public ManagerScope scope() {
        return scope;
    }

    /**
     * @param other the scope of the manager. Neither the load path nor the runtime directory
     *     changes with it
     */
    public ManagerOptions withScope(ManagerScope other) {
        return with(options -> options.scope = other);
    }

    /** {@return the standard folders of unit files} */
    public LoadPath loadPath() {
        return loadPath;
    }

    /**
     * @param path the standard folders of unit files; by default those of systemd.unit(5)
     */
    public ManagerOptions withLoadPath(LoadPath path) {
        return with(options -> options.loadPath = path);
    }

    /**
     * @param generator makes units that no folder has; none by default
     */
    public ManagerOptions withGenerator(UnitGenerator generator) {
        return withLoadPath(loadPath.withGenerator(generator));
    }

    /** {@return the folders of unit files that take precedence over the standard ones} */
    public List<Path> units() {
        return units;
    }

    /**
     * @param folders the folders, highest precedence first; none by default
     */
    public ManagerOptions withUnits(List<Path> folders) {
        List<Path> copy = List.copyOf(folders);
        return with(options -> options.units = copy);
    }

    /** {@return the folder of its sockets; made if it is missing} */
    public Path runtimeDirectory() {
        return runtimeDirectory;
    }

    /**
     * @param directory by default {@code holdfast} in {@code /run}, or in the user's {@code
     *     XDG_RUNTIME_DIR}
     */
    public ManagerOptions withRuntimeDirectory(Path directory) {
        return with(options -> options.runtimeDirectory = directory);
    }

    /** {@return the folder of what the receiver of log messages reads about units} */
    public Path journalSettings() {
        return journalSettings.orElse(runtimeDirectory.resolve("units"));
    }

    /**
     * @param folder {@code units} beside the folder of the receiver's sockets, so {@code
     *     /run/systemd/units} for journald; by default in the runtime directory
     */
    public ManagerOptions withJournalSettings(Path folder) {
        return with(options -> options.journalSettings = Optional.of(folder));
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

    /** {@return the name of its slice, below the cgroup that the manager was started in} */
    public UnitName slice() {
        return slice;
    }

    /**
     * @param name the name of a slice; {@link #DEFAULT_SLICE} by default
     */
    public ManagerOptions withSlice(UnitName name) {
        return with(options -> options.slice = name);
    }

    /** {@return whether all children of this process are taken as orphans of its units} */
    public boolean ownsProcess() {
        return ownsProcess;
    }

    /**
     * Makes the manager treat every child of this process as an orphan of its units, except
     * children that {@link io.holdfast.core.process.Spawn} started and children that are older than
     * the manager. Use it only if nothing else in this JVM starts processes: without cgroups
     * nothing else can distinguish them. Off by default.
     */
    public ManagerOptions withProcessOwned() {
        return with(options -> options.ownsProcess = true);
    }

    /** {@return whether units may end the container that the manager is the init of} */
    public boolean isContainerInit() {
        return isContainerInit;
    }

    /**
     * Sets whether the manager is the init of a container, as {@link ContainerInit#isHere} finds
     * out. Off by default.
     */
    public ManagerOptions withContainerInit(boolean isInit) {
        return with(options -> options.isContainerInit = isInit);
    }

    /** {@return how a sandbox is treated that cannot be made} */
    public SandboxSupport.Mode sandbox() {
        return sandbox;
    }

    /**
     * @param mode {@link SandboxSupport.Mode#AS_FOUND} by default
     */
    public ManagerOptions withSandbox(SandboxSupport.Mode mode) {
        return with(options -> options.sandbox = mode);
    }

    /** {@return the receiver of the output of units, if there is one} */
    public Optional<JournalSocket> journal() {
        return Optional.ofNullable(journal);
    }

    /**
     * Sends the output of units to a receiver of log messages. Without one, or while none listens,
     * the manager reads the output from pipes, and keeps the last lines.
     *
     * @param socket of the receiver; none by default
     */
    public ManagerOptions withJournal(JournalSocket socket) {
        return with(options -> options.journal = socket);
    }

    private ManagerOptions with(Consumer<ManagerOptions> change) {
        try {
            ManagerOptions copy = (ManagerOptions) clone();
            change.accept(copy);
            return copy;
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }
}
