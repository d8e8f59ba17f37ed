package io.holdfast.manager.systemd1;

import io.holdfast.dbus.BusConnection;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.unit.UnitName;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;

/**
 * One connection that the face is on: to a bus with its many clients, or to a single peer. On the
 * manager's loop.
 */
final class Client {
    private final BusConnection connection;
    private final boolean isBus;
    private final BiConsumer<Client, String> confirm;
    private final Set<String> subscribers = new HashSet<>();

    /** Callers that wait for jobs: they get signals until their jobs are over. */
    private final Map<Long, String> tracked = new HashMap<>();

    private final Map<String, Map<String, Integer>> references = new HashMap<>();

    /**
     * @param confirm asks the bus whether a caller is still there, and tells {@link #left} if not:
     *     he may have left before his call was handed over, and nobody tells of that again
     */
    Client(BusConnection connection, boolean isBus, BiConsumer<Client, String> confirm) {
        this.connection = connection;
        this.isBus = isBus;
        this.confirm = confirm;
    }

    BusConnection connection() {
        return connection;
    }

    boolean isBus() {
        return isBus;
    }

    /** Whether somebody is to get signals: a peer gets them unasked. */
    boolean listens() {
        boolean anybody =
                !isBus
                        || !subscribers.isEmpty()
                        || !tracked.isEmpty()
                        || !references.isEmpty(); // who holds a unit is told of its changes
        return connection.isReady() && anybody;
    }

    void track(long job, String caller) {
        if (isBus) {
            remembered(caller);
            tracked.put(job, caller);
        }
    }

    /** A caller is about to be remembered until he leaves. */
    private void remembered(String caller) {
        if (isBus
                && !subscribers.contains(caller)
                && !references.containsKey(caller)
                && !tracked.containsValue(caller)) {
            confirm.accept(this, caller);
        }
    }

    void untrack(long job) {
        tracked.remove(job);
    }

    /** False if it is subscribed already. */
    boolean subscribe(String caller) {
        remembered(caller);
        return !isBus || subscribers.add(caller);
    }

    /** False if it was not subscribed. */
    boolean unsubscribe(String caller) {
        return !isBus || subscribers.remove(caller);
    }

    /** Notes a reference; false if there are too many. */
    boolean refer(String caller, String unit) {
        remembered(caller);
        Map<String, Integer> own = references.computeIfAbsent(caller, _ -> new HashMap<>());
        if (own.size() >= ManagerLimits.REFERENCES.intValue() && !own.containsKey(unit)) {
            return false;
        }
        int _ = own.merge(unit, 1, Integer::sum);
        return true;
    }

    /** Drops a reference; false if there is none. */
    boolean unrefer(String caller, String unit) {
        Map<String, Integer> own = references.get(caller);
        if (own == null || !own.containsKey(unit)) {
            return false;
        }
        own.computeIfPresent(unit, (_, count) -> count == 1 ? null : count - 1);
        if (own.isEmpty()) {
            references.remove(caller);
        }
        return true;
    }

    /** Whether somebody refers to a unit. */
    boolean refers(UnitName unit) {
        return references.values().stream().anyMatch(own -> own.containsKey(unit.text()));
    }

    /** All units that somebody refers to. */
    Set<UnitName> referred() {
        return references.values().stream()
                .flatMap(own -> own.keySet().stream())
                .map(UnitName::of)
                .collect(Collectors.toSet());
    }

    /**
     * A client of the bus is gone.
     *
     * @return the units that it referred to
     */
    Set<UnitName> left(String caller) {
        subscribers.remove(caller);
        Map<String, Integer> own = references.remove(caller);
        tracked.values().removeIf(caller::equals);
        return own == null
                ? Set.of()
                : own.keySet().stream().map(UnitName::of).collect(Collectors.toSet());
    }
}
