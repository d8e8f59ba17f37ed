package io.holdfast.manager.unit.settings;

import io.holdfast.core.process.Namespace.Kind;
import io.holdfast.manager.unit.value.Capability;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The sandbox of a unit's processes.
 *
 * @param flags boolean directives that are on
 * @param rules the access to single paths, in the order written
 * @param binds paths that are also visible at another path
 * @param temporary empty file systems of the unit's own
 * @param namespaces the other namespaces, and what is visible of other processes
 * @param root the root of its file systems, if it is another one than the machine's
 * @param systemCalls the system calls that they may make
 * @see <a href="https://www.freedesktop.org/software/systemd/man/systemd.exec.html">systemd.exec,
 *     Sandboxing</a>
 */
public record SandboxSettings(
        Set<Flag> flags,
        ProtectSystem protectSystem,
        ProtectHome protectHome,
        PrivateTmp privateTmp,
        List<PathRule> rules,
        List<Bind> binds,
        List<Temporary> temporary,
        NamespaceSettings namespaces,
        Optional<Root> root,
        SystemCallSettings systemCalls) {
    /** Boolean directives. */
    public enum Flag {
        PRIVATE_DEVICES("PrivateDevices", Kind.MNT, Capability.MKNOD, Capability.SYS_RAWIO),
        PRIVATE_NETWORK("PrivateNetwork", Kind.NET),
        PRIVATE_IPC("PrivateIPC", Kind.IPC),
        PRIVATE_MOUNTS("PrivateMounts", Kind.MNT),
        PROTECT_HOSTNAME("ProtectHostname", Kind.UTS),
        /** Its host name is its own, and it may change it ({@code ProtectHostname=private}). */
        PRIVATE_HOSTNAME("ProtectHostname", Kind.UTS),
        PROTECT_CLOCK("ProtectClock", null, Capability.SYS_TIME, Capability.WAKE_ALARM),
        PROTECT_KERNEL_MODULES("ProtectKernelModules", Kind.MNT, Capability.SYS_MODULE),
        PROTECT_KERNEL_TUNABLES("ProtectKernelTunables", Kind.MNT),
        PROTECT_KERNEL_LOGS("ProtectKernelLogs", Kind.MNT, Capability.SYSLOG),
        BIND_LOG_SOCKETS("BindLogSockets", Kind.MNT),
        PROTECT_CONTROL_GROUPS("ProtectControlGroups", Kind.MNT),
        LOCK_PERSONALITY("LockPersonality", null),
        MEMORY_DENY_WRITE_EXECUTE("MemoryDenyWriteExecute", null),
        RESTRICT_REALTIME("RestrictRealtime", null),
        RESTRICT_SUIDSGID("RestrictSUIDSGID", null);

        private final String directive;
        private final @Nullable Kind namespace;
        private final Set<Capability> dropped;

        /**
         * @param namespace in which it takes effect; null: in none
         * @param dropped the capabilities that it drops
         */
        Flag(String directive, @Nullable Kind namespace, Capability... dropped) {
            this.directive = directive;
            this.namespace = namespace;
            this.dropped = new TreeSet<>(Arrays.asList(dropped));
        }

        /** {@return the name in unit files} */
        public String directive() {
            return directive;
        }
    }

    /** The part of the system that is read-only. */
    public enum ProtectSystem {
        NO,
        /** The files of packages. */
        YES,
        /** The configuration, too. */
        FULL,
        /** All but devices, processes and the kernel's settings. */
        STRICT
    }

    /** The access to the users' homes. */
    public enum ProtectHome {
        NO,
        /** The homes are inaccessible. */
        YES,
        READ_ONLY,
        /** The homes are empty folders. */
        TMPFS
    }

    /** The temporary folders of the unit. */
    public enum PrivateTmp {
        NO,
        /** Folders of its own on the same file systems. */
        YES,
        /** A file system of its own, in memory. */
        DISCONNECTED
    }

    /** The kinds of access to a path. */
    public enum Access {
        READ_WRITE("ReadWritePaths"),
        READ_ONLY("ReadOnlyPaths"),
        NONE("InaccessiblePaths"),
        /** Programs can be executed, although a folder above forbids it. */
        EXECUTE("ExecPaths"),
        NO_EXECUTE("NoExecPaths");

        private final String directive;

        Access(String directive) {
            this.directive = directive;
        }

        /** {@return the name in unit files} */
        public String directive() {
            return directive;
        }
    }

    /**
     * The access to a path.
     *
     * @param path absolute
     * @param optional whether it may be missing
     * @param inRoot whether it is a path below the root of the unit, not of the machine
     */
    public record PathRule(Access access, String path, boolean optional, boolean inRoot) {
        /** {@return the path in the view of a unit; empty if its root does not show it} */
        public Optional<String> seenFrom(Optional<Root> root) {
            if (root.isEmpty() || inRoot) {
                return Optional.of(path);
            }
            Path top = Path.of(root.get().path());
            Path own = Path.of(path);
            return own.startsWith(top)
                    ? Optional.of(Path.of("/").resolve(top.relativize(own)).toString())
                    : Optional.empty();
        }
    }

    /**
     * A path that is also visible at another path.
     *
     * @param optional whether the source may be missing
     * @param recursive whether mounts below the source are included
     */
    public record Bind(
            String source,
            String destination,
            boolean optional,
            boolean recursive,
            boolean readOnly) {
        /** {@return the name in unit files} */
        public String directive() {
            return readOnly ? "BindReadOnlyPaths" : "BindPaths";
        }
    }

    /**
     * A root of the unit's own.
     *
     * @param directive {@code RootDirectory} or {@code RootImage}, with which a unit does not start
     * @param kernel whether {@code /proc}, {@code /sys}, {@code /dev} and {@code /run} are mounted
     *     in it
     */
    public record Root(String directive, String path, boolean kernel) {
        /** {@return whether it is a folder, and no image} */
        public boolean isFolder() {
            return directive.equals("RootDirectory");
        }

        /** {@return the line of the unit file} */
        @Override
        public String toString() {
            return directive + "=" + path;
        }
    }

    /**
     * An empty file system.
     *
     * @param attributes of {@code mount(8)}: {@code ro}, {@code nosuid}, {@code nodev}, {@code
     *     noexec}
     * @param options of tmpfs
     */
    public record Temporary(String path, Set<String> attributes, Map<String, String> options) {
        public Temporary {
            attributes = Set.copyOf(attributes);
            options = Map.copyOf(options);
        }
    }

    public SandboxSettings {
        flags = Collections.unmodifiableSet(copy(flags));
        rules = List.copyOf(rules);
        binds = List.copyOf(binds);
        temporary = List.copyOf(temporary);
    }

    private static Set<Flag> copy(Set<Flag> flags) {
        return flags.isEmpty() ? EnumSet.noneOf(Flag.class) : EnumSet.copyOf(flags);
    }

    /** {@return whether this directive is on} */
    public boolean has(Flag flag) {
        return flags.contains(flag);
    }

    /** Returns whether it has a network of its own, which other units may join. */
    public boolean hasSharedNetwork() {
        return has(Flag.PRIVATE_NETWORK) && namespaces.networkPath().isEmpty();
    }

    /** Returns whether it has IPC objects of its own, which other units may join. */
    public boolean hasSharedIpc() {
        return has(Flag.PRIVATE_IPC) && namespaces.ipcPath().isEmpty();
    }

    /**
     * Returns the settings that take effect without some kinds of namespaces. The capabilities that
     * the others drop can still be dropped.
     *
     * @param lacking kinds that cannot be made
     */
    public SandboxSettings without(Set<Kind> lacking) {
        return without(lacking, flag -> flag.namespace != null && lacking.contains(flag.namespace));
    }

    public SandboxSettings without(Flag one) {
        return without(Set.of(), flag -> flag == one);
    }

    private SandboxSettings without(Set<Kind> lacking, Predicate<Flag> dropped) {
        Set<Flag> left = copy(flags);
        left.removeIf(dropped);
        return lacking.contains(Kind.MNT)
                ? new SandboxSettings(
                        left,
                        ProtectSystem.NO,
                        ProtectHome.NO,
                        PrivateTmp.NO,
                        List.of(),
                        List.of(),
                        List.of(),
                        namespaces.without(lacking),
                        root,
                        systemCalls)
                : new SandboxSettings(
                        left,
                        protectSystem,
                        protectHome,
                        privateTmp,
                        rules,
                        binds,
                        temporary,
                        namespaces.without(lacking),
                        root,
                        systemCalls);
    }

    /** Returns the settings with another path of their root, if they have one. */
    public SandboxSettings withRoot(String path) {
        return new SandboxSettings(
                flags,
                protectSystem,
                protectHome,
                privateTmp,
                rules,
                binds,
                temporary,
                namespaces,
                root.map(own -> new Root(own.directive(), path, own.kernel())),
                systemCalls);
    }

    /** {@return whether a part of them needs namespaces} */
    public boolean isolates() {
        return root.isPresent()
                || !without(EnumSet.allOf(Kind.class)).directives().equals(directives());
    }

    /** {@return the capabilities that these settings drop} */
    public Set<Capability> dropped() {
        Set<Capability> dropped = new TreeSet<>();
        flags.forEach(flag -> dropped.addAll(flag.dropped));
        return dropped;
    }

    /** {@return the directives that drop capabilities, sorted} */
    public Set<String> droppingCapabilities() {
        Set<String> directives = new TreeSet<>();
        flags.stream()
                .filter(flag -> !flag.dropped.isEmpty())
                .forEach(flag -> directives.add(flag.directive()));
        return directives;
    }

    /** {@return the directives that restrict something, sorted} */
    public Set<String> directives() {
        Set<String> directives = new TreeSet<>();
        flags.forEach(flag -> directives.add(flag.directive()));
        directives.addAll(namespaces.directives());
        if (protectSystem != ProtectSystem.NO) {
            directives.add("ProtectSystem");
        }
        if (protectHome != ProtectHome.NO) {
            directives.add("ProtectHome");
        }
        if (privateTmp != PrivateTmp.NO) {
            directives.add("PrivateTmp");
        }
        rules.forEach(rule -> directives.add(rule.access().directive()));
        binds.forEach(bind -> directives.add(bind.directive()));
        if (!temporary.isEmpty()) {
            directives.add("TemporaryFileSystem");
        }
        directives.addAll(systemCalls.directives());
        return directives;
    }

    /**
     * Returns the settings with those that {@code DynamicUser=} implies: such a user leaves no
     * files behind.
     */
    SandboxSettings ofDynamicUser() {
        Set<Flag> all = copy(flags);
        all.add(Flag.RESTRICT_SUIDSGID);
        return new SandboxSettings(
                all,
                ProtectSystem.STRICT,
                protectHome == ProtectHome.NO ? ProtectHome.READ_ONLY : protectHome,
                privateTmp == PrivateTmp.NO ? PrivateTmp.YES : privateTmp,
                rules,
                binds,
                temporary,
                namespaces,
                root,
                systemCalls);
    }
}
