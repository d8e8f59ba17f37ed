package io.holdfast.manager.runtime;

import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.unit.file.ServedPaths;
import io.holdfast.manager.unit.file.UnitFolders;
import io.holdfast.manager.unit.file.UnitLoader;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.ImpliedDependencies;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.section.SocketUnit;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.section.UnitReader;
import io.holdfast.manager.unit.value.ServiceType;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads units and what a start of them pulls in. Blocking; the calls are made off the loop.
 *
 * <p>A manager that runs beside a booted machine does not boot it again: a target of the system's
 * own folders that is pulled in counts as reached. Targets in the user's own folders, and those
 * asked for by name, are started with all that they pull in. A socket of the system's own folders
 * that is pulled in counts as there if somebody else serves it already.
 */
public final class UnitCatalog {
    private static final List<Dependency> PULLS =
            List.of(Dependency.REQUIRES, Dependency.BINDS_TO, Dependency.WANTS, Dependency.UPHOLDS);

    private static final UnitName DBUS_SOCKET = UnitName.of("dbus.socket");

    private final UnitFolders folders;
    private final List<Path> ownFolders;
    private final UnitReader reader;

    public UnitCatalog(LoadPath path, List<Path> ownFolders, UnitReader reader) {
        this.folders = new UnitFolders(path.withFirst(ownFolders));
        this.ownFolders =
                ownFolders.stream().map(folder -> folder.toAbsolutePath().normalize()).toList();
        this.reader = reader;
    }

    /**
     * What a start needs.
     *
     * @param beside what was read too, and is not needed for it
     */
    public record Closure(
            Map<UnitName, Unit> units,
            Map<UnitName, Unit> beside,
            List<Missing> missing,
            List<String> notices) {
        /** Nothing was to be read. */
        public static final Closure NOTHING = new Closure(Map.of(), Map.of(), List.of(), List.of());

        /** As it was read. */
        public @Nullable Unit read(UnitName name) {
            Unit unit = units.get(name);
            return unit == null ? beside.get(name) : unit;
        }
    }

    /** A unit that is required and cannot be had. */
    public record Missing(UnitName unit, String directive, UnitName required) {}

    /** One unit alone. */
    public Unit read(UnitName name) {
        return read(folders.loader(), name);
    }

    /** All that have a file or are an alias. */
    public Map<UnitName, Unit> installed() {
        UnitLoader loader = folders.loader();
        Map<UnitName, Unit> units = new LinkedHashMap<>();
        loader.names().forEach(name -> units.put(name, read(loader, name)));
        return units;
    }

    /** Each alone. */
    public List<Unit> readAll(Collection<UnitName> names) {
        UnitLoader loader = folders.loader();
        return names.stream().map(name -> read(loader, name)).toList();
    }

    /** What names there are is looked up again: links may lead elsewhere now. */
    public void forget() {
        folders.forget();
    }

    /** How often the folders were looked through. */
    public long scans() {
        return folders.scans();
    }

    /** With what its type implies, as far as that is there. */
    private Unit read(UnitLoader loader, UnitName name) {
        Unit unit = reader.read(loader.load(name));
        boolean needsBus =
                unit instanceof ServiceUnit service
                        && unit.source().state() == UnitSource.State.LOADED
                        && service.service().type() == ServiceType.DBUS;
        return needsBus && loader.load(DBUS_SOCKET).state() == UnitSource.State.LOADED
                ? ImpliedDependencies.withBus((ServiceUnit) unit)
                : unit;
    }

    /**
     * The units, and all that they pull in.
     *
     * @param beside which are read too, each alone
     * @param up which units are ours and up already
     */
    public Closure closure(
            Collection<UnitName> anchors, Collection<UnitName> beside, Set<UnitName> up) {
        Search search = new Search(up);
        search.run(anchors);
        Set<UnitName> others = new LinkedHashSet<>(beside);
        others.addAll(search.asked);
        others.removeAll(search.units.keySet());
        return new Closure(search.units, byName(others), search.missing, search.notices);
    }

    /** The units without what they pull in. */
    public Closure alone(Collection<UnitName> anchors) {
        return new Closure(byName(anchors), Map.of(), List.of(), List.of());
    }

    private Map<UnitName, Unit> byName(Collection<UnitName> names) {
        Map<UnitName, Unit> units = new LinkedHashMap<>();
        for (Unit unit : readAll(names)) {
            units.put(unit.name(), unit);
        }
        return units;
    }

