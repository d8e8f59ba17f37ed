package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.calendar.CalendarSpec;
import io.holdfast.manager.unit.calendar.LocalZone;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import io.holdfast.manager.unit.value.TimeSpan;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** A timer: when it elapses, and the unit that it starts then, after systemd.timer(5). */
public record TimerUnit(UnitParts parts, Section timer) implements Unit {
    private static final UnitName TIMERS = UnitName.of("timers.target");
    private static final UnitName TIME_SYNC = UnitName.of("time-sync.target");
    private static final UnitName TIME_SET = UnitName.of("time-set.target");

    /** The moment that a time span of a timer counts from. */
    public enum Base {
        /** When the timer became active. */
        ACTIVE("OnActiveSec"),
        /** When the machine booted. */
        BOOT("OnBootSec"),
        /** When the manager started. */
        STARTUP("OnStartupSec"),
        /** When the triggered unit was last activated. */
        UNIT_ACTIVE("OnUnitActiveSec"),
        /** When the triggered unit last became inactive. */
        UNIT_INACTIVE("OnUnitInactiveSec");

        private final String directive;

        Base(String directive) {
            this.directive = directive;
        }

        public String directive() {
            return directive;
        }

        /** Returns the name of its D-Bus property. */
        public String property() {
            return directive.replace("Sec", "USec");
        }

        /** Returns whether it depends on the triggered unit, and so comes again. */
        public boolean ofTriggered() {
            return this == UNIT_ACTIVE || this == UNIT_INACTIVE;
        }
    }

    /** One line by which a timer elapses. */
    public sealed interface Trigger {
        /** A calendar expression, which elapses again and again. */
        record Calendar(CalendarSpec spec) implements Trigger {}

        /** A time span after an event. */
        record After(Base base, TimeSpan span) implements Trigger {}
    }

    /**
     * The {@code [Timer]} section.
     *
     * @param triggers in the order of the lines
     * @param randomizedDelay the greatest delay that is drawn anew for each elapse
     * @param randomizedOffset the greatest delay that stays the same, for calendar expressions
     * @param persistent whether a calendar expression that elapsed while the timer was inactive
     *     elapses at its start
     */
    public record Section(
            List<Trigger> triggers,
            UnitName unit,
            TimeSpan accuracy,
            TimeSpan randomizedDelay,
            boolean fixedRandomDelay,
            TimeSpan randomizedOffset,
            boolean onClockChange,
            boolean onTimezoneChange,
            boolean persistent,
            boolean wakeSystem,
            boolean remainAfterElapse,
            boolean deferReactivation) {
        public Section {
            triggers = List.copyOf(triggers);
        }

        /** Returns whether it depends on the calendar. */
        public boolean hasCalendar() {
            return triggers.stream().anyMatch(one -> one instanceof Trigger.Calendar);
        }
    }

    private static final class Reader implements SectionReader {
        private final List<Trigger> triggers = new ArrayList<>();
        private final TriggeredUnit unit = new TriggeredUnit(UnitType.TIMER);
        private TimeSpan accuracy;
        private TimeSpan randomizedDelay = TimeSpan.ZERO;
        private boolean fixedRandomDelay;
        private TimeSpan randomizedOffset = TimeSpan.ZERO;
        private boolean onClockChange;
        private boolean onTimezoneChange;
        private boolean persistent;
        private boolean wakeSystem;
        private boolean remainAfterElapse = true;
        private boolean deferReactivation;

        /**
         * @param accuracy of a timer without {@code AccuracySec=}
         */
        Reader(TimeSpan accuracy) {
            this.accuracy = accuracy;
        }

