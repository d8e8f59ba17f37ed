package io.holdfast.manager;

import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessInfo;
import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.ServiceUnit;
import io.holdfast.manager.unit.SocketUnit;
import io.holdfast.manager.unit.Unit;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitSource;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The units that are loaded, and what they are to each other. On the loop. */
final class UnitTable {
    /** What stops with another unit. */
    private static final List<Dependency> FOLLOWS_STOP =
            List.of(
                    Dependency.REQUIRES,
                    Dependency.REQUISITE,
                    Dependency.BINDS_TO,
                    Dependency.PART_OF);

    private final ManagerContext context;
    private final Map<UnitName, ManagedUnit> units = new LinkedHashMap<>();

    UnitTable(ManagerContext context) {
        this.context = context;
    }

    Collection<ManagedUnit> all() {
        return Collections.unmodifiableCollection(units.values());
    }

    Stream<Service> services() {
        return units.values().stream()
                .flatMap(unit ->
                        unit instanceof Service service ? Stream.of(service) : Stream.empty());
    }

    Stream<ManagedSocket> sockets() {
        return units.values().stream()
                .flatMap(unit ->
                        unit instanceof ManagedSocket socket ? Stream.of(socket) : Stream.empty());
    }

    /** By any of its names. */
    @Nullable ManagedUnit find(UnitName name) {
        ManagedUnit unit = units.get(name);
        if (unit != null) {
            return unit;
        }
        for (ManagedUnit other : units.values()) {
            if (other.unit().source().names().contains(name)
                    || other.newest().source().names().contains(name)) {
                return other;
            }
        }
        return null;
    }

    /**
     * @throws IllegalArgumentException if it is not loaded
     */
    ManagedUnit get(UnitName name) {
        ManagedUnit unit = find(name);
        if (unit == null) {
            throw new IllegalArgumentException(name + " is not loaded");
        }
        return unit;
    }

    /** The service whose process it is, by its cgroup or by being held. */
    @Nullable Service ownerOf(PidFd process) {
        ProcessInfo info = process.info();
        return services()
                .filter(service -> service.messages().owns(process, info))
                .findFirst()
                .orElse(null);
    }

    /** The service that started the process: see {@link ServiceRun#hasStarted}. */
    @Nullable Service starterOf(PidFd process) {
        return services()
                .filter(service -> service.messages().hasStarted(process))
                .findFirst()
                .orElse(null);
    }

    /**
     * Takes in a unit as it was read, and tells once what is to be said about its files. One that
     * is not there is taken note of where it was.
     *
     * @throws IllegalStateException if there are too many
     */
    void take(Unit unit) {
        ManagedUnit known = known(unit);
        if (known != null) {
            if (!known.newest().equals(unit)) {
                tell(unit);
                known.reloaded(unit);
            }
            return;
        }
        if (unit.source().state() == UnitSource.State.NOT_FOUND) {
            return;
        }
        if (units.size() >= ManagerLimits.UNITS.intValue()) {
            throw new IllegalStateException(
                    unit.name()
                            + ": "
                            + units.size()
                            + " units are loaded, which is the limit; "
                            + ManagerLimits.UNITS.remedy());
        }
        tell(unit);
        units.put(
                unit.name(),
                switch (unit) {
                    case ServiceUnit service -> new Service(context, service);
                    case SocketUnit socket -> new ManagedSocket(context, socket);
                    default -> new ManagedTarget(unit, () -> context.events().changed(unit.name()));
                });
        context.events().loaded(unit.name());
    }

    /**
     * The one that it is: also one whose name is an alias by now, not one that it was an alias of.
     */
    private @Nullable ManagedUnit known(Unit unit) {
        ManagedUnit own = units.get(unit.name());
        if (own != null) {
            return own;
        }
        ManagedUnit other = find(unit.name());
        return other != null && unit.source().names().contains(other.unit().name()) ? other : null;
    }

    /** Forgets a unit that is at rest. */
    void drop(ManagedUnit unit) {
        units.remove(unit.unit().name(), unit);
    }

    private void tell(Unit unit) {
        for (Diagnostic diagnostic : unit.diagnostics()) {
            context.listener()
                    .event(
                            unit.name(),
                            switch (diagnostic.severity()) {
                                case ERROR -> ManagerListener.Level.ERROR;
                                case WARNING -> ManagerListener.Level.WARNING;
                                case NOTICE -> ManagerListener.Level.NOTICE;
                            },
                            diagnostic.toString());
        }
    }

    /** These, and what is up and cannot be without them, or is a part of them. */
    Set<ManagedUnit> withDependants(Collection<? extends ManagedUnit> some) {
        Set<ManagedUnit> all = new LinkedHashSet<>(some);
        boolean grown = true;
        while (grown) {
            grown = false;
            for (ManagedUnit unit : units.values()) {
                if (unit.activeState().isUp()
                        && all.stream().anyMatch(gone -> has(unit, FOLLOWS_STOP, gone))) {
                    grown |= all.add(unit);
                }
            }
        }
        return all;
    }

    /** Whether a unit has a dependency of one of these kinds on another, under any of its names. */
    static boolean has(ManagedUnit from, List<Dependency> kinds, ManagedUnit to) {
        return has(from.unit(), kinds, to.unit());
    }

    static boolean has(Unit from, List<Dependency> kinds, Unit to) {
        Dependencies dependencies = from.unit().dependencies();
        return kinds.stream()
                .anyMatch(kind ->
                        to.source().names().stream()
                                .anyMatch(name -> dependencies.has(kind, name)));
    }
}
