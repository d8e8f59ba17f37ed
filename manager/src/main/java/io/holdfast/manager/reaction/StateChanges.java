package io.holdfast.manager.reaction;

import io.holdfast.manager.catalog.UnitCatalog;
import io.holdfast.manager.request.Jobs;
import io.holdfast.manager.runtime.LoadedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitName;
import java.util.List;
import java.util.Map;

/**
 * Distributes changes of units and the ends of their jobs: to the job engine, to the reactions of
 * other units, to the units that trigger them, and to the unloading of unused units. Used on the
 * event loop.
 */
public final class StateChanges implements Jobs.Observer {
    private final UnitTable units;
    private final Jobs jobs;
    private final EmergencyActions emergencies;
    private final Reactions reactions;
    private final Triggers triggers;

    /** Makes the reactions to the units of a table, and connects them to its jobs. */
    public StateChanges(
            ManagerContext context,
            UnitTable units,
            UnitCatalog catalog,
            Jobs jobs,
            Ending ending) {
        this.units = units;
        this.jobs = jobs;
        this.emergencies = new EmergencyActions(context, ending);
        this.reactions = new Reactions(context, units, jobs, emergencies);
        this.triggers = new Triggers(context, units, catalog, jobs);
        jobs.observedBy(this);
    }

    public Triggers triggers() {
        return triggers;
    }

    /** Handles a change in a unit's state. */
    public void changed(UnitName name) {
        LoadedUnit node = units.node(name);
        if (node == null) {
            return;
        }
        units.noteState(node);
        ActiveState before = node.exchangeState();
        ActiveState now = node.activeState();
        if (before != now) {
            reactions.entered(node, before, now);
            jobs.engine().stateChanged(node, now);
            jobs.engine().run();
            reactions.stopLaterIfUnbound(node);
            if (node.isDown()) {
                jobs.unused().look(List.of(name));
            }
        }
        if (node.exchangePhase() || before != now) {
            triggers.changed(node);
        }
    }

    /** Handles that units were read again: some may be bound to an inactive unit now. */
    public void reloaded(List<UnitName> names) {
        for (UnitName name : names) {
            LoadedUnit node = units.node(name);
            if (node != null) {
                reactions.stopLaterIfUnbound(node);
            }
        }
        jobs.unused().look(names);
    }

    /** Handles that a unit became inactive or failed, and no automatic restart follows. */
    public void settled(UnitName name) {
        triggers.settled(name);
        reactions.settled(name);
        jobs.unused().look(List.of(name)); // its job may have ended before this start was over
    }

    /** Handles that a unit was started too often. */
    public void startLimitHit(UnitName name) {
        LoadedUnit node = units.node(name);
        if (node != null) {
            emergencies.startLimitHit(node);
            triggers.changed(node);
        }
    }

    /** Returns the MONITOR_ variables of a unit that handles the end of other units. */
    public Map<String, String> monitorVariables(UnitName handler) {
        return reactions.monitorVariables(handler);
    }

    @Override
    public void jobEnded(LoadedUnit node) {
        reactions.jobEnded(node);
    }

    @Override
    public void jobTimedOut(LoadedUnit node) {
        emergencies.jobTimedOut(node);
    }

    @Override
    public void startFailed(LoadedUnit node) {
        reactions.startOnFailure(node);
    }
}
