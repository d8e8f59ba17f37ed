package io.holdfast.manager.reaction;

import io.holdfast.core.ErrnoException;
import io.holdfast.manager.catalog.UnitCatalog;
import io.holdfast.manager.exec.PassedDescriptors;
import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.request.Jobs;
import io.holdfast.manager.runtime.AcceptedConnection;
import io.holdfast.manager.runtime.Activation;
import io.holdfast.manager.runtime.LoadedUnit;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.RunPhase;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.view.UnitTimes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The link between units and those that trigger them: starts the triggered units, reports their
 * changes to the triggering ones, and passes descriptors. Used on the event loop.
 */
public final class Triggers implements Activation {
    /** The connection that an instance serves. */
    private record Served(UnitName socket, AcceptedConnection connection, Runnable ended) {}

    private final ManagerContext context;
    private final UnitTable units;
    private final UnitCatalog catalog;
    private final Jobs jobs;
    private final Map<UnitName, Served> served = new LinkedHashMap<>();

    /** For each unit that was triggered and is not down again: the variables about the cause. */
    private final Map<UnitName, Map<String, String>> causes = new HashMap<>();

    /** Instances that were made for a connection; they are unloaded when they have ended. */
    private final Set<UnitName> instances = new HashSet<>();

    /** Those instances that have failed, the oldest first. */
    private final Deque<UnitName> failed = new ArrayDeque<>();

    Triggers(ManagerContext context, UnitTable units, UnitCatalog catalog, Jobs jobs) {
        this.context = context;
        this.units = units;
        this.catalog = catalog;
        this.jobs = jobs;
    }

    @Override
    public PassedDescriptors descriptorsFor(Unit unit) {
        List<PassedDescriptors.Passed> passed = new ArrayList<>();
        Map<String, String> variables = Map.of();
        try {
            Served own = servedBy(unit);
            LoadedUnit node = units.node(unit.name());
            if (own != null) {
                passed.add(
                        new PassedDescriptors.Passed(
                                own.connection().fd().duplicate(), AcceptedConnection.NAME));
                variables = own.connection().variables();
            } else if (node != null) {
                for (LoadedUnit triggering : node.triggeredBy()) {
                    passed.addAll(triggering.unit().passedTo(unit));
                }
            }
            return new PassedDescriptors(passed, variables);
        } catch (ErrnoException e) {
            passed.forEach(one -> one.fd().close());
            throw e;
        }
    }

    @Override
    public Optional<UnitName> socketServedBy(Unit instance) {
        return Optional.ofNullable(servedBy(instance)).map(Served::socket);
    }

