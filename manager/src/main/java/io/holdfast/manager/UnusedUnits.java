package io.holdfast.manager;

import io.holdfast.manager.job.JobEngine;
import io.holdfast.manager.runtime.LoadedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitName;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Unloads units that are at rest and that nothing refers to. Whatever may have been the last use of
 * a unit puts it into a queue, which is worked off at the end of the turn.
 *
 * <p>A unit is in use by itself while it is active or has failed, has a job, keeps something for
 * its next run, or somebody holds a reference; and it is in use while a unit that is in use names
 * it in its files. Units that only name each other are not. On the loop.
 */
final class UnusedUnits {
    private final ManagerContext context;
    private final UnitTable units;
    private final JobEngine engine;
    private final List<Predicate<UnitName>> holders = new ArrayList<>();
    private final Set<UnitName> queue = new LinkedHashSet<>();

    UnusedUnits(ManagerContext context, UnitTable units, JobEngine engine) {
        this.context = context;
        this.units = units;
        this.engine = engine;
    }

    /**
     * @param holder tells whether a unit is held by somebody
     * @return ends that
     */
    AutoCloseable heldBy(Predicate<UnitName> holder) {
        holders.add(holder);
        return () -> holders.remove(holder);
    }

    /** These may not be in use any more. */
    void look(Collection<UnitName> names) {
        if (queue.isEmpty() && !names.isEmpty()) {
            context.loop().postEnding(this::sweep);
        }
        queue.addAll(names);
    }

    private void sweep() {
        while (!queue.isEmpty()) {
            UnitName name = queue.iterator().next();
            queue.remove(name);
            LoadedUnit node = units.node(name);
            if (node != null) {
                unused(node).forEach(this::unload);
            }
        }
    }

    /** The unit with all that refers to it, if none of them is in use by itself. */
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
                        || (state == ActiveState.FAILED && node.meant().unit().collectsFailed());
        return !rests
                || node.unit().isKept()
                || engine.of(node).isPresent()
                || node.meant().source().names().stream()
                        .anyMatch(name -> holders.stream().anyMatch(holder -> holder.test(name)));
    }

    private void unload(LoadedUnit node) {
        Set<UnitName> named = units.referredBy(node);
        units.drop(node.unit());
        look(named);
    }
}
