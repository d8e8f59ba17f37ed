package io.holdfast.manager.runtime;

import io.holdfast.manager.job.JobRefusedException;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.JobUnit;
import io.holdfast.manager.job.Relation;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitName;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.SequencedCollection;
import java.util.function.Consumer;

/** A unit that another requires and that does not exist: every job of it is refused. */
record MissingUnit(UnitName name) implements JobUnit {
    @Override
    public ActiveState activeState() {
        return ActiveState.INACTIVE;
    }

    @Override
    public Optional<JobRefusedException> problem(JobType type) {
        return Optional.of(LoadedUnit.notFound(name, Optional.empty()));
    }

    @Override
    public boolean isApplicable(JobType type) {
        return true;
    }

    @Override
    public SequencedCollection<JobUnit> related(Relation relation) {
        return List.of();
    }

    @Override
    public Collection<JobUnit> loaded() {
        return List.of();
    }

    @Override
    public Collection<JobUnit> triggeredBy() {
        return List.of();
    }

    @Override
    public boolean allowsIsolate() {
        return false;
    }

    @Override
    public boolean ignoresIsolate() {
        return false;
    }

    @Override
    public Optional<Duration> jobTimeout() {
        return Optional.empty();
    }

    @Override
    public Optional<Duration> jobRunningTimeout() {
        return Optional.empty();
    }

    @Override
    public boolean isReadyFor(JobType type) {
        return false;
    }

    @Override
    public void begin(JobType type, Consumer<JobResult> done) {
        done.accept(JobResult.INVALID);
    }
}
