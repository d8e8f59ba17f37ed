package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.settings.ExecSettings;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The dependencies that systemd adds automatically: that of a unit on its slice and, unless {@code
 * DefaultDependencies=no}, those that place it between the start and the shutdown of the system;
 * and its order after the socket to which it writes.
 */
public final class ImpliedDependencies {
    static final UnitName SYSINIT = UnitName.of("sysinit.target");
    private static final UnitName BASIC = UnitName.of("basic.target");

    /** The target that stops every unit with default dependencies. */
    public static final UnitName SHUTDOWN = UnitName.of("shutdown.target");

    /** The socket of the receiver of log messages. */
    private static final UnitName JOURNAL = UnitName.of("systemd-journald.socket");

    private static final List<Dependency> PULLS_IN =
            List.of(
                    Dependency.REQUIRES,
                    Dependency.REQUISITE,
                    Dependency.WANTS,
                    Dependency.BINDS_TO,
                    Dependency.UPHOLDS);

    private ImpliedDependencies() {}

    /**
     * Returns the implied dependencies of one unit; {@link #behind} adds a target's order after its
     * members.
     */
    public static Dependencies of(Unit unit, ManagerScope scope) {
        Dependencies.Builder implied = new Dependencies.Builder();
        unit.imply(scope, implied);
        if (unit.execution().filter(ExecSettings::usesJournal).isPresent()) {
            implied.add(Dependency.AFTER, JOURNAL);
        }
        if (unit.unit().defaultDependencies() && !unit.name().equals(SHUTDOWN)) {
            implied.add(Dependency.BEFORE, SHUTDOWN);
            implied.add(Dependency.CONFLICTS, SHUTDOWN);
        }
        return implied.build();
    }

    public static Unit with(Unit unit, ManagerScope scope) {
        return with(unit, of(unit, scope));
    }

    private static Unit with(Unit unit, Dependencies implied) {
        return unit.with(unit.parts().with(unit.unit().implying(implied)));
    }

    /** Returns a unit that may start although units of this type that it requires do not exist. */
    public static Unit withOptional(Unit unit, UnitType type) {
        return unit.with(unit.parts().with(unit.unit().withOptional(type)));
    }

    /**
     * Returns a target that is ordered after those of its members that are not ordered otherwise.
     */
    public static Unit behind(Unit target, Collection<Unit> members) {
        Dependencies.Builder implied = new Dependencies.Builder();
        members.stream()
                .filter(member -> ordersBehind(target, member))
                .forEach(member -> implied.add(Dependency.AFTER, member.name()));
        return with(target, implied.build());
    }

    /**
     * Returns a unit that requires or wants the mounts of its paths and of all folders above them,
     * and is ordered after them.
     *
     * @param exists whether there is a unit for a mount
     */
    public static Unit onMounts(Unit unit, ManagerScope scope, Predicate<UnitName> exists) {
        Dependencies.Builder implied = new Dependencies.Builder();
        Set<UnitName> needed = mounts(unit, unit.neededPaths(scope), exists);
        needed.forEach(mount -> needs(implied, mount));
        Set<UnitName> wanted = mounts(unit, unit.wantedPaths(), exists);
        wanted.removeAll(needed);
        for (UnitName mount : wanted) {
            implied.add(Dependency.WANTS, mount);
            implied.add(Dependency.AFTER, mount);
        }
        return needed.isEmpty() && wanted.isEmpty() ? unit : with(unit, implied.build());
    }

    private static Set<UnitName> mounts(Unit unit, List<String> paths, Predicate<UnitName> exists) {
        Set<UnitName> mounts = new LinkedHashSet<>();
        for (String path : paths) {
            for (Path at = Path.of(path); at != null; at = at.getParent()) {
                UnitName.parse(MountUnit.nameOf(at.toString()))
                        .filter(mount -> !mount.equals(unit.name()))
                        .filter(exists)
                        .ifPresent(mounts::add);
            }
        }
        return mounts;
    }

    /** Returns the units that a target pulls in. */
    public static List<UnitName> members(Unit target) {
        return PULLS_IN.stream()
                .flatMap(kind -> target.unit().dependencies().of(kind).stream())
                .distinct()
                .toList();
    }

    static void needs(Dependencies.Builder implied, UnitName other) {
        implied.add(Dependency.REQUIRES, other);
        implied.add(Dependency.AFTER, other);
    }

    /** Adds the order after the start of the system, or of the user's session. */
    static void afterStart(Dependencies.Builder implied, ManagerScope scope) {
        needs(implied, scope.user() ? BASIC : SYSINIT);
        implied.add(Dependency.AFTER, BASIC);
    }

    /**
     * Returns whether a target is implicitly ordered after a unit that it pulls in: yes, unless one
     * of the two opts out of default dependencies or they are ordered already.
     */
    public static boolean ordersBehind(Unit target, Unit member) {
        Dependencies dependencies = target.unit().dependencies();
        boolean pulledIn =
                PULLS_IN.stream().anyMatch(kind -> dependencies.has(kind, member.name()));
        return pulledIn
                && target.isOrderedAfterMembers()
                && target.unit().defaultDependencies()
                && member.unit().defaultDependencies()
                && !dependencies.ordersAgainst(member.name())
                && !member.unit().dependencies().ordersAgainst(target.name());
    }
}
