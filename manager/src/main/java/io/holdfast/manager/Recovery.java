package io.holdfast.manager;

import io.holdfast.core.state.Fields;
import io.holdfast.manager.catalog.TransientFiles;
import io.holdfast.manager.catalog.UnitCatalog;
import io.holdfast.manager.job.JobRecord;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.request.Jobs;
import io.holdfast.manager.runtime.LoadedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.survival.Survival;
import io.holdfast.manager.unit.UnitMarker;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.section.Unit;
import java.util.ArrayList;
import java.util.Comparator;
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
    private static final String JOB_ID = "job-id";
    private static final String JOB_RUNNING = "job-running";
    private static final String JOB_IRREVERSIBLE = "job-irreversible";
    private static final String JOB_UNORDERED = "job-unordered";
    private static final String JOB_TIMEOUT = "job-timeout";
    private static final String LAST_JOB = "last-job";
    private static final String MARKERS = "markers";

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

    Optional<Fields> record(UnitName name) {
        LoadedUnit node = units.node(name);
        if (node == null) {
            return Optional.empty();
        }
        Optional<Fields> state = node.unit().record();
        if (!node.markers().isEmpty()) {
            state = Optional.of(withMarkers(state.orElseGet(Fields::new), node));
        }
        Optional<JobRecord> found = jobs.engine().recorded(node);
        if (found.isEmpty()) {
            return state.map(this::withLastJob);
        }
        JobRecord job = found.get();
        return Optional.of(
                withLastJob(state.orElseGet(Fields::new))
                        .put(JOB, job.type().name())
                        .put(JOB_ID, job.id())
                        .put(JOB_RUNNING, job.isRunning())
                        .put(JOB_IRREVERSIBLE, job.isIrreversible())
                        .put(JOB_UNORDERED, job.ignoresOrder())
                        .put(JOB_TIMEOUT, job.timeoutAt()));
    }

    private static Fields withMarkers(Fields fields, LoadedUnit node) {
        return fields.put(MARKERS, String.join(" ", UnitMarker.words(node.markers())));
    }

    private Fields withLastJob(Fields fields) {
        return fields.put(LAST_JOB, jobs.engine().lastId());
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
                restoreMarkers(each.name(), each.state());
                restored.add(each.name());
            } catch (RuntimeException e) { // of any kind: the other units must not be lost
                context.error(each.name(), "is not adopted: " + e.getMessage());
            }
        }
        triggering.forEach(Runnable::run);
        others.forEach(Runnable::run);
        queue(survival.states());
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

    private void restoreMarkers(UnitName name, Fields fields) {
        LoadedUnit node = units.node(name);
        if (node != null) {
            fields.find(MARKERS)
                    .map(words -> UnitMarker.Change.parse(List.of(words.split(" "))))
                    .ifPresent(node::mark);
        }
    }

    private void queue(Map<String, Fields> states) {
        List<Queued> queued = new ArrayList<>();
        states.forEach((text, fields) -> {
            LoadedUnit node = UnitName.parse(text).map(units::node).orElse(null);
            if (node != null && fields.find(JOB).isPresent()) {
                try {
                    JobRecord job =
                            new JobRecord(
                                    fields.number(JOB_ID),
                                    fields.word(JOB, JobType.class),
                                    fields.is(JOB_RUNNING),
                                    fields.is(JOB_IRREVERSIBLE),
                                    fields.is(JOB_UNORDERED),
                                    fields.number(JOB_TIMEOUT));
                    queued.add(new Queued(node, job));
                } catch (IllegalArgumentException e) {
                    context.warn(node.name(), "its job is not adopted: " + e.getMessage());
                }
            }
        });
        queued.sort(Comparator.comparingLong(each -> each.job().id()));
        queued.forEach(each -> jobs.engine().restore(each.unit(), each.job()));
        states.values().forEach(fields -> jobs.engine().idsAfter(fields.number(LAST_JOB)));
    }

    private record Queued(LoadedUnit unit, JobRecord job) {}
}
