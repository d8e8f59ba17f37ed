package io.holdfast.manager;

import io.holdfast.core.state.Fields;
import io.holdfast.manager.job.JobEngine;
import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.job.JobRefusedException;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.request.Jobs;
import io.holdfast.manager.runtime.LoadedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.TransientFiles;
import io.holdfast.manager.runtime.UnitCatalog;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.survival.Survival;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.section.Unit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Adopts what a killed manager left. First every unit gets its recorded state; then each unit
 * continues what it was doing, units that trigger others first, because sockets hold the
 * connections of services; then the recorded jobs are queued again. No reactions follow from a
 * restored state. Runs before the event loop; blocking.
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

    /** Returns the record of a unit. */
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

    /** Adopts everything, and returns how many units were adopted. */
    int run() {
        Survival survival = context.survival();
        made.restore();
        List<Runnable> triggering = new ArrayList<>();
        List<Runnable> others = new ArrayList<>();
        List<UnitName> restored = new ArrayList<>();
        for (Described each : readAll(survival.states())) {
            try {
                units.adopt(each.unit().get());
                List<Runnable> order = each.name().type().triggers() ? triggering : others;
                restore(each.name(), each.state()).ifPresent(order::add);
                restored.add(each.name());
            } catch (RuntimeException e) { // of any kind: the other units must not be lost
                context.error(each.name(), "is not adopted: " + e.getMessage());
            }
        }
        triggering.forEach(Runnable::run);
        others.forEach(Runnable::run);
        queue(survival.states(), true);
        queue(survival.states(), false);
        jobs.engine().run();
        restored.forEach(survival::changed);
        jobs.unused().look(restored);
        return restored.size();
    }

    /**
     * A recorded unit.
     *
     * @param unit supplies the unit read from its file, or rethrows the failure of that read
     */
    private record Described(UnitName name, Fields state, Supplier<Unit> unit) {}

    /**
     * Reads the files of all units in parallel: the manager serves no client before this is done,
     * and a freshly started JVM runs this code slowly.
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
            return Optional.empty(); // only its job was recorded
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
                                            JobEngine.NOBODY);
                } catch (JobRefusedException | IllegalArgumentException e) {
                    context.warn(node.name(), "its job is not adopted: " + e.getMessage());
                }
            }
        });
    }
}
