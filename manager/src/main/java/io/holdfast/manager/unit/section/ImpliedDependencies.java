package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.value.ServiceType;
import java.util.List;
import java.util.Optional;

/**
 * The dependencies that systemd adds by itself: that of a unit on its slice, and unless {@code
 * DefaultDependencies=no} those that place it between the start and the end of the system.
 */
public final class ImpliedDependencies {
    private static final UnitName SYSINIT = UnitName.of("sysinit.target");
    private static final UnitName BASIC = UnitName.of("basic.target");
    private static final UnitName SHUTDOWN = UnitName.of("shutdown.target");
    private static final UnitName SOCKETS = UnitName.of("sockets.target");
    private static final UnitName DBUS_SOCKET = UnitName.of("dbus.socket");

    private ImpliedDependencies() {}

    /** A service that is known by a name on the bus, with what it needs for that. */
    public static ServiceUnit withBus(ServiceUnit service) {
        Dependencies.Builder implied = new Dependencies.Builder();
        addBus(implied);
        return new ServiceUnit(
                service.source(),
                service.unit().and(implied.build()),
                service.service(),
                service.exec(),
                service.kill(),
                service.cgroup(),
                service.install(),
                service.diagnostics());
    }

    private static void addBus(Dependencies.Builder implied) {
        implied.add(Dependency.REQUIRES, DBUS_SOCKET);
        implied.add(Dependency.AFTER, DBUS_SOCKET);
    }

    /** Those of one unit; a target's order behind its members is {@link #ordersBehind}. */
    public static Dependencies of(Unit unit, ManagerScope scope) {
        Dependencies.Builder implied = new Dependencies.Builder();
        switch (unit) {
            case ServiceUnit service -> {
                inSlice(implied, Optional.of(service.cgroup().sliceOf(service.name(), scope)));
                if (service.service().type() == ServiceType.DBUS) {
                    addBus(implied);
                }
                for (UnitName socket : service.service().sockets()) {
                    implied.add(Dependency.WANTS, socket);
                    implied.add(Dependency.AFTER, socket);
                }
                if (unit.unit().defaultDependencies()) {
                    UnitName early = scope.user() ? BASIC : SYSINIT;
                    implied.add(Dependency.REQUIRES, early);
                    implied.add(Dependency.AFTER, early);
                    implied.add(Dependency.AFTER, BASIC);
                }
            }
            case SocketUnit socket -> {
                if (!socket.socket().accept()) {
                    implied.add(Dependency.BEFORE, socket.socket().service());
                }
                if (unit.unit().defaultDependencies()) {
                    implied.add(Dependency.BEFORE, SOCKETS);
                    if (!scope.user()) {
                        implied.add(Dependency.REQUIRES, SYSINIT);
                        implied.add(Dependency.AFTER, SYSINIT);
                    }
                }
            }
            case SliceUnit slice -> inSlice(implied, slice.parent());
            case TargetUnit _, OtherUnit _ -> {}
        }
        if (unit.unit().defaultDependencies() && !unit.name().equals(SHUTDOWN)) {
            implied.add(Dependency.BEFORE, SHUTDOWN);
            implied.add(Dependency.CONFLICTS, SHUTDOWN);
        }
        return implied.build();
    }

    private static void inSlice(Dependencies.Builder implied, Optional<UnitName> slice) {
        slice.ifPresent(name -> {
            implied.add(Dependency.REQUIRES, name);
            implied.add(Dependency.AFTER, name);
        });
    }

    /**
     * Whether a target starts after one of the units that it pulls in, without saying so: yes,
     * unless one of the two opts out of default dependencies or they are ordered already.
     */
    public static boolean ordersBehind(TargetUnit target, Unit member) {
        Dependencies written = target.unit().dependencies();
        boolean pulledIn =
                List.of(
                                Dependency.REQUIRES,
                                Dependency.REQUISITE,
                                Dependency.WANTS,
                                Dependency.BINDS_TO,
                                Dependency.UPHOLDS)
                        .stream()
                        .anyMatch(kind -> written.has(kind, member.name()));
        return pulledIn
                && target.unit().defaultDependencies()
                && member.unit().defaultDependencies()
                && !written.ordersAgainst(member.name())
                && !member.unit().dependencies().ordersAgainst(target.name());
    }
}
