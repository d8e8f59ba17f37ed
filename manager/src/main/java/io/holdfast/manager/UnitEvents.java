package io.holdfast.manager;

import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.notify.NotifyRouter;
import io.holdfast.manager.process.Orphans;
import io.holdfast.manager.reaction.StateChanges;
import io.holdfast.manager.request.Jobs;
import io.holdfast.manager.request.TransientStarts;
import io.holdfast.manager.runtime.Activation;
import io.holdfast.manager.runtime.BusNameWatcher;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitListeners;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.survival.Survival;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitName;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Passes the events of units to the parts of the manager that handle them. Used on the event loop.
 */
final class UnitEvents implements ManagerContext.Events {
    /** The parts that are made only after the units can send events. */
    record Parts(
            UnitTable units,
            Jobs jobs,
            StateChanges changes,
            TransientStarts transients,
            Orphans orphans) {}

    private final UnitListeners listeners;
    private final NotifyRouter messages;
    private final Survival survival;
    private final List<Consumer<BusNameWatcher>> awaitingBus = new ArrayList<>();
    private Optional<BusNameWatcher> busNames = Optional.empty();
    private @Nullable Parts parts;

    UnitEvents(UnitListeners listeners, NotifyRouter messages, Survival survival) {
        this.listeners = listeners;
        this.messages = messages;
        this.survival = survival;
    }

    void connect(Parts made) {
        parts = made;
    }

    private Parts manager() {
        return Objects.requireNonNull(parts);
    }

    /** Sets the bus on which services wait for their names. */
    void busNames(BusNameWatcher names) {
        busNames = Optional.of(names);
        List<Consumer<BusNameWatcher>> waiting = List.copyOf(awaitingBus);
        awaitingBus.clear();
        waiting.forEach(callback -> callback.accept(names));
    }

    @Override
    public void loaded(UnitName unit) {
        listeners.unitNew(unit);
        manager().jobs().unused().look(List.of(unit));
    }

    @Override
    public void unused(Collection<UnitName> names) {
        manager().jobs().unused().look(names);
    }

    @Override
    public void unloading(UnitName unit) {
        listeners.unitRemoved(unit);
        manager().transients().unloaded(unit);
        survival.changed(unit);
    }

    @Override
    public void changed(UnitName unit) {
        listeners.unitChanged(unit);
        manager().changes().changed(unit);
        survival.changed(unit);
    }

    @Override
    public void settled(UnitName unit, ActiveState state) {
        manager().changes().settled(unit);
    }

    @Override
    public Optional<BusNameWatcher> busNames() {
        return busNames;
    }

    @Override
    public void whenBusIsKnown(Consumer<BusNameWatcher> callback) {
        busNames.ifPresentOrElse(callback, () -> awaitingBus.add(callback));
    }

    @Override
    public Collection<ManagedUnit> units() {
        return manager().units().all();
    }

    @Override
    public Activation activation() {
        return manager().changes().triggers();
    }

    @Override
    public Optional<UnitJob> jobOf(UnitName unit) {
        return manager().jobs().jobOf(unit);
    }

    @Override
    public Optional<String> restart(UnitName unit, boolean alone) {
        return manager().jobs().restart(unit, alone);
    }

    @Override
    public void startLimitHit(UnitName unit) {
        manager().changes().startLimitHit(unit);
    }

    @Override
    public Map<String, String> monitorVariables(UnitName handler) {
        return manager().changes().monitorVariables(handler);
    }

    @Override
    public void spawned() {
        manager().orphans().look();
        messages.spawned();
    }

    @Override
    public void lookForOrphans(Runnable then) {
        manager().orphans().look(then);
    }
}
