package io.holdfast.manager.systemd1.property;

import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.systemd1.property.UnitProperties.Subject;
import io.holdfast.manager.unit.section.TimerUnit;
import io.holdfast.manager.unit.section.TimerUnit.Trigger;
import io.holdfast.manager.view.TimerStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.ToLongFunction;

/** The properties of {@code org.freedesktop.systemd1.Timer}. */
final class TimerProperties {
    /** A timer with its subject. */
    record Timer(Subject subject, TimerUnit unit) {
        static Timer of(Subject subject) {
            return new Timer(subject, (TimerUnit) subject.view().unit());
        }

        TimerUnit.Section section() {
            return unit.timer();
        }

        Optional<TimerStatus> status() {
            return subject.view().details(TimerStatus.class);
        }

        long time(ToLongFunction<TimerStatus> of) {
            return status().map(of::applyAsLong).orElse(0L);
        }

        DualTimestamp last() {
            return status().map(TimerStatus::last).orElse(DualTimestamp.NEVER);
        }

        long next(int line) {
            List<Long> each = status().map(TimerStatus::nextOfEach).orElse(List.of());
            return line < each.size() ? each.get(line) : 0;
        }
    }

    static final PropertyTable<Timer> TABLE = table();

    private TimerProperties() {}

    private static PropertyTable<Timer> table() {
        PropertyTable<Timer> table = new PropertyTable<>();
        addLife(table);
        addSettings(table);
        return table;
    }

    private static void addLife(PropertyTable<Timer> table) {
        table.changing("Result", "s", timer -> timer.subject.view().status().result())
                .changing(
                        "NextElapseUSecRealtime",
                        "t",
                        timer -> timer.time(TimerStatus::nextRealtime))
                .changing(
                        "NextElapseUSecMonotonic",
                        "t",
                        timer -> timer.time(TimerStatus::nextMonotonic))
                .changing("LastTriggerUSec", "t", timer -> timer.last().realtime())
                .changing("LastTriggerUSecMonotonic", "t", timer -> timer.last().monotonic())
                .changing("TimersMonotonic", "a(stt)", TimerProperties::monotonic)
                .changing("TimersCalendar", "a(sst)", TimerProperties::calendar);
    }

    private static void addSettings(PropertyTable<Timer> table) {
        table.fixed("Unit", "s", timer -> timer.section().unit().text())
                .fixed("OnClockChange", "b", timer -> timer.section().onClockChange())
                .fixed("OnTimezoneChange", "b", timer -> timer.section().onTimezoneChange())
                .fixed("AccuracyUSec", "t", timer -> Micros.of(timer.section().accuracy()))
                .fixed(
                        "RandomizedDelayUSec",
                        "t",
                        timer -> Micros.of(timer.section().randomizedDelay()))
                .fixed(
                        "RandomizedOffsetUSec",
                        "t",
                        timer -> Micros.of(timer.section().randomizedOffset()))
                .fixed("FixedRandomDelay", "b", timer -> timer.section().fixedRandomDelay())
                .fixed("Persistent", "b", timer -> timer.section().persistent())
                .fixed("WakeSystem", "b", timer -> timer.section().wakeSystem())
                .fixed("RemainAfterElapse", "b", timer -> timer.section().remainAfterElapse())
                .fixed("DeferReactivation", "b", timer -> timer.section().deferReactivation());
    }

    /** Returns the lines with a time span, the last one first, as systemd does. */
    private static List<?> monotonic(Timer timer) {
        List<Object> lines = new ArrayList<>();
        List<Trigger> triggers = timer.section().triggers();
        for (int i = triggers.size() - 1; i >= 0; i--) {
            if (triggers.get(i) instanceof Trigger.After(var base, var span)) {
                lines.add(List.of(base.property(), Micros.of(span), timer.next(i)));
            }
        }
        return lines;
    }

    private static List<?> calendar(Timer timer) {
        List<Object> lines = new ArrayList<>();
        List<Trigger> triggers = timer.section().triggers();
        for (int i = triggers.size() - 1; i >= 0; i--) {
            if (triggers.get(i) instanceof Trigger.Calendar(var spec)) {
                lines.add(List.of("OnCalendar", spec.toString(), timer.next(i)));
            }
        }
        return lines;
    }
}
