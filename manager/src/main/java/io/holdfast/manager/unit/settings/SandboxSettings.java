package io.holdfast.manager.unit.settings;

import io.holdfast.manager.unit.value.Capability;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * From what the processes of a unit are kept away.
 *
 * @param flags those that are on or off, and are on
 * @param rules what is done with single paths, in the order written
 * @param binds what is to be seen elsewhere, too
 * @param temporary empty file systems of its own
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
        List<Temporary> temporary) {
    /** What is on or off. */
    public enum Flag {
        PRIVATE_DEVICES("PrivateDevices", Capability.MKNOD, Capability.SYS_RAWIO),
        PRIVATE_NETWORK("PrivateNetwork"),
        PRIVATE_IPC("PrivateIPC"),
        PRIVATE_MOUNTS("PrivateMounts"),
        PROTECT_HOSTNAME("ProtectHostname"),
        PROTECT_CLOCK("ProtectClock", Capability.SYS_TIME, Capability.WAKE_ALARM),
        PROTECT_KERNEL_MODULES("ProtectKernelModules", Capability.SYS_MODULE),
        PROTECT_KERNEL_TUNABLES("ProtectKernelTunables"),
        PROTECT_CONTROL_GROUPS("ProtectControlGroups");

        private final String directive;
        private final Set<Capability> dropped;

        Flag(String directive, Capability... dropped) {
            this.directive = directive;
            this.dropped = new TreeSet<>(Arrays.asList(dropped));
        }

        /** As unit files write it. */
        public String directive() {
            return directive;
        }
    }

    /** How much of the system is read-only. */
    public enum ProtectSystem {
        NO,
        /** What packages bring. */
        YES,
        /** The configuration, too. */
        FULL,
        /** All but devices, processes and the kernel's settings. */
        STRICT
    }

    /** What is to be seen of the users' homes. */
    public enum ProtectHome {
        NO,
        /** Nothing: they cannot be entered. */
        YES,
        READ_ONLY,
        /** Empty folders. */
        TMPFS
    }

    /** Whose temporary folders it has. */
    public enum PrivateTmp {
        NO,
        /** Folders of its own on the same file systems. */
        YES,
        /** A file system of its own, in memory. */
        DISCONNECTED
    }

    /** What can be done with a path. */
    public enum Access {
        READ_WRITE("ReadWritePaths"),
        READ_ONLY("ReadOnlyPaths"),
        NONE("InaccessiblePaths");

        private final String directive;

        Access(String directive) {
            this.directive = directive;
        }

        /** As unit files write it. */
        public String directive() {
            return directive;
        }
    }

    /**
     * @param path absolute
     * @param optional whether it may be missing
     */
    public record PathRule(Access access, String path, boolean optional) {}

    /**
     * @param optional whether the source may be missing
     * @param recursive with what is mounted below the source
     */
    public record Bind(
            String source,
            String destination,
            boolean optional,
            boolean recursive,
            boolean readOnly) {
        /** As unit files write it. */
        public String directive() {
            return readOnly ? "BindReadOnlyPaths" : "BindPaths";
        }
    }

    /**
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

    /** Whether this is on. */
    public boolean has(Flag flag) {
        return flags.contains(flag);
    }

    /** The capabilities that a process cannot have with this. */
    public Set<Capability> dropped() {
        Set<Capability> dropped = new TreeSet<>();
        flags.forEach(flag -> dropped.addAll(flag.dropped));
        return dropped;
    }

    /** The directives that ask for something, sorted. */
    public Set<String> directives() {
        Set<String> directives = new TreeSet<>();
        flags.forEach(flag -> directives.add(flag.directive()));
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
        return directives;
    }

    /** With what {@code DynamicUser=} implies: such a user leaves nothing behind. */
    SandboxSettings ofDynamicUser() {
        return new SandboxSettings(
                flags,
                ProtectSystem.STRICT,
                protectHome == ProtectHome.NO ? ProtectHome.READ_ONLY : protectHome,
                privateTmp == PrivateTmp.NO ? PrivateTmp.YES : privateTmp,
                rules,
                binds,
                temporary);
    }
}
