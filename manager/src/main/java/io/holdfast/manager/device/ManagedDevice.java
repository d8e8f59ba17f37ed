package io.holdfast.manager.device;

import io.holdfast.core.state.Fields;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.loop.TableWatch;
import io.holdfast.manager.loop.TimeLimit;
import io.holdfast.manager.runtime.JobWaiters;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitEscape;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.section.DeviceUnit;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.view.DeviceStatus;
import io.holdfast.manager.view.UnitStatus;
import io.holdfast.manager.view.UnitTimes;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A device at run time, after systemd.device(5): it is active while it is plugged, whoever wants
 * it. A start waits for it; how long, its job limits. Used on the event loop.
 */
public final class ManagedDevice implements ManagedUnit, TableWatch.Listener {
    /** How often it is looked for while a start waits: messages may not reach a container. */
    private static final Duration INTERVAL = Duration.ofSeconds(1);

    private final ManagerContext context;
    private final DeviceTable table;
    private final String path;
    private final TimeLimit next;
    private final JobWaiters starts = new JobWaiters();
    private Unit unit;
    private boolean plugged;
    private boolean known; // whether the table was read with it
    private UnitTimes times = UnitTimes.NEVER;

    /**
     * @param table shared by all devices of the manager
     */
    public ManagedDevice(ManagerContext context, Unit unit, DeviceTable table) {
        this.context = context;
        this.unit = unit;
        this.table = table;
        this.path = ((DeviceUnit) unit).path();
        this.next = new TimeLimit(context.loop());
        table.add(path, this);
    }

    @Override
    public Unit unit() {
        return unit;
    }

    @Override
    public void reloaded(Unit newer) {
        unit = newer;
    }

    @Override
    public ActiveState activeState() {
        return plugged ? ActiveState.ACTIVE : ActiveState.INACTIVE;
    }

    @Override
    public void tableRead() {
        boolean isThere = table.at(path).isPresent();
        if (isThere != plugged) {
            ActiveState before = activeState();
            plugged = isThere;
            times = times.withTransition(before, activeState());
            context.events().changed(unit.name());
            if (!isThere) {
                context.info(unit.name(), "is unplugged");
                context.events().settled(unit.name(), activeState());
            } else if (known) { // otherwise it was there before
                startWanted();
            }
        }
        known = true;
        if (plugged) {
            next.lift();
            starts.answer(JobResult.DONE);
        }
    }

    /** Starts the units that udev's rules want with the device. */
    private void startWanted() {
        String property = context.scope().user() ? "SYSTEMD_USER_WANTS" : "SYSTEMD_WANTS";
        List<String> wanted =
                table.at(path).map(device -> device.words(property)).orElse(List.of());
        String instance =
                UnitEscape.escapePath(table.at(path).map(UdevDatabase.Device::path).orElse(path));
        for (String word : wanted) {
            UnitName.parse(word.replace("@.", "@" + instance + "."))
                    .ifPresent(name ->
                            context.events()
                                    .activation()
                                    .start(unit.name(), name, Map.of(), _ -> {}));
        }
    }

    @Override
    public void start(Consumer<JobResult> done) {
        if (plugged) {
            done.accept(JobResult.DONE);
        } else {
            starts.add(done);
            look();
        }
    }

    private void look() {
        table.watch.refresh(() -> {
            if (context.events().jobOf(unit.name()).isEmpty()) {
                starts.answer(JobResult.CANCELED); // its job has ended, being late
            } else if (!plugged && !starts.isEmpty()) {
                next.set(INTERVAL, this::look);
            }
        });
    }

    @Override
    public void withdrawStart() {
        next.lift();
    }

    /** Ends the starts that wait: a device is unplugged by others only. */
    @Override
    public void stop(Consumer<JobResult> done) {
        next.lift();
        starts.answer(JobResult.CANCELED);
        done.accept(JobResult.DONE);
    }

    @Override
    public boolean isKept() {
        return !starts.isEmpty();
    }

    @Override
    public void unloaded() {
        next.lift();
        table.remove(path, this);
    }

    @Override
    public void abandon() {
        unloaded();
    }

    @Override
    public UnitTimes times() {
        return times;
    }

    @Override
    public UnitStatus status() {
        return UnitStatus.of(unit, activeState(), plugged ? "plugged" : "dead");
    }

    @Override
    public Optional<DeviceStatus> details() {
        return Optional.of(
                new DeviceStatus(table.at(path).map(UdevDatabase.Device::path).orElse("")));
    }

    @Override
    public Optional<Fields> record() {
        return plugged
                ? Optional.of(new Fields().put("times", times.toString()))
                : Optional.empty();
    }

    @Override
    public Runnable restore(Fields record) {
        plugged = true;
        times = UnitTimes.parse(record.text("times"));
        return () -> {};
    }
}
