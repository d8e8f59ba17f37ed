package io.holdfast.manager.runtime;

import io.holdfast.manager.job.JobRefusedException;
import io.holdfast.manager.job.JobRefusedException.Reason;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.JobUnit;
import io.holdfast.manager.job.Relation;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.UnitMarker;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.section.UnitSection.JobSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.SequencedCollection;
import java.util.Set;
import java.util.function.Consumer;

/** A unit of the table as its jobs see it. Used on the event loop. */
public final class LoadedUnit implements JobUnit {
    private final UnitTable table;
    private final ManagedUnit unit;
    private ActiveState lastState = ActiveState.INACTIVE;
    private RunPhase lastPhase = RunPhase.DOWN;
    private final Set<UnitMarker> markers = EnumSet.noneOf(UnitMarker.class);

    LoadedUnit(UnitTable table, ManagedUnit unit) {
        this.table = table;
        this.unit = unit;
    }

    public ManagedUnit unit() {
        return unit;
    }

    /**
     * Stores its active state, and returns the one stored before. A unit that enters another state
     * loses the markers that this ends.
     */
    public ActiveState exchangeState() {
        ActiveState before = lastState;
        lastState = unit.activeState();
        if (before != lastState) {
            boolean _ = markers.removeIf(marker -> marker.endsIn(lastState));
        }
        return before;
    }

    public Set<UnitMarker> markers() {
        return Collections.unmodifiableSet(markers);
    }

    public void mark(UnitMarker.Change change) {
        boolean _ = markers.removeAll(change.removed());
        boolean _ = markers.addAll(change.added());
    }

    /** Stores its phase, and returns whether it has changed. */
    public boolean exchangePhase() {
        RunPhase before = lastPhase;
        lastPhase = unit.phase();
        return before != lastPhase;
    }

    @Override
    public UnitName name() {
        return unit.unit().name();
    }

    @Override
    public ActiveState activeState() {
        return unit.activeState();
    }

    /** Returns whether the unit is inactive or failed. */
    public boolean isDown() {
        ActiveState state = activeState();
        return state == ActiveState.INACTIVE || state == ActiveState.FAILED;
    }

    /** Returns the definition that was last found in its files; its dependencies come from it. */
    public Unit lastDefinition() {
        return unit.lastDefinition();
    }

    /** Returns whether it has files, or had some when it was last up. */
    public boolean isFound() {
        return lastDefinition().source().state() != UnitSource.State.NOT_FOUND;
    }

    private UnitSource.State loadState() {
        return unit.newest().source().state();
    }

    // ---- capabilities

    @Override
    public Optional<JobRefusedException> problem(JobType type) {
        boolean stays =
                switch (type) {
                    case STOP -> true;
                    case RESTART -> false;
                    default -> unit.keepsRunningOnStart();
                };
        if (stays) {
            return Optional.empty();
        }
        Unit next = unit.newest();
        return switch (loadState()) {
            case NOT_FOUND -> Optional.of(notFound(name(), Optional.of(next)));
            case MASKED ->
                    Optional.of(
                            new JobRefusedException(
                                    Reason.MASKED,
                                    name(),
                                    "is masked.",
                                    "it is masked by "
                                            + next.source()
                                                    .fragment()
                                                    .map(Path::toString)
                                                    .orElse("a file")));
            case LOADED -> badSetting(next, type);
        };
    }

    /**
     * Checks that a unit was found, is not masked, and has usable files.
     *
     * @param read the result of looking for that name
     * @throws JobRefusedException if not
     */
    public static void requireUsable(UnitName name, Unit read) {
        switch (read.source().state()) {
            case NOT_FOUND -> throw notFound(name, Optional.of(read));
            case MASKED -> throw new JobRefusedException(Reason.MASKED, name, "is masked.");
            case LOADED -> {
                if (read.isRefused()) {
                    throw badSetting(read, "");
                }
            }
        }
    }

