package io.holdfast.manager.job;

import io.holdfast.manager.job.JobRefusedException.Reason;
import io.holdfast.manager.unit.ActiveState;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Adds to a transaction the jobs that its jobs pull in by the dependencies of their units.
 *
 * <p>A job that is refused fails the job that requires it, which fails the job before it, up to the
 * first job that only wants the job that it pulled in. The search is therefore depth first, with an
 * explicit stack: a chain of dependencies may be longer than the thread's stack allows.
 */
final class PulledIn {
    /** A job that another job pulls in. */
    private record Pull(
            JobUnit unit, JobType type, boolean matters, boolean conflicts, boolean isRequired) {
        static Pull required(JobUnit unit, JobType type) {
            return new Pull(unit, type, true, false, true);
        }

        static Pull optional(JobUnit unit, JobType type) {
            return new Pull(unit, type, false, false, false);
        }
    }

    /**
     * A job whose dependencies are being added.
     *
     * @param because the pull that added it; null for the first
     */
    private record Step(Draft job, @Nullable Pull because, Iterator<Pull> left) {}

    private final Transaction transaction;
    private final Consumer<String> notes;

    /** The jobs whose {@code PropagatesStopTo=} was followed. */
    private final Set<Draft> propagated = new HashSet<>();

    PulledIn(Transaction transaction, Consumer<String> notes) {
        this.transaction = transaction;
        this.notes = notes;
    }

    /**
     * Checks that a unit can have such a job at all.
     *
     * @throws JobRefusedException if it cannot
     */
    static void requirePossible(JobUnit unit, JobType type) {
        if (type != JobType.STOP) {
            unit.problem(type)
                    .ifPresent(problem -> {
                        throw problem;
                    });
        }
        if (!unit.isApplicable(type)) {
            throw new JobRefusedException(
                    Reason.NOT_APPLICABLE,
                    "Job type " + type.word() + " is not applicable for unit " + unit.name() + ".");
        }
    }

    /**
     * Adds everything that a job pulls in.
     *
     * @throws JobRefusedException if a required job is refused
     */
    void by(Draft job) {
        run(new Step(job, null, pulls(job).iterator()));
        propagateStops();
    }

    /**
     * Adds a stop that a job pulls in, and everything that the stop pulls in. After the last one,
     * {@link #propagateStops} follows.
     *
     * @throws JobRefusedException if it is refused
     */
    void stop(Draft by, JobUnit unit) {
        Pull pull = Pull.required(unit, JobType.STOP);
        run(new Step(by, null, List.of(pull).iterator()));
    }

    private void run(Step first) {
        Deque<Step> path = new ArrayDeque<>(List.of(first));
        while (!path.isEmpty()) {
            Step step = path.peekLast();
            if (!step.left.hasNext()) {
                path.removeLast();
                continue;
            }
            Pull pull = step.left.next();
            try {
                Draft added = add(step.job, pull);
                if (added != null) {
                    path.addLast(new Step(added, pull, pulls(added).iterator()));
                }
            } catch (JobRefusedException e) {
                fail(path, pull, e);
            }
        }
    }

    /** Drops the jobs that require the failed one, up to the first that does not. */
    private void fail(Deque<Step> path, Pull first, JobRefusedException failure) {
        Pull failed = first;
        while (failed.isRequired && failure.reason() != Reason.NOT_APPLICABLE) {
            Step step = path.removeLast();
            if (step.because == null) {
                throw failure;
            }
            transaction.delete(step.job);
            failed = step.because;
        }
        if (isWorthANote(failure.reason())) {
            notes.accept(
                    "%s of %s is left out: %s"
                            .formatted(
                                    failed.type.word(), failed.unit.name(), failure.getMessage()));
        }
    }

    /** A wanted unit that does not exist is not worth a warning. */
    private static boolean isWorthANote(Reason reason) {
        return reason != Reason.NO_SUCH_UNIT
                && reason != Reason.MASKED
                && reason != Reason.NOT_APPLICABLE;
    }

