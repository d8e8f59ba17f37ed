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
 * One connection that the interface is served on: to a bus with its many clients, or to a single
 * peer. Used on the manager's event loop.
 */
final class Client {
    private final BusConnection connection;
    private final boolean isBus;
    private final BiConsumer<Client, String> confirm;
    private final Set<String> subscribers = new HashSet<>();

    /** Callers that wait for jobs: they receive signals until their jobs have ended. */
    private final Map<Long, String> tracked = new HashMap<>();

    private final Map<String, Map<String, Integer>> references = new HashMap<>();

    /**
     * @param confirm checks on the bus that a caller is still connected, and calls {@link #left} if
     *     not: the caller may have disconnected before its call was handled, and the bus does not
     *     report that again
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

    /** Returns whether signals are sent: a peer gets them without a subscription. */
    boolean listens() {
        boolean anybody =
                !isBus
                        || !subscribers.isEmpty()
                        || !tracked.isEmpty()
                        || !references.isEmpty(); // a holder of a unit gets its changes
        return connection.isReady() && anybody;
    }

    void track(long job, String caller) {
        if (isBus) {
            remembered(caller);
            tracked.put(job, caller);
        }
    }

    /**
     * Checks that a new caller is still connected, before it is remembered until it disconnects.
     */
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

    /** Subscribes a caller. Returns false if it is subscribed already. */
    boolean subscribe(String caller) {
        remembered(caller);
        return !isBus || subscribers.add(caller);
    }

    /** Unsubscribes a caller. Returns false if it was not subscribed. */
    boolean unsubscribe(String caller) {
        return !isBus || subscribers.remove(caller);
    }

    /** Adds a reference. Returns false if the caller has too many. */
    boolean refer(String caller, String unit) {
        remembered(caller);
        Map<String, Integer> own = references.computeIfAbsent(caller, _ -> new HashMap<>());
        if (own.size() >= ManagerLimits.REFERENCES.intValue() && !own.containsKey(unit)) {
            return false;
        }
        int _ = own.merge(unit, 1, Integer::sum);
        return true;
    }

    /** Drops a reference. Returns false if there is none. */
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

    /** Returns whether a caller refers to a unit. */
    boolean refers(UnitName unit) {
        return references.values().stream().anyMatch(own -> own.containsKey(unit.text()));
    }

    /** Returns all units that callers refer to. */
    Set<UnitName> referred() {
        return references.values().stream()
                .flatMap(own -> own.keySet().stream())
                .map(UnitName::of)
                .collect(Collectors.toSet());
    }

    /**
     * Forgets a client of the bus that has disconnected.
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
