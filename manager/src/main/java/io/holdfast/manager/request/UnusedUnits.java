package io.holdfast.manager.request;

import io.holdfast.core.Registration;
import io.holdfast.manager.job.JobEngine;
import io.holdfast.manager.runtime.LoadedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitName;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;

/**
 * Unloads units that are inactive and that nothing refers to. Every event that may have ended the
 * last reference to a unit queues it, and the queue is processed at the end of the loop's turn.
 *
 * <p>A unit is in use on its own while it is active or failed, has a job, keeps something for its
 * next run, or is held by a reference; it is also in use while a unit that is in use names it in
 * its files. Units that only name each other are not in use. Used on the event loop.
 */
public final class UnusedUnits {
    private final ManagerContext context;
    private final UnitTable units;
    private final JobEngine engine;
    private final List<Predicate<UnitName>> holders = new CopyOnWriteArrayList<>(); // by any thread
    private final Set<UnitName> queue = new LinkedHashSet<>();

    UnusedUnits(ManagerContext context, UnitTable units, JobEngine engine) {
        this.context = context;
        this.units = units;
        this.engine = engine;
    }

    /**
     * @param holder returns whether a unit is held
     * @return closing it removes the holder
     */
    public Registration heldBy(Predicate<UnitName> holder) {
        holders.add(holder);
        return () -> holders.remove(holder);
    }

    /** Queues units that may no longer be in use. */
    public void look(Collection<UnitName> names) {
        if (queue.isEmpty() && !names.isEmpty()) {
            context.loop().postEnding(this::sweep);
        }
        queue.addAll(names);
    }

    /**
     * Unloads those of the queued units that are not in use, without waiting for the turn to end.
     */
    void sweep() {
        while (!queue.isEmpty()) {
            UnitName name = queue.iterator().next();
            queue.remove(name);
            LoadedUnit node = units.node(name);
            if (node != null) {
                unused(node).forEach(this::unload);
            }
        }
    }

    /** Returns the unit with everything that refers to it, if none of them is in use on its own. */
    private Set<LoadedUnit> unused(LoadedUnit first) {
        Set<LoadedUnit> found = new LinkedHashSet<>(List.of(first));
        Deque<LoadedUnit> todo = new ArrayDeque<>(found);
        while (!todo.isEmpty()) {
            LoadedUnit node = todo.removeLast();
            if (isInUse(node)) {
                return Set.of();
            }
            units.referring(node).filter(found::add).forEach(todo::addLast);
        }
        return found;
    }

    private boolean isInUse(LoadedUnit node) {
        ActiveState state = node.activeState();
        boolean rests =
                state == ActiveState.INACTIVE
                        || (state == ActiveState.FAILED
                                && node.lastDefinition().unit().collectsFailed());
        return !rests
                || node.unit().isKept()
                || engine.of(node).isPresent()
                || node.lastDefinition().source().names().stream()
                        .anyMatch(name -> holders.stream().anyMatch(holder -> holder.test(name)));
    }

    private void unload(LoadedUnit node) {
        Set<UnitName> named = units.referredBy(node);
        units.drop(node.unit());
        look(named);
    }
}
