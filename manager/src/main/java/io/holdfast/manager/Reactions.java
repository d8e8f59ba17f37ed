package io.holdfast.manager;

import io.holdfast.manager.job.JobMode;
import io.holdfast.manager.job.JobRefusedException;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.runtime.LoadedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.UnitName;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * What other units do when one comes into a state, by itself or by a job: {@code BindsTo=} stops
 * them, {@code OnFailure=} and {@code Upholds=} start them. On the loop.
 */
final class Reactions {
    private final ManagerContext context;
    private final UnitTable units;
    private final Jobs jobs;

    Reactions(ManagerContext context, UnitTable units, Jobs jobs) {
        this.context = context;
        this.units = units;
        this.jobs = jobs;
    }

    // ---- BindsTo=

    /** A job of a unit has ended: it, or a unit bound to it, may have to stop now. */
    void jobEnded(LoadedUnit node) {
        stopLaterIfUnbound(node);
        units.dependants(Dependency.BINDS_TO, node).forEach(this::stopLaterIfUnbound);
    }

    /**
     * Stops an active unit if a unit that it is bound to ended meanwhile. Later: this is called
     * while jobs end and states change.
     */
    void stopLaterIfUnbound(LoadedUnit node) {
        if (!jobs.isStopping()
                && node.activeState() == ActiveState.ACTIVE
                && !boundTo(node).isEmpty()) {
            context.loop().postEnding(() -> stopIfUnbound(node));
        }
    }

    private static Set<UnitName> boundTo(LoadedUnit node) {
        return node.meant().unit().dependencies().of(Dependency.BINDS_TO);
    }

    private void stopIfUnbound(LoadedUnit node) {
        if (jobs.isStopping()
                || node.activeState() != ActiveState.ACTIVE
                || jobs.engine().of(node).isPresent()) {
            return;
        }
        for (UnitName name : boundTo(node)) {
            LoadedUnit other = units.node(name);
            if (other != null && Jobs.isDown(other) && jobs.engine().of(other).isEmpty()) {
                request(node, JobType.STOP, "BindsTo=" + name);
                return;
            }
        }
    }

    // ---- a unit has come to rest

    /** A unit has come to rest by itself or by a job: others may depend on that. */
    void settled(UnitName name, ActiveState state) {
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
        if (state == ActiveState.FAILED) {
            startOnFailure(node);
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
        Set<UnitName> handlers = node.unit().unit().unit().dependencies().of(Dependency.ON_FAILURE);
        if (!handlers.isEmpty() && !jobs.isStopping()) {
            startFor("OnFailure= of " + node.name(), handlers);
        }
    }

    private boolean isUpheld(LoadedUnit node) {
        return units.dependants(Dependency.UPHOLDS, node).stream()
                .anyMatch(other -> other.activeState().isUp());
    }

    private void uphold(LoadedUnit node) {
        if (Jobs.isDown(node) && !jobs.isStopping() && isUpheld(node)) {
            startFor("Upholds=" + node.name(), Set.of(node.name()));
        }
    }

    private void request(LoadedUnit node, JobType type, String reason) {
        try {
            UnitJob _ = jobs.engine().request(node, type, JobMode.REPLACE, _ -> {});
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