    /** Returns the connection that a service serves, looked up under each of its names. */
    private @Nullable Served servedBy(Unit service) {
        return service.source().names().stream()
                .map(served::get)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    @Override
    public boolean isThere(UnitName unit) {
        return catalog.isThere(unit);
    }

    @Override
    public RunPhase phaseOf(UnitName unit) {
        ManagedUnit known = units.find(unit);
        return known == null ? RunPhase.DOWN : known.phase();
    }

    @Override
    public UnitTimes timesOf(UnitName unit) {
        ManagedUnit known = units.find(unit);
        return known == null ? UnitTimes.NEVER : known.times();
    }

    /** Reports a change of a unit to the units that trigger it. */
    void changed(LoadedUnit node) {
        List.copyOf(node.triggeredBy())
                .forEach(other -> other.unit().triggeredChanged(node.unit()));
        if (instances.contains(node.name()) && node.activeState() == ActiveState.INACTIVE) {
            context.loop().postEnding(() -> drop(node.name()));
        }
    }

    @Override
    public void start(
            UnitName by, UnitName unit, Map<String, String> variables, Consumer<Boolean> done) {
        if (jobs.isStopping()) {
            return; // the triggering unit itself is about to be stopped
        }
        if (!variables.isEmpty() && phaseOf(unit) == RunPhase.DOWN) {
            causes.put(unit, variables);
        }
        boolean wasUp = staysUp(by);
        start(
                unit,
                () -> !wasUp || staysUp(by), // a stop would be undone by what the unit requires
                (results, failure) -> {
                    if (jobs.isStopping()) {
                        return;
                    }
                    if (failure != null) {
                        context.error(by, "cannot start " + unit + ": " + failure.getMessage());
                    }
                    if (phaseOf(unit) == RunPhase.DOWN) {
                        causes.remove(unit); // it did not start
                    }
                    done.accept(failure == null && results.get(unit) != JobResult.INVALID);
                });
    }

    @Override
    public void stop(UnitName by, UnitName unit, Runnable refused) {
        if (jobs.isStopping()) {
            return;
        }
        CompletableFuture<UnitJob> job = new CompletableFuture<>();
        var _ =
                job.whenComplete((_, failure) -> {
                    if (failure != null && !jobs.isStopping()) {
                        context.error(by, "cannot stop " + unit + ": " + failure.getMessage());
                        refused.run();
                    }
                });
        jobs.enqueue(unit, JobType.STOP, JobMode.REPLACE, job);
    }

    /** Returns whether a unit is up and is not about to be stopped. */
    private boolean staysUp(UnitName name) {
        LoadedUnit node = units.node(name);
        return node != null
                && node.activeState().isUp()
                && jobs.engine().of(node).filter(job -> job.type() == JobType.STOP).isEmpty();
    }

    private void start(
            UnitName name,
            BooleanSupplier isWanted,
            BiConsumer<Map<UnitName, JobResult>, @Nullable Throwable> done) {
        CompletableFuture<Map<UnitName, JobResult>> future = new CompletableFuture<>();
        var ignored = future.whenComplete(done);
        try {
            jobs.start(Set.of(name), isWanted, future);
        } catch (RuntimeException e) {
            future.completeExceptionally(e);
        }
    }

    @Override
    public Map<String, String> triggerVariables(Unit unit) {
        return unit.source().names().stream()
                .map(causes::get)
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(Map.of());
    }

    @Override
    public void serve(
            UnitName socket, UnitName instance, AcceptedConnection connection, Runnable ended) {
        take(socket, instance, connection, ended);
        start(
                instance,
                () -> true,
                (_, failure) -> {
                    if (failure != null) {
                        context.error(
                                socket, "cannot start " + instance + ": " + failure.getMessage());
                    }
                    settleIfDown(instance);
                });
    }

    @Override
    public void serveAgain(
            UnitName socket, UnitName instance, AcceptedConnection connection, Runnable ended) {
        if (units.find(instance) == null) {
            serve(socket, instance, connection, ended); // no job for it was recorded
        } else {
            take(socket, instance, connection, ended);
            context.loop()
                    .postEnding(() -> {
                        if (!hasJob(instance)) {
                            settleIfDown(instance);
                        }
                    });
        }
    }

    private void take(
            UnitName socket, UnitName instance, AcceptedConnection connection, Runnable ended) {
        Runnable gone =
                () -> {
                    ended.run();
                    context.events().unused(List.of(socket)); // this may have been its last
                };
        served.put(instance, new Served(socket, connection, gone));
        instances.add(instance);
    }

    private void settleIfDown(UnitName instance) {
        ManagedUnit unit = units.find(instance);
        if (unit == null || (unit.activeState().isSettled() && !unit.activeState().isUp())) {
            settled(instance);
        }
    }

    /**
     * Handles that a unit became inactive or failed: closes the connection that it served, if any.
     */
    public void settled(UnitName name) {
        ManagedUnit unit = units.find(name);
        Set<UnitName> names = unit == null ? Set.of(name) : unit.unit().source().names();
        for (UnitName one : names) {
            causes.remove(one);
            Served ended = served.remove(one);
            if (ended != null) {
                ended.ended().run();
                ended.connection().close(context.closer()); // last, because it may take long
            }
            if (instances.contains(one)) {
                context.loop().postEnding(() -> drop(one));
            }
        }
    }

    /**
     * Unloads an instance that has ended well. A failed instance stays visible, but only a limited
     * number of them: a client must not be able to fill the table by connecting.
     */
    private void drop(UnitName instance) {
        ManagedUnit unit = units.find(instance);
        if (served.containsKey(instance) || !instances.contains(instance) || hasJob(instance)) {
            return;
        }
        if (unit == null || unit.activeState() == ActiveState.INACTIVE) {
            forget(instance);
        } else if (unit.activeState() == ActiveState.FAILED) {
            failed.remove(instance);
            failed.addLast(instance);
            if (failed.size() > ManagerLimits.FAILED_INSTANCES.intValue()) {
                forget(failed.getFirst());
            }
        }
    }

    private boolean hasJob(UnitName instance) {
        LoadedUnit node = units.node(instance);
        return node != null && jobs.engine().of(node).isPresent();
    }

    private void forget(UnitName instance) {
        failed.remove(instance);
        instances.remove(instance);
        ManagedUnit unit = units.find(instance);
        if (unit != null
                && !unit.activeState().isUp()
                && unit.activeState().isSettled()
                && !hasJob(instance)) {
            units.drop(unit);
        }
    }

    /** Closes all connections when the loop no longer runs. */
    public void abandon() {
        served.values().forEach(one -> one.connection().close(context.closer()));
        served.clear();
    }
}