    /**
     * Adds the pulled-in job, unless the unit already has one of that type.
     *
     * @return the job, if it is new
     */
    private @Nullable Draft add(Draft by, Pull pull) {
        requirePossible(pull.unit, pull.type);
        for (Draft known : transaction.of(pull.unit)) {
            if (known.type() == pull.type) {
                link(by, known, pull);
                return null;
            }
        }
        Draft job = new Draft(pull.unit, pull.type);
        transaction.add(job);
        link(by, job, pull);
        return job;
    }

    private static void link(Draft by, Draft pulled, Pull pull) {
        if (by.ignoresOrder()) {
            pulled.ignoreOrder();
        }
        Draft.link(by, pulled, pull.matters, pull.conflicts);
    }

    private List<Pull> pulls(Draft job) {
        List<Pull> pulls = new ArrayList<>();
        JobUnit unit = job.unit();
        JobType type = job.type();
        if (type == JobType.START || type == JobType.RESTART) {
            unit.related(Relation.REQUIRES_START)
                    .forEach(other -> pulls.add(Pull.required(other, JobType.START)));
            unit.related(Relation.WANTS_START)
                    .forEach(other -> pulls.add(Pull.optional(other, JobType.START)));
            unit.related(Relation.REQUIRES_ACTIVE)
                    .forEach(other -> pulls.add(Pull.required(other, JobType.VERIFY_ACTIVE)));
            unit.related(Relation.CONFLICTS_WITH)
                    .forEach(other -> pulls.add(new Pull(other, JobType.STOP, true, true, true)));
            unit.related(Relation.CONFLICTED_BY)
                    .forEach(other -> pulls.add(Pull.optional(other, JobType.STOP)));
        }
        boolean restartsOthers =
                type == JobType.RESTART
                        || (transaction.mode() == JobMode.RESTART_DEPENDENCIES
                                && job == transaction.anchor());
        if (restartsOthers) {
            for (JobUnit other : unit.related(Relation.RESTARTED_WITH)) {
                JobType again = JobType.TRY_RESTART.collapse(other.activeState());
                if (again != JobType.NOP) {
                    pulls.add(Pull.required(other, again));
                }
            }
        }
        if (type == JobType.STOP) {
            unit.related(Relation.STOPPED_WITH)
                    .forEach(other -> pulls.add(Pull.required(other, JobType.STOP)));
        }
        if (type == JobType.RELOAD) {
            for (JobUnit other : unit.related(Relation.RELOAD_PROPAGATES_TO)) {
                JobType too = JobType.TRY_RELOAD.collapse(other.activeState());
                if (too != JobType.NOP) {
                    pulls.add(Pull.optional(other, too));
                }
            }
        }
        return pulls;
    }

    /**
     * Adds the stops of {@code PropagatesStopTo=}, after everything else is known: a unit that the
     * request starts or restarts anyway is restarted instead.
     *
     * @throws JobRefusedException if one is refused; a further call goes on with the next
     */
    void propagateStops() {
        boolean grown = true;
        while (grown) {
            grown = false;
            for (Draft job : transaction.jobs()) {
                if (job.type().isStopping() && propagated.add(job)) {
                    for (JobUnit other : job.unit().related(Relation.STOP_PROPAGATES_TO)) {
                        grown = true;
                        run(new Step(job, null, List.of(propagated(other)).iterator()));
                    }
                }
            }
        }
    }

    private Pull propagated(JobUnit unit) {
        boolean isStarted =
                transaction.of(unit).stream()
                        .anyMatch(job ->
                                job.type() == JobType.START || job.type() == JobType.RESTART);
        ActiveState state = unit.activeState();
        JobType again = JobType.TRY_RESTART.collapse(state);
        return Pull.required(unit, isStarted && again != JobType.NOP ? again : JobType.STOP);
    }
}
