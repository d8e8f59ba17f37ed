package io.holdfast.manager.reaction;

import io.holdfast.manager.job.JobEngine;
import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.job.JobRefusedException;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.request.Jobs;
import io.holdfast.manager.runtime.LoadedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.settings.EndSettings;
import io.holdfast.manager.unit.settings.EndSettings.HandlerMode;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;

/**
 * Reacts to changes of unit states, requested or not: {@code BindsTo=} and {@code
 * StopWhenUnneeded=} stop units, {@code OnSuccess=}, {@code OnFailure=} and {@code Upholds=} start
 * them, and {@code SuccessAction=} and {@code FailureAction=} end the manager. Used on the event
 * loop.
 */
final class Reactions {
    /** The dependencies by which an active unit needs another. */
    private static final List<Dependency> NEEDS =
            List.of(
                    Dependency.REQUIRES,
                    Dependency.REQUISITE,
                    Dependency.WANTS,
                    Dependency.BINDS_TO,
                    Dependency.UPHOLDS);

    private final ManagerContext context;
    private final UnitTable units;
    private final Jobs jobs;
    private final EmergencyActions emergencies;

    /**
     * The MONITOR_ variables for a handler whose failed or ended unit is unloaded before the
     * handler begins.
     */
    private final Map<UnitName, Map<String, String>> ofUnloaded = new HashMap<>();

    Reactions(ManagerContext context, UnitTable units, Jobs jobs, EmergencyActions emergencies) {
        this.context = context;
        this.units = units;
        this.jobs = jobs;
        this.emergencies = emergencies;
    }

    /**
     * Handles a change of a unit's active state, including the inactive or failed state that an
     * automatic restart leaves at once.
     */
    void entered(LoadedUnit node, ActiveState before, ActiveState now) {
        if (jobs.isStopping()) {
            return;
        }
        if (before.isUp() && !now.isUp() && isUnexpected(node) && !node.unit().restartsDirectly()) {
            context.loop().postEnding(() -> stopBound(node));
        }
        if (now == ActiveState.FAILED) {
            startOnFailure(node);
            emergencies.failed(node);
        } else if (now == ActiveState.INACTIVE && before != ActiveState.FAILED) {
            startHandlers(node, Dependency.ON_SUCCESS, ends(node).onSuccessMode());
            emergencies.succeeded(node);
        }
        if (now == ActiveState.ACTIVE) {
            stopLaterIfUnneeded(node);
        } else if (node.isDown()) {
            needed(node).forEach(this::stopLaterIfUnneeded);
        }
    }

    private static EndSettings ends(LoadedUnit node) {
        return node.unit().unit().unit().ends();
    }

    /** Returns whether no job of the unit was about to stop it. */
    private boolean isUnexpected(LoadedUnit node) {
        return jobs.engine()
                .of(node)
                .map(job ->
                        job.isRunning()
                                && job.type() != JobType.STOP
                                && job.type() != JobType.RESTART)
                .orElse(true);
    }

    // ---- StopWhenUnneeded=

    private List<LoadedUnit> needed(LoadedUnit node) {
        Dependencies dependencies = node.lastDefinition().unit().dependencies();
        return NEEDS.stream()
                .flatMap(kind -> dependencies.of(kind).stream())
                .flatMap(name -> Stream.ofNullable(units.node(name)))
                .toList();
    }

    private void stopLaterIfUnneeded(LoadedUnit node) {
        if (!jobs.isStopping() && isUnneeded(node)) {
            context.loop()
                    .postEnding(() -> {
                        if (!jobs.isStopping() && isUnneeded(node)) {
                            context.info(node.name(), "is not needed any more");
                            request(node, JobType.STOP, "StopWhenUnneeded=");
                        }
                    });
        }
    }

    private boolean isUnneeded(LoadedUnit node) {
        return node.activeState() == ActiveState.ACTIVE
                && node.lastDefinition().unit().ends().stopWhenUnneeded()
                && jobs.engine().of(node).isEmpty()
                && NEEDS.stream()
                        .flatMap(kind -> units.dependants(kind, node).stream())
                        .allMatch(other -> other.isDown() && jobs.engine().of(other).isEmpty());
    }

    // ---- BindsTo=

    /** Handles the end of a job: the unit, or a unit bound to it, may have to stop now. */
    void jobEnded(LoadedUnit node) {
        stopLaterIfUnbound(node);
        units.dependants(Dependency.BINDS_TO, node).forEach(this::stopLaterIfUnbound);
        stopLaterIfUnneeded(node);
        if (node.isDown()) {
            needed(node).forEach(this::stopLaterIfUnneeded);
        }
    }

    /** Stops the units that are bound to a unit that went down without a job. */
    private void stopBound(LoadedUnit node) {
        for (LoadedUnit other : units.dependants(Dependency.BINDS_TO, node)) {
            boolean isStopped =
                    jobs.engine().of(other).filter(job -> job.type() == JobType.STOP).isPresent();
            if (!jobs.isStopping() && other.activeState().isUp() && !isStopped) {
                request(other, JobType.STOP, "BindsTo=" + node.name());
            }
        }
    }

