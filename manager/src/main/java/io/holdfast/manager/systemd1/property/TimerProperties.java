package io.holdfast.manager.systemd1.property;

import static io.holdfast.manager.systemd1.property.SettableProperty.time;

import io.holdfast.dbus.wire.Struct;
import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.systemd1.format.Errors;
import io.holdfast.manager.systemd1.format.Micros;
import io.holdfast.manager.systemd1.property.UnitProperties.Subject;
import io.holdfast.manager.unit.section.TimerUnit;
import io.holdfast.manager.unit.section.TimerUnit.Base;
import io.holdfast.manager.unit.section.TimerUnit.Trigger;
import io.holdfast.manager.view.TimerStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/** The properties of {@code org.freedesktop.systemd1.Timer}. */
final class TimerProperties {
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
        table.settable("TimersMonotonic", new SettableProperty("a(st)", TimerProperties::spans))
                .settable("TimersCalendar", new SettableProperty("a(ss)", TimerProperties::dates))
                .settable("Unit", SettableProperty.unit("Unit"), t -> t.section().unit().text())
                .settable(
                        "AccuracyUSec", time("AccuracySec"), t -> Micros.of(t.section().accuracy()))
                .settable(
                        "RandomizedDelayUSec",
                        time("RandomizedDelaySec"),
                        t -> Micros.of(t.section().randomizedDelay()))
                .settable(
                        "RandomizedOffsetUSec",
                        time("RandomizedOffsetSec"),
                        t -> Micros.of(t.section().randomizedOffset()));
        flag(table, "OnClockChange", TimerUnit.Section::onClockChange);
        flag(table, "OnTimezoneChange", TimerUnit.Section::onTimezoneChange);
        flag(table, "FixedRandomDelay", TimerUnit.Section::fixedRandomDelay);
        flag(table, "Persistent", TimerUnit.Section::persistent);
        flag(table, "WakeSystem", TimerUnit.Section::wakeSystem);
        flag(table, "RemainAfterElapse", TimerUnit.Section::remainAfterElapse);
        flag(table, "DeferReactivation", TimerUnit.Section::deferReactivation);
    }

    private static void flag(
            PropertyTable<Timer> table, String name, Predicate<TimerUnit.Section> value) {
        table.settable(name, SettableProperty.bool(name), t -> value.test(t.section()));
    }

    private static void spans(UnitDescription unit, String section, Object value) {
        SettableProperty.reset(unit, section, "OnActiveSec", value);
        for (Object each : (List<?>) value) {
            Struct one = (Struct) each;
            String directive = ((String) one.get(0)).replace("USec", "Sec");
            if (Stream.of(Base.values()).noneMatch(base -> base.directive().equals(directive))) {
                throw Errors.invalid("Invalid timer base: " + one.get(0));
            }
            time(directive).set().set(unit, section, one.get(1));
        }
    }

    private static void dates(UnitDescription unit, String section, Object value) {
        SettableProperty.reset(unit, section, "OnCalendar", value);
        for (Object each : (List<?>) value) {
            Struct one = (Struct) each;
            if (!one.get(0).equals("OnCalendar")) {
                throw Errors.invalid("Invalid timer base: " + one.get(0));
            }
            unit.literal(section, "OnCalendar", (String) one.get(1));
        }
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
