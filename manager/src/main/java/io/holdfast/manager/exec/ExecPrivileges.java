package io.holdfast.manager.exec;

import io.holdfast.manager.seccomp.SystemCallFilters;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.value.Capability;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.SecureBit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The user, the groups and the capabilities of the commands of a run, and how a process gets them:
 * by setpriv(1) or, with a filter of system calls and other settings that setpriv does not know, by
 * a {@link ProcessSetup}. Immutable.
 */
final class ExecPrivileges {
    private final ExecSettings settings;
    private final SandboxSupport support;
    private final UserAndGroups identity;
    private final List<byte[]> filters;
    private final Set<Capability> boundingSet;

    /**
     * @param settings as the files of the unit have them
     * @param filters of system calls, compiled
     */
    ExecPrivileges(
            ExecSettings settings,
            SandboxSupport support,
            UserAndGroups identity,
            List<byte[]> filters) {
        this.settings = settings;
        this.support = support;
        this.identity = identity;
        this.filters = filters;
        this.boundingSet = new TreeSet<>(settings.capabilityBoundingSet());
        boundingSet.removeAll(settings.sandbox().dropped());
    }

    UserAndGroups identity() {
        return identity;
    }

    /** Returns whether a command runs as another user than the manager. */
    boolean changesUser(ExecCommand command) {
        return !command.has(ExecCommand.Flag.FULLY_PRIVILEGED)
                && !command.has(ExecCommand.Flag.NO_SETUID)
                && !identity.isOurs();
    }

    /** Returns whether setpriv(1) cannot give them to a process. */
    boolean needsSetup() {
        return !filters.isEmpty()
                || support.deniesWriteExecute(settings.sandbox())
                || settings.keyring() == ExecSettings.KeyringMode.SHARED;
    }

    /**
     * Returns the setup of the process of a command.
     *
     * @param changed the identity that the process takes on
     * @param users the number of the descriptor of its user namespace
     */
    ProcessSetup setup(
            ExecCommand command,
            UserAndGroups changed,
            OptionalInt users,
            Optional<ProcessSetup.View> view,
            ProcessSetup.Directory directory) {
        boolean changes = !command.has(ExecCommand.Flag.NO_SETUID) && !changed.isOurs();
        boolean otherUser = changes && changed.uid().orElse(0) != 0;
        boolean admin = support.owns(Capability.SYS_ADMIN);
        boolean keepsAdmin =
                otherUser
                        && admin
                        && !filters.isEmpty()
                        && !settings.noNewPrivileges()
                        && SystemCallFilters.permitsDropping(settings.sandbox());
        boolean denies = support.deniesWriteExecute(settings.sandbox());
        boolean mayInstall =
                filters.isEmpty() ? !denies || admin : admin && (!otherUser || keepsAdmin);
        return new ProcessSetup(
                view,
                directory,
                users,
                Optional.of(changed).filter(_ -> changes),
                settings.keyring() == ExecSettings.KeyringMode.SHARED,
                Optional.of(boundingSet).filter(_ -> isBoundingSetChanged()),
                ambientCapabilities(),
                secureBits(),
                support.capabilities(),
                settings.noNewPrivileges() || !mayInstall,
                denies,
                filters,
                keepsAdmin);
    }

    /**
     * Returns the options of setpriv(1); none if the command keeps our identity and all
     * capabilities.
     */
    List<String> setprivOptions(ExecCommand command) {
        List<String> options = new ArrayList<>();
        if (!command.has(ExecCommand.Flag.NO_SETUID)) {
            options.addAll(identity.options());
        }
        if (isBoundingSetChanged()) {
            options.add("--bounding-set=" + only(boundingSet));
        }
        Set<Capability> ambient = ambientCapabilities();
        if (!ambient.isEmpty()) {
            options.add("--inh-caps=" + only(ambient));
            options.add("--ambient-caps=" + only(ambient));
        }
        Set<SecureBit> bits = secureBits();
        if (!bits.isEmpty()) {
            options.add(
                    "--securebits="
                            + bits.stream()
                                    .map(bit -> "+" + bit.name().toLowerCase(Locale.ROOT))
                                    .collect(Collectors.joining(",")));
        }
        if (!options.isEmpty() && settings.noNewPrivileges()) {
            options.add("--no-new-privs");
        }
        return options;
    }

    private boolean isBoundingSetChanged() {
        return !hasAllCapabilities() && support.owns(Capability.SETPCAP);
    }

    private Set<Capability> ambientCapabilities() {
        Set<Capability> ambient = new TreeSet<>(settings.ambientCapabilities());
        ambient.retainAll(boundingSet);
        ambient.removeIf(each -> !support.owns(each));
        return ambient;
    }

    private Set<SecureBit> secureBits() {
        Set<SecureBit> bits = new TreeSet<>(settings.secureBits());
        bits.remove(SecureBit.KEEP_CAPS); // cleared by the exec
        return support.owns(Capability.SETPCAP) ? bits : Set.of();
    }

    private static String only(Set<Capability> capabilities) {
        StringBuilder set = new StringBuilder("-all");
        capabilities.forEach(
                capability -> set.append(",+").append(capability.name().toLowerCase(Locale.ROOT)));
        return set.toString();
    }

    private boolean hasAllCapabilities() {
        return boundingSet.size() == Capability.values().length;
    }
}
