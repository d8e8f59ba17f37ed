package io.holdfast.manager.exec;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.HeldChild;
import io.holdfast.core.process.Resource;
import io.holdfast.core.sys.process.SysResource;
import io.holdfast.manager.process.RunMark;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.settings.SchedulingSettings;
import io.holdfast.manager.unit.value.ResourceLimit;
import java.util.Locale;

/**
 * The resource limits, the OOM score and the scheduling of the processes of a run, which are set
 * from outside while a process is held before its exec. A value that the manager may not set causes
 * a warning.
 */
final class ExecLimits {
    private final ExecSettings settings;
    private final Execution.Surroundings surroundings;
    private final ExecWarnings warnings;

    ExecLimits(ExecSettings settings, Execution.Surroundings surroundings, ExecWarnings warnings) {
        this.settings = settings;
        this.surroundings = surroundings;
        this.warnings = warnings;
    }

    /** Applies them to a process, before its program runs. */
    void apply(HeldChild child) {
        if (!settings.limits().containsKey(Resource.NOFILE)) {
            ResourceLimit usual = surroundings.defaults().limit(Resource.NOFILE);
            child.limit(Resource.NOFILE, usual.soft(), usual.hard());
        }
        mark(child);
        settings.limits().forEach((resource, limit) -> limit(child, resource, limit));
        settings.oomScoreAdjust().ifPresent(adjustment -> oomScoreAdjust(child, adjustment));
        schedule(child);
    }

    /**
     * Marks a process that has no cgroup of its unit. A mark that this manager has itself stays on
     * its processes, so that whoever set it finds them: a process scope, or another manager.
     */
    private void mark(HeldChild child) {
        long[] ours = SysResource.limit(Resource.LOCKS.number());
        boolean isFree = ours[0] == SysResource.INFINITY && ours[1] == SysResource.INFINITY;
        if (surroundings.cgroup().isEmpty() && isFree) {
            child.limit(Resource.LOCKS, RunMark.of(surroundings.invocationId()), ours[1]);
        }
    }

    private void limit(HeldChild child, Resource resource, ResourceLimit limit) {
        try {
            child.limit(resource, limit.soft(), limit.hard());
        } catch (ErrnoException e) {
            if (e.errno() != Errno.EPERM) {
                throw e;
            }
            long most = SysResource.limit(resource.number())[1];
            child.limit(resource, lower(limit.soft(), most), lower(limit.hard(), most));
            warnings.once(
                    resource,
                    "Limit%s=%s is clamped to %s, the hard limit of this manager"
                            .formatted(
                                    resource,
                                    ResourceLimit.text(limit.hard()),
                                    ResourceLimit.text(most)));
        }
    }

    /** Returns the lower limit. Limits are unsigned: the largest value means no limit. */
    private static long lower(long one, long other) {
        return Long.compareUnsigned(one, other) < 0 ? one : other;
    }

    private void oomScoreAdjust(HeldChild child, int adjustment) {
        orWarn("OOMScoreAdjust=" + adjustment, () -> child.oomScoreAdjust(adjustment));
    }

    private void schedule(HeldChild child) {
        SchedulingSettings wanted = settings.scheduling();
        wanted.cpuPolicy()
                .ifPresent(policy ->
                        orWarn(
                                "CPUSchedulingPolicy=" + policy.name().toLowerCase(Locale.ROOT),
                                () ->
                                        child.scheduler(
                                                policy,
                                                wanted.cpuPriority(),
                                                wanted.resetOnFork())));
        wanted.ioClass()
                .ifPresent(kind ->
                        orWarn(
                                "IOSchedulingClass=" + kind.name().toLowerCase(Locale.ROOT),
                                () -> child.ioPriority(kind, wanted.ioPriority())));
    }

    private void orWarn(String setting, Runnable action) {
        try {
            action.run();
        } catch (ErrnoException e) {
            if (e.errno() != Errno.EACCES && e.errno() != Errno.EPERM) {
                throw e;
            }
            warnings.once(setting, setting + " cannot be set: permission denied");
        }
    }
}