        @Override
        public boolean assign(Assignment a) {
            switch (a.key()) {
                case "OnCalendar" ->
                        trigger(
                                a,
                                text ->
                                        new Trigger.Calendar(
                                                CalendarSpec.parse(text, LocalZone.read())));
                case "OnActiveSec" -> after(a, Base.ACTIVE);
                case "OnBootSec" -> after(a, Base.BOOT);
                case "OnStartupSec" -> after(a, Base.STARTUP);
                case "OnUnitActiveSec" -> after(a, Base.UNIT_ACTIVE);
                case "OnUnitInactiveSec" -> after(a, Base.UNIT_INACTIVE);
                case "Unit" -> unit.assign(a);
                case "AccuracySec" -> accuracy = a.span(accuracy);
                case "RandomizedDelaySec" -> randomizedDelay = a.span(randomizedDelay);
                case "RandomizedOffsetSec" -> randomizedOffset = a.span(randomizedOffset);
                case "FixedRandomDelay" -> fixedRandomDelay = a.bool(fixedRandomDelay);
                case "OnClockChange" -> onClockChange = a.bool(onClockChange);
                case "OnTimezoneChange" -> onTimezoneChange = a.bool(onTimezoneChange);
                case "Persistent" -> persistent = a.bool(persistent);
                case "WakeSystem" -> wakeSystem = a.bool(wakeSystem);
                case "RemainAfterElapse" -> remainAfterElapse = a.bool(remainAfterElapse);
                case "DeferReactivation" -> deferReactivation = a.bool(deferReactivation);
                default -> {
                    return false;
                }
            }
            return true;
        }

        private void after(Assignment a, Base base) {
            trigger(a, text -> new Trigger.After(base, TimeSpan.parse(text)));
        }

        /** As in systemd, an empty assignment removes the triggers of every kind. */
        private void trigger(Assignment a, Function<String, ? extends Trigger> parser) {
            if (a.isEmpty()) {
                triggers.clear();
            } else {
                a.optional(Optional.<Trigger>empty(), parser).ifPresent(triggers::add);
            }
        }

        Section build(UnitName name) {
            return new Section(
                    triggers,
                    unit.of(name),
                    accuracy,
                    randomizedDelay,
                    fixedRandomDelay,
                    randomizedOffset,
                    onClockChange,
                    onTimezoneChange,
                    persistent,
                    wakeSystem,
                    remainAfterElapse,
                    deferReactivation);
        }
    }

    static UnitFormat.OwnSection begin(
            UnitName name, UnitSection.Reader unit, ManagerScope scope, ManagerDefaults defaults) {
        Reader reader = new Reader(defaults.timerAccuracy());
        return new UnitFormat.OwnSection(
                List.of(reader),
                draft -> {
                    Section section = reader.build(draft.source().name());
                    boolean elapses =
                            !section.triggers().isEmpty()
                                    || section.onClockChange()
                                    || section.onTimezoneChange();
                    if (draft.isWhole() && !elapses) {
                        draft.refuse("the timer has neither OnCalendar= nor another On…=");
                    }
                    draft.refuseTemplate();
                    return new TimerUnit(draft.parts(), section);
                });
    }

    @Override
    public TimerUnit with(UnitParts other) {
        return new TimerUnit(other, timer);
    }

    @Override
    public Optional<UnitName> triggered() {
        return Optional.of(timer.unit());
    }

    /** Returns the file whose time is that of the last elapse of a persistent timer. */
    public Path stamp(ManagerScope scope) {
        String folder = scope.user() ? scope.sharedDataDirectory() : scope.stateDirectory();
        return Path.of(folder, "systemd", "timers", "stamp-" + name());
    }

    @Override
    public void imply(ManagerScope scope, Dependencies.Builder implied) {
        implied.add(Dependency.BEFORE, timer.unit());
        if (unit().defaultDependencies()) {
            implied.add(Dependency.BEFORE, TIMERS);
            if (!scope.user()) {
                ImpliedDependencies.needs(implied, ImpliedDependencies.SYSINIT);
                if (timer.hasCalendar()) {
                    implied.add(Dependency.AFTER, TIME_SYNC);
                    implied.add(Dependency.AFTER, TIME_SET);
                }
            }
        }
    }
}
