package io.holdfast.manager.timer;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Registration;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.TriggeringUnit;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.host.Virtualization;
import io.holdfast.manager.unit.section.TimerUnit;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.value.TimeSpan;
import io.holdfast.manager.view.TimerStatus;
import io.holdfast.manager.view.UnitTimes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * A timer at run time, after systemd.timer(5): waits for the next elapse of its {@link
 * TimerSchedule}, and then starts its unit. The elapse of a persistent timer is kept as the time of
 * a stamp file. Used on the event loop; files are read and written by its lane.
 */
public final class ManagedTimer extends TriggeringUnit implements TimerClocks.Changes {
    private final TimerClocks clocks;
    private final List<Registration> waits = new ArrayList<>();
    private DualTimestamp last = DualTimestamp.NEVER;
    private UnitTimes triggeredTimes = UnitTimes.NEVER;
    private Set<Integer> spent = Set.of();
    private long nextRealtime;
    private long nextMonotonic;
    private List<Long> nextOfEach = List.of();
    private boolean cannotWake; // was logged

    public ManagedTimer(ManagerContext context, Unit unit, TimerClocks clocks) {
        super(context, unit);
        this.clocks = clocks;
    }

    private TimerUnit.Section section() {
        return ((TimerUnit) unit()).timer();
    }

    // ---- start

    @Override
    protected void begin(Consumer<JobResult> done) {
        last = DualTimestamp.NEVER;
        spent = spent.stream().filter(line -> !isSinceStart(line)).collect(Collectors.toSet());
        cannotWake = false;
        Path stamp = ((TimerUnit) unit()).stamp(context.scope());
        boolean persistent = section().persistent();
        UnitName other = triggered();
        Work<OptionalLong> _ =
                lane.work(
                                "the reading of its stamp",
                                () -> {
                                    if (!context.events().activation().isThere(other)) {
                                        return OptionalLong.empty();
                                    }
                                    return OptionalLong.of(persistent ? readStamp(stamp) : 0);
                                })
                        .within(ManagerLimits.READ_TIMEOUT.duration())
                        .begin((found, error) -> {
                            if (found == null) {
                                context.warn(
                                        name(),
                                        "cannot read its stamp file, elapses as if it had not"
                                                + " elapsed before: "
                                                + Work.reason(error));
                            } else if (found.isEmpty()) {
                                refuse(done, "Unit=" + other + ": there is no such unit");
                                return;
                            } else if (found.getAsLong() != 0) {
                                long now = clocks.now().realtime();
                                last = new DualTimestamp(Math.min(found.getAsLong(), now), 0);
                            }
                            up(done);
                        });
    }

    /** Returns whether a line counts from the start of the timer: only those elapse again. */
    private boolean isSinceStart(int line) {
        return section().triggers().get(line) instanceof TimerUnit.Trigger.After(var base, _)
                && base == TimerUnit.Base.ACTIVE;
    }

    /** Returns the time of the stamp file; 0 if this makes it. Blocking. */
    private static long readStamp(Path stamp) throws IOException {
        try {
            return Files.getLastModifiedTime(stamp).to(TimeUnit.MICROSECONDS);
        } catch (NoSuchFileException e) {
            Files.createDirectories(stamp.getParent());
            Files.createFile(stamp);
            return 0;
        }
    }

    private void writeStamp() {
        Path stamp = ((TimerUnit) unit()).stamp(context.scope());
        FileTime time = FileTime.from(last.realtime(), TimeUnit.MICROSECONDS);
        Work<Path> _ =
                lane.work(
                                "the writing of its stamp",
                                () -> {
                                    if (!Files.exists(stamp)) {
                                        Files.createDirectories(stamp.getParent());
                                        Files.createFile(stamp);
                                    }
                                    return Files.setLastModifiedTime(stamp, time);
                                })
                        .begin((_, error) -> {
                            if (error != null) {
                                context.warn(
                                        name(),
                                        "cannot write its stamp file: " + Work.reason(error));
                            }
                        });
    }

    // ---- waiting

    @Override
    protected void await() {
        await(false);
    }

    private void await(boolean clockSet) {
        ignore();
        UnitTimes known = context.events().activation().timesOf(triggered());
        triggeredTimes = known.equals(UnitTimes.NEVER) ? triggeredTimes : known;
        TimerSchedule schedule = TimerSchedule.of(section(), facts(clockSet), spent);
        spent = schedule.spent();
        nextOfEach = schedule.each();
        boolean listens = section().onClockChange() || section().onTimezoneChange();
        if (schedule.realtime().isEmpty() && schedule.monotonic().isEmpty() && !listens) {
            nextRealtime = 0;
            nextMonotonic = 0;
            if (section().remainAfterElapse() || schedule.mayReturn()) {
                enter(State.ELAPSED);
            } else {
                enter(State.ELAPSED); // even a start that does not wait was a start
                end();
            }
            return;
        }
        nextRealtime = schedule.realtime().isPresent() ? delayed(schedule.realtime()) : 0;
        nextMonotonic = schedule.monotonic().isPresent() ? delayed(schedule.monotonic()) : 0;
        enter(State.WAITING);
        try {
            wake();
        } catch (ErrnoException e) {
            fail(Result.RESOURCES, "cannot wait for its time: " + e.getMessage());
        }
    }