    /**
     * Makes the refusal for a unit that is not found.
     *
     * @param read the result of looking for that name, if it was looked for
     */
    public static JobRefusedException notFound(UnitName name, Optional<Unit> read) {
        Optional<Diagnostic> why = read.flatMap(unit -> unit.diagnostics().stream().findFirst());
        return new JobRefusedException(
                Reason.NO_SUCH_UNIT,
                name,
                "not found.",
                "there is no such unit" + why.map(each -> ": " + each).orElse(""));
    }

    private Optional<JobRefusedException> badSetting(Unit next, JobType type) {
        Optional<String> problem = Optional.empty();
        if (next.isRefused()) {
            problem = Optional.of(""); // the reason was logged when it was loaded
        } else if (type == JobType.RESTART && unit.activeState().isUp()) {
            problem = unit.unsupported(next);
        }
        return problem.map(detail -> badSetting(next, detail));
    }

    private static JobRefusedException badSetting(Unit next, String detail) {
        return next.unreadable()
                .map(why -> new JobRefusedException(Reason.UNREADABLE, next.name(), why, detail))
                .orElseGet(() ->
                        new JobRefusedException(
                                Reason.BAD_SETTING,
                                next.name(),
                                "has a bad unit file setting.",
                                detail));
    }

    @Override
    public boolean isApplicable(JobType type) {
        return switch (type) {
            case STOP -> !unit.isPerpetual();
            case RESTART, TRY_RESTART -> !unit.isPerpetual() && name().type().mayRestart();
            case RELOAD -> unit.unit().canReload();
            default -> true;
        };
    }

    @Override
    public boolean isReadyFor(JobType type) {
        return unit.isReadyFor(type);
    }

    // ---- its settings for jobs

    private JobSettings jobs() {
        return lastDefinition().unit().jobs();
    }

    @Override
    public boolean allowsIsolate() {
        return jobs().allowIsolate();
    }

    @Override
    public boolean ignoresIsolate() {
        return jobs().ignoreOnIsolate();
    }

    @Override
    public Optional<Duration> jobTimeout() {
        return jobs().timeout().duration();
    }

    @Override
    public Optional<Duration> jobRunningTimeout() {
        return jobs().runningTimeout().duration();
    }

    // ---- other units

    @Override
    public SequencedCollection<JobUnit> related(Relation relation) {
        LinkedHashSet<JobUnit> related = new LinkedHashSet<>();
        Unit own = lastDefinition();
        for (Dependency kind : relation.own()) {
            for (UnitName other : own.unit().dependencies().of(kind)) {
                LoadedUnit known = table.node(other);
                if (known != null
                        && (relation != Relation.REQUIRES_START
                                || known.mayBeRequired(own, other))) {
                    related.add(known);
                }
            }
        }
        for (Dependency kind : relation.others()) {
            table.dependants(kind, this).forEach(related::add);
        }
        related.remove(this);
        return related;
    }

    /** Returns whether its state matters to a unit that requires it by a name. */
    private boolean mayBeRequired(Unit by, UnitName name) {
        return activeState().isUp()
                || loadState() == UnitSource.State.LOADED
                || by.unit().requires(name);
    }

    @Override
    public Collection<LoadedUnit> loaded() {
        return table.nodes();
    }

    @Override
    public Collection<LoadedUnit> triggeredBy() {
        return table.triggering(this);
    }

    // ---- jobs

    @Override
    public void granted(JobType type) {
        if (type == JobType.STOP || type == JobType.RESTART) {
            unit.announceStop();
        }
    }

    @Override
    public void withdrawn(JobType type) {
        if (type == JobType.STOP || type == JobType.RESTART) {
            unit.withdrawStop();
        } else if (type == JobType.START) {
            unit.withdrawStart();
        }
    }

    @Override
    public void begin(JobType type, Consumer<JobResult> done) {
        switch (type) {
            case START -> unit.start(done);
            case STOP, RESTART -> unit.stop(done);
            case RELOAD -> unit.reload(done);
            default -> throw new IllegalArgumentException(type.word());
        }
    }

    @Override
    public String toString() {
        return name().text();
    }
}
