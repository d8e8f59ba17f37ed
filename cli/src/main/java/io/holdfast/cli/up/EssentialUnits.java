package io.holdfast.cli.up;

import io.holdfast.cli.command.ExitCode;
import io.holdfast.core.process.Exit;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.runtime.UnitListener;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.view.UnitView;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The units for which a manager runs: it ends when one of the essential ones has ended, or when all
 * of the others have. A unit has ended when it is inactive or failed and is neither restarted nor
 * about to be started; a unit that somebody has stopped has not. Used on the manager's event loop.
 */
final class EssentialUnits implements UnitListener {
    /** Ends the manager. */
    interface End {
        /**
         * @param unit the reason
         * @param status of the manager
         */
        void end(UnitName unit, int status);
    }

    private final ManagerView manager;
    private final Set<UnitName> essential;
    private final Collection<UnitName> all;
    private final End end;
    private final Map<UnitName, Integer> statuses = new LinkedHashMap<>();
    private final Set<UnitName> stopped = new HashSet<>(); // on request
    private boolean isScheduled;
    private boolean isStarted;
    private boolean hasEnded;

    /**
     * @param essential the units of which each ends the manager
     * @param all the units that end the manager together; if it is empty, they do not
     */
    EssentialUnits(
            ManagerView manager, Set<UnitName> essential, Collection<UnitName> all, End end) {
        this.manager = manager;
        this.essential = essential;
        this.all = List.copyOf(all);
        this.end = end;
    }

    /**
     * Handles that the first start of the units is over.
     *
     * @param failed those that could not be started
     */
    void started(Collection<UnitName> failed) {
        failed.forEach(unit -> statuses.merge(unit, ExitCode.FAILURE, Math::max));
        isStarted = true;
        check();
    }

    @Override
    public void unitNew(UnitName unit) {}

    @Override
    public void unitChanged(UnitName unit) {
        note(unit);
        schedule();
    }

    @Override
    public void jobNew(UnitJob job) {}

    @Override
    public void jobRemoved(UnitJob job, JobResult result) {
        if (job.type() == JobType.STOP) {
            watched().stream().filter(name -> isNamed(name, job.unit())).forEach(stopped::add);
        }
        schedule();
    }

    /** Remembers how the last run of a unit ended: an inactive unit may be unloaded. */
    private void note(UnitName changed) {
        for (UnitName name : watched()) {
            if (isNamed(name, changed)) {
                manager.unit(name).ifPresent(view -> note(name, view));
            }
        }
    }

    private void note(UnitName name, UnitView view) {
        statuses.put(name, statusOf(view));
        if (view.status().activeState().isUp()) {
            stopped.remove(name);
        }
    }

    /** Returns whether a name is a unit's own or an alias of it. */
    private boolean isNamed(UnitName name, UnitName unit) {
        return name.equals(unit)
                || manager.unit(name).filter(view -> view.unit().name().equals(unit)).isPresent();
    }

    private Collection<UnitName> watched() {
        return all.isEmpty() ? essential : all;
    }

    private static int statusOf(UnitView view) {
        boolean isFailed = view.status().activeState() == ActiveState.FAILED;
        Optional<Exit> exit = view.status().mainExit();
        if (!isFailed) {
            return ExitCode.OK;
        }
        OptionalInt set = view.unit().unit().ends().failureStatus();
        if (set.isPresent()) {
            return set.getAsInt();
        }
        int status =
                exit.filter(each -> !(each instanceof Exit.Unknown))
                        .map(Exit::shellStatus)
                        .orElse(ExitCode.FAILURE);
        return status == 0 ? ExitCode.FAILURE : status;
    }

    private void schedule() {
        if (!isScheduled && isStarted && !hasEnded) {
            isScheduled = true;
            manager.loop()
                    .postEnding(() -> {
                        isScheduled = false;
                        check();
                    });
        }
    }

    private void check() {
        if (hasEnded || manager.isStopping()) {
            return;
        }
        Optional<UnitName> first = essential.stream().filter(this::hasEnded).findFirst();
        if (first.isPresent()) {
            end(first.get(), statuses.getOrDefault(first.get(), ExitCode.OK));
        } else if (!all.isEmpty() && all.stream().allMatch(this::hasEnded)) {
            UnitName reason =
                    statuses.entrySet().stream()
                            .filter(each -> each.getValue() != ExitCode.OK)
                            .map(Map.Entry::getKey)
                            .findFirst()
                            .orElse(List.copyOf(all).getLast());
            end(reason, statuses.getOrDefault(reason, ExitCode.OK));
        }
    }

    private boolean hasEnded(UnitName name) {
        return !stopped.contains(name) && isDown(name);
    }

    private boolean isDown(UnitName name) {
        return manager.unit(name)
                .map(view ->
                        (view.status().activeState() == ActiveState.INACTIVE
                                        || view.status().activeState() == ActiveState.FAILED)
                                && view.job().isEmpty())
                .orElse(true);
    }

    private void end(UnitName unit, int status) {
        hasEnded = true;
        end.end(unit, status);
    }
}