    private void wake() {
        if (section().hasCalendar() || section().onClockChange() || section().onTimezoneChange()) {
            waits.add(clocks.onChange(this));
        }
        long room = section().accuracy().micros();
        long shift = Integer.toUnsignedLong(context.host().bootId().hashCode());
        if (nextRealtime != 0) {
            at(nextRealtime, room, shift, clocks::atRealtime);
        }
        if (nextMonotonic != 0) {
            at(nextMonotonic, room, shift, clocks::atMonotonic);
        }
    }

    /** Waits on one of the clocks. */
    private interface Clock {
        Registration at(long micros, boolean wake, Runnable task);
    }

    private void at(long earliest, long room, long shift, Clock clock) {
        long at = TimerSchedule.within(earliest, room, shift);
        if (section().wakeSystem()) {
            try {
                waits.add(clock.at(at, true, this::elapsed));
                return;
            } catch (ErrnoException e) {
                if (!cannotWake) {
                    cannotWake = true;
                    context.warn(
                            name(),
                            "WakeSystem=: cannot wake the machine, elapses once it is awake: "
                                    + e.getMessage());
                }
            }
        }
        waits.add(clock.at(at, false, this::elapsed));
    }

    private void elapsed() {
        if (state() == State.WAITING) {
            trigger("elapse", this::variables);
        }
    }

    @Override
    protected void ignore() {
        waits.forEach(Registration::cancel);
        waits.clear();
    }

    @Override
    protected void triggering() {
        last = clocks.now();
        nextRealtime = 0;
        nextMonotonic = 0;
        if (section().persistent()) {
            writeStamp();
        }
    }

    private Map<String, String> variables() {
        return Map.of(
                "TRIGGER_TIMER_REALTIME_USEC",
                Long.toString(last.realtime()),
                "TRIGGER_TIMER_MONOTONIC_USEC",
                Long.toString(last.monotonic()));
    }

    @Override
    protected void noteTriggered(ManagedUnit other) {
        triggeredTimes = other.times();
    }

    @Override
    public void reloaded(Unit newer) {
        if (!newer.equals(unit())) {
            spent = Set.of(); // the lines are others
        }
        super.reloaded(newer);
    }

    @Override
    public void clockSet() {
        if (state() != State.WAITING) {
            return;
        }
        long now = clocks.now().realtime();
        if (last.realtime() > now) { // the clock went back: let it elapse again
            last = new DualTimestamp(now, last.monotonic());
        }
        if (section().onClockChange()) {
            trigger("change of the clock", this::variables);
        } else {
            await(true);
        }
    }

    @Override
    public void zoneChanged() {
        if (state() != State.WAITING) {
            return;
        }
        if (section().onTimezoneChange()) {
            trigger("change of the time zone", this::variables);
        } else {
            await();
        }
    }

    private TimerSchedule.Facts facts(boolean clockSet) {
        boolean container = context.host().virtualization().kind() == Virtualization.Kind.CONTAINER;
        return new TimerSchedule.Facts(
                clocks.now(),
                last,
                times(),
                state().isUp(),
                triggeredTimes,
                container ? clocks.started().monotonic() : 0,
                clocks.started(),
                clocks.zone(),
                clockSet,
                fixedPart("offset", section().randomizedOffset()));
    }

    private long delayed(OptionalLong next) {
        TimeSpan most = section().randomizedDelay();
        if (most.micros() == 0) {
            return next.getAsLong();
        }
        long delay =
                section().fixedRandomDelay()
                        ? fixedPart("delay", most)
                        : ThreadLocalRandom.current().nextLong(most.micros());
        return Math.max(next.getAsLong(), next.getAsLong() + delay);
    }

    /** Returns a part of a span that is the same on this machine, for this unit, for ever. */
    private long fixedPart(String purpose, TimeSpan most) {
        if (most.micros() == 0) {
            return 0;
        }
        String key =
                String.join(
                        " ",
                        context.host().machineId(),
                        context.scope().account().name(),
                        name().text(),
                        purpose);
        long hash = 1125899906842597L;
        for (int i = 0; i < key.length(); i++) {
            hash = 31 * hash + key.charAt(i);
        }
        return Math.floorMod(hash, most.micros());
    }

    // ---- when the manager is killed, and status

    @Override
    protected void recordOwn(Fields fields) {
        fields.put("last", last.toString())
                .put("triggered", triggeredTimes.toString())
                .put("manager", clocks.started().toString());
    }

    @Override
    protected void restoreOwn(Fields record) {
        last = DualTimestamp.parse(record.text("last"));
        triggeredTimes = UnitTimes.parse(record.text("triggered"));
        clocks.startedAt(DualTimestamp.parse(record.text("manager")));
    }

    @Override
    public Optional<TimerStatus> details() {
        return Optional.of(
                new TimerStatus(
                        name(), triggered(), last, nextRealtime, nextMonotonic, nextOfEach));
    }
}
