package io.holdfast.manager.unit.section;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.Tree;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.directive.DirectiveTable;
import io.holdfast.manager.unit.file.UnitFile;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.TimerUnit.Base;
import io.holdfast.manager.unit.section.TimerUnit.Trigger;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TimerUnitTest {
    private static TimerUnit timer(String lines) {
        UnitSource source =
                UnitSource.inMemory(
                        UnitName.of("x.timer"), UnitFile.parse("test", "[Timer]\n" + lines));
        return (TimerUnit) Tree.read(source);
    }

    @Test
    void aTimerIsReadWhole() {
        TimerUnit unit =
                timer(
                        """
                        OnActiveSec=1
                        OnBootSec=
                        OnCalendar=Mon 9:00
                        OnBootSec=2
                        OnStartupSec=3
                        OnUnitActiveSec=1h
                        OnUnitInactiveSec=5
                        AccuracySec=1s
                        RandomizedDelaySec=10
                        FixedRandomDelay=yes
                        RandomizedOffsetSec=20
                        OnClockChange=yes
                        OnTimezoneChange=yes
                        Persistent=yes
                        WakeSystem=yes
                        RemainAfterElapse=no
                        DeferReactivation=yes
                        Unit=y.target
                        """);
        assertThat(Tree.messages(unit)).isEmpty();
        TimerUnit.Section section = unit.timer();
        assertThat(section.triggers().getFirst())
                .isInstanceOfSatisfying(
                        Trigger.Calendar.class,
                        one -> assertThat(one.spec()).hasToString("Mon *-*-* 09:00:00"));
        assertThat(section.triggers().subList(1, 5))
                .containsExactly(
                        new Trigger.After(Base.BOOT, TimeSpan.seconds(2)),
                        new Trigger.After(Base.STARTUP, TimeSpan.seconds(3)),
                        new Trigger.After(Base.UNIT_ACTIVE, TimeSpan.seconds(3600)),
                        new Trigger.After(Base.UNIT_INACTIVE, TimeSpan.seconds(5)));
        assertThat(section.accuracy()).isEqualTo(TimeSpan.seconds(1));
        assertThat(section.randomizedDelay()).isEqualTo(TimeSpan.seconds(10));
        assertThat(section.randomizedOffset()).isEqualTo(TimeSpan.seconds(20));
        assertThat(section.remainAfterElapse()).isFalse();
        assertThat(section.persistent()).isTrue();
        assertThat(unit.triggers()).containsExactly(UnitName.of("y.target"));
    }

    @Test
    void everyDirectiveIsApplied() {
        assertThat(
                        UnitReader.directives(
                                UnitName.of("x.timer").type(), "Timer", UnitReader.Support.APPLIED))
                .isEqualTo(DirectiveTable.of("Timer"));
    }

    @Test
    void aTimerStartsTheServiceOfItsName() {
        assertThat(timer("OnBootSec=1").triggers()).containsExactly(UnitName.of("x.service"));
    }

    @Test
    void aTimerThatNeverElapsesIsRefused() {
        TimerUnit unit = timer("Persistent=yes\n");
        assertThat(unit.isRefused()).isTrue();
        assertThat(Tree.messages(unit))
                .singleElement()
                .asString()
                .contains("the timer has neither OnCalendar= nor another On…=");
    }

    @Test
    void badLinesAreReportedAndIgnored() {
        assertThat(
                        Tree.messages(
                                timer(
                                        """
                                        OnBootSec=1
                                        OnCalendar=fortnightly
                                        OnBootSec=soon
                                        Unit=y.timer
                                        """)))
                .satisfiesExactly(
                        one -> assertThat(one).contains("test:3: OnCalendar=: not a calendar"),
                        one -> assertThat(one).contains("test:4: OnBootSec=: not a time span"),
                        one ->
                                assertThat(one)
                                        .contains("test:5: Unit=: a timer cannot start a timer"));
    }

    @Test
    void aTimerIsOrderedAsInSystemd() {
        Dependencies implied =
                ImpliedDependencies.of(timer("OnCalendar=daily"), ManagerScope.system(Map.of()));
        assertThat(implied.of(Dependency.BEFORE))
                .extracting(UnitName::text)
                .containsExactlyInAnyOrder("x.service", "timers.target", "shutdown.target");
        assertThat(implied.of(Dependency.AFTER))
                .extracting(UnitName::text)
                .containsExactlyInAnyOrder("sysinit.target", "time-sync.target", "time-set.target");
        assertThat(implied.of(Dependency.REQUIRES)).containsExactly(UnitName.of("sysinit.target"));
        assertThat(
                        ImpliedDependencies.of(timer("OnBootSec=1"), ManagerScope.user(Map.of()))
                                .of(Dependency.AFTER))
                .isEmpty();
    }
}