    /** The search for what one start needs. */
    private final class Search {
        private final UnitLoader loader = folders.loader();
        private final Set<UnitName> up;
        private final Map<UnitName, Unit> units = new LinkedHashMap<>();
        private final Set<UnitName> known = new HashSet<>(); // under all their names
        private final List<Missing> missing = new ArrayList<>();
        private final List<String> notices = new ArrayList<>();
        private final Deque<UnitName> todo = new ArrayDeque<>();

        /** Units that are asked whether they are active, and not started. */
        private final Set<UnitName> asked = new LinkedHashSet<>();

        Search(Set<UnitName> up) {
            this.up = up;
        }

        void run(Collection<UnitName> anchors) {
            todo.addAll(anchors);
            while (!todo.isEmpty() && units.size() < ManagerLimits.UNITS.intValue()) {
                UnitName wanted = todo.removeFirst();
                if (!knows(wanted)) {
                    Unit unit = read(loader, wanted);
                    units.put(unit.name(), unit);
                    known.addAll(unit.source().names());
                    known.add(unit.name());
                    follow(unit);
                }
            }
        }

        private boolean knows(UnitName name) {
            return known.contains(name);
        }

        private void follow(Unit unit) {
            switch (unit) {
                case SocketUnit socket -> requireService(socket);
                case ServiceUnit service ->
                        service.service()
                                .sockets()
                                .forEach(socket -> follow(unit, Dependency.WANTS, socket));
                default -> {}
            }
            for (UnitName other : unit.unit().dependencies().of(Dependency.REQUISITE)) {
                if (loader.load(other).state() == UnitSource.State.LOADED) {
                    asked.add(other);
                } else if (!up.contains(other)) {
                    missing.add(new Missing(unit.name(), Dependency.REQUISITE.directive(), other));
                }
            }
            for (Dependency kind : PULLS) {
                for (UnitName pulled : unit.unit().dependencies().of(kind)) {
                    follow(unit, kind, pulled);
                }
            }
        }

        /** It is not started before there is traffic, but must be there. */
        private void requireService(SocketUnit socket) {
            UnitName service = socket.socket().service();
            if (!socket.isRefused() && loader.load(service).state() != UnitSource.State.LOADED) {
                missing.add(new Missing(socket.name(), "Service", service));
            }
        }

        private void follow(Unit unit, Dependency kind, UnitName pulled) {
            if (knows(pulled)) {
                return;
            }
            boolean required = kind == Dependency.REQUIRES || kind == Dependency.BINDS_TO;
            UnitSource source = loader.load(pulled);
            boolean there = source.state() == UnitSource.State.LOADED;
            switch (pulled.type()) {
                case SERVICE, SOCKET -> {
                    if (there && isServedByOthers(source)) {
                        taken(unit, kind, pulled, "somebody else serves it already");
                    } else if (there || (required && isMasked(source))) {
                        todo.add(pulled); // a masked unit says itself why it cannot be started
                    } else if (required && !up.contains(pulled)) {
                        missing.add(new Missing(unit.name(), kind.directive(), pulled));
                    }
                }
                case TARGET -> {
                    if (there && isOwn(source)) {
                        todo.add(pulled);
                    } else if (!there && required && isOwn(unit.source())) {
                        missing.add(new Missing(unit.name(), kind.directive(), pulled));
                    }
                }
                default -> {
                    if (required) {
                        taken(unit, kind, pulled, "units of this kind are not supported yet");
                    }
                }
            }
        }

        private static boolean isMasked(UnitSource source) {
            return source.state() == UnitSource.State.MASKED;
        }

        private boolean isServedByOthers(UnitSource source) {
            return !isOwn(source)
                    && !up.contains(source.name())
                    && reader.read(source) instanceof SocketUnit socket
                    && !socket.socket().nodes().isEmpty()
                    && ServedPaths.read().containsAll(socket.socket().nodes());
        }

        private void taken(Unit unit, Dependency kind, UnitName pulled, String why) {
            notices.add(
                    unit.name()
                            + ": "
                            + kind.directive()
                            + "="
                            + pulled
                            + " is taken as met: "
                            + why);
        }
    }

    private boolean isOwn(UnitSource source) {
        return source.fragment()
                .map(fragment -> ownFolders.stream().anyMatch(fragment::startsWith))
                .orElse(false);
    }
}
