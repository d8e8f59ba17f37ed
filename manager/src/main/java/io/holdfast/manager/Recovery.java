package io.holdfast.manager;

import io.holdfast.core.state.Fields;
import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.job.JobRefusedException;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.runtime.LoadedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.TransientFiles;
import io.holdfast.manager.runtime.UnitCatalog;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.survival.Survival;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.section.Unit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Adopts what a manager that was killed has left: first all units become what they were, then each
 * goes on with what it was doing, sockets before the services that they have something for, then
 * the jobs that were there are queued again. Nobody reacts to a state that is only restored. Before
 * the loop runs; blocking.
 */
final class Recovery {
    private static final String JOB = "job";
    private static final String JOB_RUNNING = "job-running";

    private final ManagerContext context;
    private final UnitTable units;
    private final UnitCatalog catalog;
    private final TransientFiles made;
    private final Jobs jobs;

    Recovery(
            ManagerContext context,
            UnitTable units,
            UnitCatalog catalog,
            TransientFiles made,
            Jobs jobs) {
        this.context = context;
        this.units = units;
        this.catalog = catalog;
        this.made = made;
        this.jobs = jobs;
    }

    /** What is written down of a unit. */
    Optional<Fields> record(UnitName name) {
        LoadedUnit node = units.node(name);
        if (node == null) {
            return Optional.empty();
        }
        Optional<Fields> state = node.unit().record();
        Optional<UnitJob> job = jobs.jobOf(name);
        if (job.isEmpty()) {
            return state;
        }
        return Optional.of(
                state.orElseGet(Fields::new)
                        .put(JOB, job.get().type().name())
                        .put(JOB_RUNNING, job.get().isRunning()));
    }

    /** How many units were adopted. */
    int run() {
        Survival survival = context.survival();
        made.restore();
        List<Runnable> sockets = new ArrayList<>();
        List<Runnable> others = new ArrayList<>();
        List<UnitName> restored = new ArrayList<>();
        for (Described each : readAll(survival.states())) {
            try {
                units.adopt(each.unit().get());
                boolean isSocket = each.name().type() == UnitType.SOCKET;
                restore(each.name(), each.state()).ifPresent((isSocket ? sockets : others)::add);
                restored.add(each.name());
            } catch (RuntimeException e) { // of whatever kind: the other units must not be lost
                context.error(each.name(), "is not adopted: " + e.getMessage());
            }
        }
        sockets.forEach(Runnable::run);
        others.forEach(Runnable::run);
        queue(survival.states(), true);
        queue(survival.states(), false);
        jobs.engine().run();
        restored.forEach(survival::changed);
        jobs.unused().look(restored);
        return restored.size();
    }

    /**
     * A unit that was written down.
     *
     * @param unit from its file; throws what reading that has thrown
     */
    private record Described(UnitName name, Fields state, Supplier<Unit> unit) {}

    /**
     * Reads the files of all units, by several threads: the manager serves nobody before that is
     * done, and a JVM that has just started runs this code slowly.
     */
    private List<Described> readAll(Map<String, Fields> states) {
        return states.entrySet().parallelStream()
                .flatMap(each ->
                        UnitName.parse(each.getKey()).stream()
                                .map(name -> new Described(name, each.getValue(), read(name))))
                .toList();
    }

    private Supplier<Unit> read(UnitName name) {
        try {
            Unit unit = catalog.read(name);
            return () -> unit;
        } catch (RuntimeException e) {
            return () -> {
                throw e;
            };
        }
    }

    private Optional<Runnable> restore(UnitName name, Fields fields) {
        LoadedUnit node = units.node(name);
        if (node == null || fields.find("state").isEmpty()) {
            return Optional.empty(); // it had a job, and nothing else
        }
        Runnable next = node.unit().restore(fields);
        var _ = node.exchangeState();
        units.noteState(node);
        return Optional.of(next);
    }

    private void queue(Map<String, Fields> states, boolean running) {
        states.forEach((text, fields) -> {
            LoadedUnit node = UnitName.parse(text).map(units::node).orElse(null);
            if (node != null && fields.find(JOB).isPresent() && fields.is(JOB_RUNNING) == running) {
                try {
                    UnitJob _ =
                            jobs.engine()
                                    .request(
                                            node,
                                            fields.word(JOB, JobType.class),
                                            JobMode.IGNORE_DEPENDENCIES,
                                            _ -> {});
                } catch (JobRefusedException | IllegalArgumentException e) {
                    context.warn(node.name(), "its job is not adopted: " + e.getMessage());
                }
            }
        });
    }
}