    /**
     * Stops an active unit if a unit that it is bound to went down meanwhile. The check is posted
     * to the loop, because this is called while jobs end and states change.
     */
    void stopLaterIfUnbound(LoadedUnit node) {
        if (!jobs.isStopping()
                && node.activeState() == ActiveState.ACTIVE
                && !boundTo(node).isEmpty()) {
            context.loop().postEnding(() -> stopIfUnbound(node));
        }
    }

    private static Set<UnitName> boundTo(LoadedUnit node) {
        return node.lastDefinition().unit().dependencies().of(Dependency.BINDS_TO);
    }

    private void stopIfUnbound(LoadedUnit node) {
        if (jobs.isStopping()
                || node.activeState() != ActiveState.ACTIVE
                || jobs.engine().of(node).isPresent()) {
            return;
        }
        for (UnitName name : boundTo(node)) {
            LoadedUnit other = units.node(name);
            if (other != null && other.isDown() && jobs.engine().of(other).isEmpty()) {
                request(node, JobType.STOP, "BindsTo=" + name);
                return;
            }
        }
    }

    // ---- a unit has become inactive or failed

    /** Handles that a unit became inactive or failed, and no automatic restart follows. */
    void settled(UnitName name) {
        ofUnloaded.remove(name);
        LoadedUnit node = units.node(name);
        if (node == null || jobs.isStopping()) {
            return;
        }
        boolean comesBack = jobs.engine().of(node).isPresent();
        for (LoadedUnit other : units.dependants(Dependency.BINDS_TO, node)) {
            if (!comesBack && other.activeState().isUp() && jobs.engine().of(other).isEmpty()) {
                request(other, JobType.STOP, "BindsTo=" + name);
            }
        }
        if (isUpheld(node)) {
            var ignored =
                    context.loop()
                            .after(
                                    node.unit()
                                            .mayStartIn()
                                            .orElse(ManagerLimits.UPHOLD_DELAY.duration()),
                                    () -> uphold(node));
        }
    }

    void startOnFailure(LoadedUnit node) {
        startHandlers(node, Dependency.ON_FAILURE, ends(node).onFailureMode());
    }

    private void startHandlers(LoadedUnit node, Dependency kind, HandlerMode mode) {
        if (jobs.isStopping()) {
            return;
        }
        for (UnitName handler : node.unit().unit().unit().dependencies().of(kind)) {
            ofUnloaded.put(handler, node.unit().monitorVariables());
            CompletableFuture<UnitJob> answer = new CompletableFuture<>();
            String reason = kind.directive() + "=" + handler;
            var _ =
                    answer.whenComplete((_, failure) -> {
                        if (failure != null) {
                            ofUnloaded.remove(handler);
                            context.warn(
                                    node.name(),
                                    reason + ": cannot be started: " + cause(failure).getMessage());
                        }
                    });
            try {
                jobs.startHandler(handler, JobMode.valueOf(mode.name()), answer);
            } catch (JobRefusedException e) {
                answer.completeExceptionally(e);
            }
        }
    }

    /**
     * Returns the MONITOR_ variables of a unit that handles the end of other units; none if several
     * units name it as handler, since the one that caused its start is then unknown.
     */
    Map<String, String> monitorVariables(UnitName handler) {
        LoadedUnit node = units.node(handler);
        if (node == null) {
            return Map.of();
        }
        Set<LoadedUnit> monitored = new LinkedHashSet<>();
        monitored.addAll(units.dependants(Dependency.ON_FAILURE, node));
        monitored.addAll(units.dependants(Dependency.ON_SUCCESS, node));
        if (monitored.size() > 1) {
            context.notice(handler, "does not get MONITOR_ variables: several units are its cause");
        }
        if (monitored.isEmpty()) {
            return ofUnloaded.getOrDefault(node.name(), Map.of());
        }
        return monitored.size() == 1
                ? monitored.iterator().next().unit().monitorVariables()
                : Map.of();
    }

    private boolean isUpheld(LoadedUnit node) {
        return units.dependants(Dependency.UPHOLDS, node).stream()
                .anyMatch(other -> other.activeState().isUp());
    }

    private void uphold(LoadedUnit node) {
        if (node.isDown() && !jobs.isStopping() && isUpheld(node)) {
            startFor("Upholds=" + node.name(), Set.of(node.name()));
        }
    }

    private void request(LoadedUnit node, JobType type, String reason) {
        try {
            UnitJob _ = jobs.engine().request(node, type, JobMode.REPLACE, JobEngine.NOBODY);
            jobs.engine().run();
        } catch (JobRefusedException e) {
            context.warn(node.name(), reason + ": " + e.getMessage());
        }
    }

    private void startFor(String reason, Set<UnitName> names) {
        CompletableFuture<Map<UnitName, JobResult>> answer = new CompletableFuture<>();
        var _ =
                answer.exceptionally(e -> {
                    context.warn(reason + ": " + cause(e).getMessage());
                    return Map.of();
                });
        jobs.start(names, answer);
    }

    private static Throwable cause(Throwable e) {
        return e instanceof CompletionException && e.getCause() != null ? e.getCause() : e;
    }
}
