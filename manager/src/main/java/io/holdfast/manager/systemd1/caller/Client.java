package io.holdfast.manager.systemd1.caller;

import io.holdfast.core.limit.Charge;
import io.holdfast.dbus.BusConnection;
import io.holdfast.manager.unit.UnitName;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;

/**
 * One connection that the interface is served on: to a bus with its many clients, or to a single
 * peer. Used on the manager's event loop.
 */
public final class Client {
    private final BusConnection connection;
    private final boolean isBus;
    private final BiConsumer<Client, String> confirm;
    private final Set<String> subscribers = new HashSet<>();

    /** Callers that wait for jobs: they receive signals until their jobs have ended. */
    private final Map<Long, String> tracked = new HashMap<>();

    /** The references of each caller, by unit. */
    private final Map<String, Map<String, Reference>> references = new HashMap<>();

    /** The calls for a reference whose callers are still being identified. */
    private final AtomicInteger referring = new AtomicInteger();

    private boolean gone;

    /** A caller's references to one unit, and what its user is charged for the loaded unit. */
    private static final class Reference {
        final Charge<Long> charge;
        int count = 1;

        Reference(Charge<Long> charge) {
            this.charge = charge;
        }
    }

    /**
     * @param confirm checks on the bus that a caller is still connected, and calls {@link #left} if
     *     not: the caller may have disconnected before its call was handled, and the bus does not
     *     report that again
     */
    public Client(BusConnection connection, boolean isBus, BiConsumer<Client, String> confirm) {
        this.connection = connection;
        this.isBus = isBus;
        this.confirm = confirm;
    }

    public BusConnection connection() {
        return connection;
    }

    boolean isBus() {
        return isBus;
    }

    /** Returns whether signals are sent: a peer gets them without a subscription. */
    public boolean listens() {
        boolean anybody =
                !isBus
                        || !subscribers.isEmpty()
                        || !tracked.isEmpty()
                        || !references.isEmpty() // a holder of a unit gets its changes
                        || referring.get() > 0;
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
    public boolean subscribe(String caller) {
        remembered(caller);
        return !isBus || subscribers.add(caller);
    }

    /** Unsubscribes a caller. Returns false if it was not subscribed. */
    public boolean unsubscribe(String caller) {
        return !isBus || subscribers.remove(caller);
    }

    /**
     * Sends signals from now on, until the call for a reference has been answered. A client reads
     * the unit's state right after its call: no change after that may be missed.
     */
    void listenUntil(CompletableFuture<List<?>> reply) {
        referring.incrementAndGet();
        var _ = reply.whenComplete((_, _) -> referring.decrementAndGet());
    }

    /**
     * Adds a reference.
     *
     * @param charge closed with the last reference of the caller to the unit
     */
    public void refer(String caller, String unit, Charge<Long> charge) {
        if (gone) {
            charge.close();
            return;
        }
        remembered(caller);
        Map<String, Reference> own = references.computeIfAbsent(caller, _ -> new HashMap<>());
        Reference known = own.get(unit);
        if (known == null) {
            own.put(unit, new Reference(charge));
        } else {
            known.count++;
            charge.close();
        }
    }

    /** Drops a reference. Returns false if there is none. */
    public boolean unrefer(String caller, String unit) {
        Map<String, Reference> own = references.get(caller);
        Reference known = own == null ? null : own.get(unit);
        if (own == null || known == null) {
            return false;
        }
        known.count--;
        if (known.count == 0) {
            own.remove(unit);
            known.charge.close();
        }
        if (own.isEmpty()) {
            references.remove(caller);
        }
        return true;
    }

    /** Returns whether a caller refers to a unit. */
    public boolean refers(UnitName unit) {
        return references.values().stream().anyMatch(own -> own.containsKey(unit.text()));
    }

    /**
     * Forgets a client of the bus that has disconnected.
     *
     * @return the units that it referred to
     */
    public Set<UnitName> left(String caller) {
        subscribers.remove(caller);
        tracked.values().removeIf(caller::equals);
        Map<String, Reference> own = references.remove(caller);
        return own == null ? Set.of() : drop(own);
    }

    private static Set<UnitName> drop(Map<String, Reference> dropped) {
        dropped.values().forEach(reference -> reference.charge.close());
        return dropped.keySet().stream().map(UnitName::of).collect(Collectors.toSet());
    }

    /**
     * Forgets all callers: the connection is lost.
     *
     * @return the units that they referred to
     */
    public Set<UnitName> close() {
        gone = true;
        Set<UnitName> units = new HashSet<>();
        references.values().forEach(own -> units.addAll(drop(own)));
        references.clear();
        return units;
    }
}
