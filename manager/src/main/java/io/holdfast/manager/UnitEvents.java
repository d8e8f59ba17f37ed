package io.holdfast.manager;

import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.notify.NotifyRouter;
import io.holdfast.manager.process.Orphans;
import io.holdfast.manager.runtime.Activation;
import io.holdfast.manager.runtime.BusNameWatcher;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitListeners;
import io.holdfast.manager.survival.Survival;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitName;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Passes the events of units to the parts of the manager that handle them. Used on the event loop.
 */
final class UnitEvents implements ManagerContext.Events {
    /**
     * The parts of the manager that receive events; they are made only after the units can send
     * events.
     */
    interface Parts {
        Jobs jobs();

        Collection<ManagedUnit> units();

        TransientStarts transients();

        Orphans orphans();

        NotifyRouter messages();

        Optional<BusNameWatcher> busNames();

        void whenBusIsKnown(Consumer<BusNameWatcher> callback);

        Survival survival();
    }

    private final Parts manager;
    private final UnitListeners listeners;

    UnitEvents(Parts manager, UnitListeners listeners) {
        this.manager = manager;
        this.listeners = listeners;
    }

    @Override
    public void loaded(UnitName unit) {
        listeners.unitNew(unit);
        manager.jobs().unused().look(List.of(unit));
    }

    @Override
    public void unused(Collection<UnitName> names) {
        manager.jobs().unused().look(names);
    }

    @Override
    public void unloading(UnitName unit) {
        listeners.unitRemoved(unit);
        manager.transients().unloaded(unit);
        manager.survival().changed(unit);
    }

    @Override
    public void changed(UnitName unit) {
        listeners.unitChanged(unit);
        manager.jobs().changed(unit);
        manager.survival().changed(unit);
    }

    @Override
    public void settled(UnitName unit, ActiveState state) {
        manager.jobs().triggers().settled(unit);
        manager.jobs().settled(unit);
    }

    @Override
    public Optional<BusNameWatcher> busNames() {
        return manager.busNames();
    }

    @Override
    public void whenBusIsKnown(Consumer<BusNameWatcher> callback) {
        manager.whenBusIsKnown(callback);
    }

    @Override
    public Collection<ManagedUnit> units() {
        return manager.units();
    }

    @Override
    public Activation activation() {
        return manager.jobs().triggers();
    }

    @Override
    public Optional<UnitJob> jobOf(UnitName unit) {
        return manager.jobs().jobOf(unit);
    }

    @Override
    public Optional<String> restart(UnitName unit, boolean alone) {
        return manager.jobs().restart(unit, alone);
    }

    @Override
    public void startLimitHit(UnitName unit) {
        manager.jobs().startLimitHit(unit);
    }

    @Override
    public Map<String, String> monitorVariables(UnitName handler) {
        return manager.jobs().monitorVariables(handler);
    }

    @Override
    public void spawned() {
        manager.orphans().look();
        manager.messages().spawned();
    }

    @Override
    public void lookForOrphans(Runnable then) {
        manager.orphans().look(then);
    }
}
