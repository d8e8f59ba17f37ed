package io.holdfast.manager.unit.settings;

import io.holdfast.core.process.Namespace.Kind;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The namespaces of a unit's processes that have no boolean directive, and what they see of other
 * processes.
 *
 * @param processes which processes of other users are visible in {@code /proc}
 * @param subset which other files are
 * @param users the user namespace
 * @param ownProcesses whether each command is the first process of a PID namespace
 * @param cgroups the cgroup namespace
 * @param propagation how mounts propagate, if the unit says so
 * @param networkPath the file of the network namespace that they join
 * @param ipcPath the file of the IPC namespace that they join
 */
public record NamespaceSettings(
        ProtectProc processes,
        ProcSubset subset,
        PrivateUsers users,
        boolean ownProcesses,
        OwnCgroups cgroups,
        Optional<Propagation> propagation,
        Optional<String> networkPath,
        Optional<String> ipcPath) {
    /** The processes of other users in {@code /proc} (hidepid= of proc(5)). */
    public enum ProtectProc {
        DEFAULT,
        /** They are visible, but their files cannot be read. */
        NOACCESS,
        /** They are not visible. */
        INVISIBLE,
        /** Only those that a process may trace are visible. */
        PTRACEABLE
    }

    /** The other files of {@code /proc}. */
    public enum ProcSubset {
        ALL,
        /** There are no files but those of processes. */
        PID
    }

    /** The users that exist for the processes; they have no privileges outside. */
    public enum PrivateUsers {
        NO,
        /** Root and the user of the unit; all others appear as nobody. */
        SELF,
        /** The first 65536 users. */
        IDENTITY
    }

    /** The cgroups that the processes see. */
    public enum OwnCgroups {
        /** Those of the machine. */
        NO,
        /** Those below the cgroup of the unit. */
        PRIVATE,
        /** The same, read-only. */
        STRICT
    }

    /** How mounts propagate between a mount namespace and others ({@code MountFlags=}). */
    public enum Propagation {
        /** New mounts are visible in namespaces that are made from this one. */
        SHARED,
        /** Those of the machine appear, as without the directive. */
        SLAVE,
        /** Those of the machine do not appear. */
        PRIVATE
    }

    /** {@return whether the processes have a {@code /proc} of their own} */
    public boolean hasOwnProc() {
        return processes != ProtectProc.DEFAULT || subset != ProcSubset.ALL;
    }

    /** {@return whether the propagation of mounts alone needs a mount namespace} */
    public boolean hasOwnMounts() {
        return propagation.isPresent() && propagation.get() != Propagation.SHARED;
    }

    /** Returns the settings that take effect without some kinds of namespaces. */
    NamespaceSettings without(Set<Kind> lacking) {
        boolean noProc = lacking.contains(Kind.MNT);
        return new NamespaceSettings(
                noProc ? ProtectProc.DEFAULT : processes,
                noProc ? ProcSubset.ALL : subset,
                lacking.contains(Kind.USER) ? PrivateUsers.NO : users,
                ownProcesses && !noProc && !lacking.contains(Kind.PID),
                noProc ? OwnCgroups.NO : cgroups,
                noProc ? Optional.empty() : propagation,
                lacking.contains(Kind.NET) ? Optional.empty() : networkPath,
                lacking.contains(Kind.IPC) ? Optional.empty() : ipcPath);
    }

    /** {@return the directives that restrict something, sorted} */
    Set<String> directives() {
        Set<String> directives = new TreeSet<>();
        if (processes != ProtectProc.DEFAULT) {
            directives.add("ProtectProc");
        }
        if (subset != ProcSubset.ALL) {
            directives.add("ProcSubset");
        }
        if (users != PrivateUsers.NO) {
            directives.add("PrivateUsers");
        }
        if (ownProcesses) {
            directives.add("PrivatePIDs");
        }
        if (cgroups != OwnCgroups.NO) {
            directives.add("ProtectControlGroups");
        }
        if (hasOwnMounts()) {
            directives.add("MountFlags");
        }
        networkPath.ifPresent(_ -> directives.add("NetworkNamespacePath"));
        ipcPath.ifPresent(_ -> directives.add("IPCNamespacePath"));
        return directives;
    }
}
