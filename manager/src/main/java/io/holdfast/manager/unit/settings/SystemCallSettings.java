package io.holdfast.manager.unit.settings;

import io.holdfast.core.process.Namespace.Kind;
import io.holdfast.manager.unit.value.SystemCallList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * The system calls that a unit's processes may make; the boolean directives that restrict system
 * calls are among the flags of {@link SandboxSettings}.
 *
 * @param filter {@code SystemCallFilter=}
 * @param error of a call that the filter does not permit; {@link SystemCallList#KILL}: its process
 *     is killed
 * @param logged {@code SystemCallLog=}
 * @param architectures words of {@code SystemCallArchitectures=}; empty: all
 * @param families {@code RestrictAddressFamilies=}
 * @param namespaces the kinds that can be made and entered; empty: all, without a check
 */
public record SystemCallSettings(
        Optional<SystemCallList> filter,
        int error,
        Optional<SystemCallList> logged,
        SortedSet<String> architectures,
        Optional<Families> families,
        Optional<Set<Kind>> namespaces) {
    /** The kinds of namespaces that {@code RestrictNamespaces=} names. */
    public static final Set<Kind> NAMESPACES =
            Collections.unmodifiableSet(
                    EnumSet.of(
                            Kind.CGROUP,
                            Kind.IPC,
                            Kind.NET,
                            Kind.MNT,
                            Kind.PID,
                            Kind.USER,
                            Kind.UTS));

    /**
     * The address families of sockets.
     *
     * @param permits whether only these are permitted, or all others
     * @param numbers of {@code linux/socket.h}
     */
    public record Families(boolean permits, SortedSet<Integer> numbers) {
        public Families {
            numbers = Collections.unmodifiableSortedSet(new TreeSet<>(numbers));
        }
    }

    public SystemCallSettings {
        architectures = Collections.unmodifiableSortedSet(new TreeSet<>(architectures));
        namespaces = namespaces.map(Set::copyOf);
    }

    /** {@return the directives that restrict something, sorted} */
    public Set<String> directives() {
        Set<String> directives = new TreeSet<>();
        filter.ifPresent(_ -> directives.add("SystemCallFilter"));
        logged.ifPresent(_ -> directives.add("SystemCallLog"));
        families.ifPresent(_ -> directives.add("RestrictAddressFamilies"));
        namespaces.ifPresent(_ -> directives.add("RestrictNamespaces"));
        if (!architectures.isEmpty()) {
            directives.add("SystemCallArchitectures");
        }
        return directives;
    }
}
