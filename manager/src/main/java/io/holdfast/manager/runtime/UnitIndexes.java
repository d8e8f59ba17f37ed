package io.holdfast.manager.runtime;

import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.section.SocketUnit;
import io.holdfast.manager.unit.section.Unit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds units by their aliases, by what they depend on, and by the service that they trigger,
 * without a walk through all. On the loop.
 *
 * <p>What is in force of a unit's files changes when it comes to rest. So a unit is listed for all
 * that its files say and said when they were last in force, and who asks looks at it again.
 */
final class UnitIndexes {
    private final Map<UnitName, Set<LoadedUnit>> byAlias = new HashMap<>();
    private final Map<UnitName, Set<LoadedUnit>> byDependency = new HashMap<>();
    private final Map<UnitName, Set<LoadedUnit>> byService = new HashMap<>();
    private final Map<UnitName, Set<LoadedUnit>> bySocket = new HashMap<>();
    private final Map<LoadedUnit, Listed> listed = new HashMap<>();

    /** Under what a unit is listed. */
    private record Listed(
            Set<UnitName> names,
            Set<UnitName> others,
            Set<UnitName> services,
            Set<UnitName> sockets) {}

    /** A unit is new, or its files say something else. */
    void update(LoadedUnit node) {
        remove(node);
        Listed now = new Listed(new HashSet<>(), new HashSet<>(), new HashSet<>(), new HashSet<>());
        for (Unit unit : List.of(node.unit().unit(), node.unit().newest())) {
            now.names.addAll(unit.source().names());
            unit.unit().dependencies().byKind().values().forEach(now.others::addAll);
            if (unit instanceof SocketUnit socket) {
                now.services.add(socket.socket().service());
            } else if (unit instanceof ServiceUnit service) {
                now.sockets.addAll(service.service().sockets());
            }
        }
        listed.put(node, now);
        add(byAlias, now.names, node);
        add(byDependency, now.others, node);
        add(byService, now.services, node);
        add(bySocket, now.sockets, node);
    }

    void remove(LoadedUnit node) {
        Listed before = listed.remove(node);
        if (before != null) {
            remove(byAlias, before.names, node);
            remove(byDependency, before.others, node);
            remove(byService, before.services, node);
            remove(bySocket, before.sockets, node);
        }
    }

    private static void add(
            Map<UnitName, Set<LoadedUnit>> index, Set<UnitName> names, LoadedUnit node) {
        names.forEach(name -> index.computeIfAbsent(name, _ -> new LinkedHashSet<>()).add(node));
    }

    private static void remove(
            Map<UnitName, Set<LoadedUnit>> index, Set<UnitName> names, LoadedUnit node) {
        for (UnitName name : names) {
            Set<LoadedUnit> nodes = index.getOrDefault(name, Set.of());
            if (nodes.remove(node) && nodes.isEmpty()) {
                index.remove(name);
            }
        }
    }

    @Nullable LoadedUnit byAlias(UnitName name) {
        Set<LoadedUnit> nodes = byAlias.getOrDefault(name, Set.of());
        return nodes.isEmpty() ? null : nodes.iterator().next();
    }

    Collection<LoadedUnit> dependants(Dependency kind, LoadedUnit on) {
        List<LoadedUnit> dependants = new ArrayList<>();
        for (UnitName name : on.meant().source().names()) {
            for (LoadedUnit node : byDependency.getOrDefault(name, Set.of())) {
                if (node.meant().unit().dependencies().has(kind, name)) {
                    dependants.add(node);
                }
            }
        }
        return dependants;
    }

    /** The sockets that trigger a service, by their own word or by the service's. */
    Collection<LoadedUnit> socketsOf(LoadedUnit service) {
        Unit triggered = service.meant();
        Set<LoadedUnit> candidates = new LinkedHashSet<>();
        for (UnitName name : triggered.source().names()) {
            candidates.addAll(byService.getOrDefault(name, Set.of()));
        }
        if (triggered instanceof ServiceUnit known) {
            for (UnitName name : known.service().sockets()) {
                candidates.addAll(byAlias.getOrDefault(name, Set.of()));
            }
        }
        candidates.removeIf(
                node -> !(node.meant() instanceof SocketUnit socket && socket.triggers(triggered)));
        return candidates;
    }

    /** The services that a socket triggers, by its own word or by theirs. */
    Collection<LoadedUnit> servicesOf(LoadedUnit node) {
        Set<LoadedUnit> candidates = new LinkedHashSet<>();
        if (node.meant() instanceof SocketUnit socket) {
            candidates.addAll(byAlias.getOrDefault(socket.socket().service(), Set.of()));
            for (UnitName name : socket.source().names()) {
                candidates.addAll(bySocket.getOrDefault(name, Set.of()));
            }
            candidates.removeIf(other -> !socket.triggers(other.meant()));
        }
        return candidates;
    }
}
