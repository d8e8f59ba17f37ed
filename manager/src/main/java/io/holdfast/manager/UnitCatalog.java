package io.holdfast.manager;

import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.LoadPath;
import io.holdfast.manager.unit.ServiceUnit;
import io.holdfast.manager.unit.SocketUnit;
import io.holdfast.manager.unit.Unit;
import io.holdfast.manager.unit.UnitLoader;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitReader;
import io.holdfast.manager.unit.UnitSource;
import io.holdfast.manager.unit.UnitType;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Reads units and what a start of them pulls in. Blocking; the calls are made off the loop.
 *
 * <p>A manager that runs beside a booted machine does not boot it again: a target of the system's
 * own folders that is pulled in counts as reached. Targets in the user's own folders, and those
 * asked for by name, are started with all that they pull in.
 */
final class UnitCatalog {
    private static final List<Dependency> PULLS =
            List.of(Dependency.REQUIRES, Dependency.BINDS_TO, Dependency.WANTS, Dependency.UPHOLDS);

    private final LoadPath path;
    private final List<Path> ownFolders;
    private final UnitReader reader;

    UnitCatalog(LoadPath path, List<Path> ownFolders, UnitReader reader) {
        this.path = path.withFirst(ownFolders);
        this.ownFolders =
                ownFolders.stream().map(folder -> folder.toAbsolutePath().normalize()).toList();
        this.reader = reader;
    }

    /** What a start needs. */
    record Closure(Map<UnitName, Unit> units, List<Missing> missing, List<String> notices) {}

    /** A unit that is required and cannot be had. */
    record Missing(UnitName unit, String directive, UnitName required) {}

    /** One unit alone. */
    Unit read(UnitName name) {
        return reader.read(UnitLoader.scan(path).load(name));
    }

    /** All that have a file or are an alias, of names that are wanted. */
    Map<UnitName, Unit> installed(Predicate<UnitName> wanted) {
        UnitLoader loader = UnitLoader.scan(path);
        Map<UnitName, Unit> units = new LinkedHashMap<>();
        for (UnitName name : loader.names()) {
            if (wanted.test(name)) {
                units.put(name, reader.read(loader.load(name)));
            }
        }
        return units;
    }

    /** Each alone. */
    List<Unit> readAll(Collection<UnitName> names) {
        UnitLoader loader = UnitLoader.scan(path);
        return names.stream().map(name -> reader.read(loader.load(name))).toList();
    }

    /** The units, and all that they pull in. */
    Closure closure(Collection<UnitName> anchors) {
        UnitLoader loader = UnitLoader.scan(path);
        Map<UnitName, Unit> units = new LinkedHashMap<>();
        List<Missing> missing = new ArrayList<>();
        List<String> notices = new ArrayList<>();
        Deque<UnitName> todo = new ArrayDeque<>(anchors);
        while (!todo.isEmpty() && units.size() < Limits.UNITS) {
            UnitName wanted = todo.removeFirst();
            if (knows(units, wanted)) {
                continue;
            }
            Unit unit = reader.read(loader.load(wanted));
            units.put(unit.name(), unit);
            switch (unit) {
                case SocketUnit socket -> requireService(loader, socket, missing);
                case ServiceUnit service ->
                        service.service().sockets().stream()
                                .filter(socket -> !knows(units, socket))
                                .forEach(socket ->
                                        follow(
                                                loader,
                                                unit,
                                                Dependency.WANTS,
                                                socket,
                                                todo,
                                                missing,
                                                notices));
                default -> {}
            }
            for (Dependency kind : PULLS) {
                for (UnitName pulled : unit.unit().dependencies().of(kind)) {
                    if (!knows(units, pulled)) {
                        follow(loader, unit, kind, pulled, todo, missing, notices);
                    }
                }
            }
        }
        return new Closure(units, missing, notices);
    }

    /** It is not started before there is traffic, but must be there. */
    private static void requireService(
            UnitLoader loader, SocketUnit socket, List<Missing> missing) {
        UnitName service = socket.socket().service();
        if (!socket.isRefused() && loader.load(service).state() != UnitSource.State.LOADED) {
            missing.add(new Missing(socket.name(), "Service", service));
        }
    }

    private static boolean knows(Map<UnitName, Unit> units, UnitName name) {
        return units.values().stream().anyMatch(unit -> unit.source().names().contains(name));
    }

    private void follow(
            UnitLoader loader,
            Unit unit,
            Dependency kind,
            UnitName pulled,
            Deque<UnitName> todo,
            List<Missing> missing,
            List<String> notices) {
        boolean required = kind == Dependency.REQUIRES || kind == Dependency.BINDS_TO;
        UnitSource source = loader.load(pulled);
        boolean there = source.state() == UnitSource.State.LOADED;
        if (pulled.type() == UnitType.SERVICE || pulled.type() == UnitType.SOCKET) {
            if (there) {
                todo.add(pulled);
            } else if (required) {
                missing.add(new Missing(unit.name(), kind.directive(), pulled));
            }
        } else if (pulled.type() == UnitType.TARGET) {
            if (there && isOwn(source)) {
                todo.add(pulled);
            } else if (!there && required && isOwn(unit.source())) {
                missing.add(new Missing(unit.name(), kind.directive(), pulled));
            }
        } else if (required) {
            notices.add(
                    unit.name()
                            + ": "
                            + kind.directive()
                            + "="
                            + pulled
                            + " is taken as met: units of this kind are not supported yet");
        }
    }

    private boolean isOwn(UnitSource source) {
        return source.fragment()
                .map(fragment -> ownFolders.stream().anyMatch(fragment::startsWith))
                .orElse(false);
    }

    /** Directives that are read and that nothing acts on yet. */
    static Set<String> notActedOn() {
        return Set.of(
                "Service.RestartMode",
                "Socket.ListenNetlink",
                "Socket.ListenSpecial",
                "Socket.ListenMessageQueue",
                "Socket.ListenUSBFunction",
                "Unit.PropagatesReloadTo",
                "Unit.ReloadPropagatedFrom",
                "Unit.PropagatesStopTo",
                "Unit.StopPropagatedFrom",
                "Unit.JoinsNamespaceOf",
                "Unit.OnSuccess",
                "Unit.RequiresMountsFor");
    }
}
