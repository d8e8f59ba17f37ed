package io.holdfast.manager.unit.settings;

import io.holdfast.core.process.Resource;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.value.Capability;
import io.holdfast.manager.unit.value.Environment;
import io.holdfast.manager.unit.value.ExecDirectory;
import io.holdfast.manager.unit.value.ResourceLimit;
import io.holdfast.manager.unit.value.SecureBit;
import io.holdfast.manager.unit.value.StandardStream;
import io.holdfast.manager.unit.value.WorkingDirectory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The execution environment of a unit's processes.
 *
 * @param user name or number; empty: the manager's
 * @param group name or number; empty: the user's
 * @param pamService the name of the PAM service whose session its processes are in
 * @param dynamicUser whether a user and a group are created for the run, if none have the names
 * @param directories by kind; kinds without paths are absent
 * @param preserveRuntimeDirectory whether runtime folders outlive the service
 * @param umask 0 to 0777
 * @param capabilityBoundingSet all that are known unless narrowed
 * @param ambientCapabilities that its processes have, whatever their user
 * @param limits of {@code setrlimit(2)} that are set
 * @param nice -20 to 19
 * @param oomScoreAdjust -1000 to 1000
 * @param journal what the receiver of log messages does with theirs
 * @param credentials the secrets that its processes can read
 * @param keyring the session keyring of its processes
 * @param removeIpc whether the IPC objects of its user are removed at its end
 * @param ignorePipe whether SIGPIPE is ignored ({@code IgnoreSIGPIPE=})
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/systemd.exec.html">systemd.exec</a>
 */
public record ExecSettings(
        Optional<String> user,
        Optional<String> group,
        List<String> supplementaryGroups,
        Optional<String> pamService,
        boolean dynamicUser,
        Optional<WorkingDirectory> workingDirectory,
        StandardStream standardInput,
        StandardStream standardOutput,
        StandardStream standardError,
        StreamSettings streams,
        Environment environment,
        Map<ExecDirectory.Kind, ExecDirectory> directories,
        Preserve preserveRuntimeDirectory,
        int umask,
        boolean noNewPrivileges,
        Set<Capability> capabilityBoundingSet,
        Set<Capability> ambientCapabilities,
        Set<SecureBit> secureBits,
        SandboxSettings sandbox,
        SchedulingSettings scheduling,
        Map<Resource, ResourceLimit> limits,
        OptionalInt nice,
        OptionalInt oomScoreAdjust,
        JournalSettings journal,
        CredentialSettings credentials,
        KeyringMode keyring,
        boolean removeIpc,
        boolean ignorePipe) {

    /** {@return whether one of the outputs of its processes goes to the journal} */
    public boolean usesJournal() {
        return standardOutput.isJournal() || standardError.isJournal();
    }

    /** {@return the absolute paths that its processes cannot start without} */
    public List<String> neededPaths(ManagerScope scope) {
        List<String> paths = new ArrayList<>();
        workingDirectory(false).ifPresent(paths::add);
        sandbox.root().ifPresent(root -> paths.add(root.path()));
        directories.forEach((kind, folders) -> {
            for (ExecDirectory.Entry folder : folders.paths()) {
                paths.add(kind.root(scope) + "/" + folder.path());
            }
        });
        return paths;
    }

    /** {@return the absolute paths that its processes use if they are there} */
    public List<String> wantedPaths() {
        List<String> paths = new ArrayList<>();
        workingDirectory(true).ifPresent(paths::add);
        if (sandbox.privateTmp() == SandboxSettings.PrivateTmp.YES) {
            paths.addAll(List.of("/tmp", "/var/tmp"));
        }
        return paths;
    }

    private Optional<String> workingDirectory(boolean optional) {
        return workingDirectory
                .filter(directory -> !directory.home() && directory.optional() == optional)
                .map(WorkingDirectory::path);
    }

    /** How long a runtime folder is kept. */
    public enum Preserve {
        NO,
        /** From one run to the next, if the unit is restarted. */
        RESTART,
        YES
    }

    /** The session keyring of the processes (keyrings(7)). */
    public enum KeyringMode {
        /** That of the manager. */
        INHERIT,
        /** An empty one. */
        PRIVATE,
        /** An empty one, to which the keyring of the user is linked. */
        SHARED
    }

    public ExecSettings {
        supplementaryGroups = List.copyOf(supplementaryGroups);
        directories = Collections.unmodifiableMap(new LinkedHashMap<>(directories));
        limits = Collections.unmodifiableMap(new LinkedHashMap<>(limits));
        ambientCapabilities = copy(Capability.class, ambientCapabilities);
        secureBits = copy(SecureBit.class, secureBits);
        capabilityBoundingSet = copy(Capability.class, capabilityBoundingSet);
    }

    private static <E extends Enum<E>> Set<E> copy(Class<E> kind, Set<E> set) {
        Set<E> copy = EnumSet.noneOf(kind);
        copy.addAll(set);
        return Collections.unmodifiableSet(copy);
    }

    /** {@return the same settings with another sandbox} */
    public ExecSettings withSandbox(SandboxSettings other) {
        return new ExecSettings(
                user,
                group,
                supplementaryGroups,
                pamService,
                dynamicUser,
                workingDirectory,
                standardInput,
                standardOutput,
                standardError,
                streams,
                environment,
                directories,
                preserveRuntimeDirectory,
                umask,
                noNewPrivileges,
                capabilityBoundingSet,
                ambientCapabilities,
                secureBits,
                other,
                scheduling,
                limits,
                nice,
                oomScoreAdjust,
                journal,
                credentials,
                keyring,
                removeIpc,
                ignorePipe);
    }

    /**
     * Returns whether the folders of this kind are below {@code private}, where only their own
     * service reaches them: a dynamic user has its number only while the service runs, so whoever
     * gets the number later would own them. Without mounts the service could not reach them there,
     * either: a dynamic user has {@code ProtectSystem=strict} unless mounts cannot be made.
     */
    public boolean isPrivate(ExecDirectory.Kind kind) {
        return dynamicUser
                && sandbox.protectSystem() == SandboxSettings.ProtectSystem.STRICT
                && switch (kind) {
                    case CONFIGURATION -> false;
                    case RUNTIME -> preserveRuntimeDirectory != Preserve.NO;
                    case STATE, CACHE, LOGS -> true;
                };
    }
}
