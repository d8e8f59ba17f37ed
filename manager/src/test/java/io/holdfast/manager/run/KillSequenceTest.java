package io.holdfast.manager.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.EventLoop;
import io.holdfast.core.Signal;
import io.holdfast.manager.loop.TimeLimit;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.settings.KillSettings.KillMode;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class KillSequenceTest {
    private final EventLoop loop = EventLoop.open();
    private final List<String> events = new ArrayList<>();
    private final Unit unit = new Unit();
    private final KillSequence sequence = new KillSequence(unit, new TimeLimit(loop));

    @AfterEach
    void close() {
        loop.close();
    }

    /** A unit whose processes are counted by the test. */
    private final class Unit implements KillSequence.Owner {
        private KillMode mode = KillMode.CONTROL_GROUP;
        private boolean hasRun = true;
        private boolean mainIsAlive = true;

        /** Whether the end of the main process is known as soon as it has the signal. */
        private boolean endsAtOnce;

        private boolean isEmpty;

        @Override
        public KillSettings kill() {
            return new KillSettings(
                    mode, Signal.TERM, Signal.TERM, Signal.KILL, true, false, Signal.ABRT);
        }

        @Override
        public TimeSpan limit(KillSequence.Step step) {
            return TimeSpan.INFINITY;
        }

        @Override
        public void enter(KillSequence.Step step) {
            events.add(step.name());
        }

        @Override
        public void signal(Signal signal, boolean all, boolean hangup) {
            events.add(signal + (all ? " to all" : ""));
            if (endsAtOnce) {
                mainIsAlive = false;
                sequence.check();
            }
        }

        @Override
        public boolean isAwaited() {
            assertThat(hasRun).as("has a run").isTrue();
            return mainIsAlive;
        }

        @Override
        public boolean isEmpty() {
            return isEmpty;
        }

        @Override
        public void watchEmpty() {
            assertThat(hasRun).as("has a run").isTrue();
        }

        @Override
        public void late(String text) {
            events.add(text);
        }

        @Override
        public void signalled() {
            events.add("signalled");
            hasRun = false;
        }
    }

    private void runEnds() {
        sequence.begin();
        unit.mainIsAlive = false;
        sequence.check();
        assertThat(sequence.isUnderWay()).isTrue();
        sequence.emptied();
    }

    @Test
    void aSequenceEndsWhenNoProcessIsLeft() {
        runEnds();
        assertThat(events).containsExactly("TERMINATE", "SIGTERM to all", "signalled");
        assertThat(sequence.isUnderWay()).isFalse();
    }

    @Test
    void theEndOfTheLastRunIsNotThatOfTheNext() {
        runEnds();
        events.clear();
        unit.hasRun = true;
        unit.endsAtOnce = true;
        sequence.begin();
        assertThat(events).containsExactly("TERMINATE", "SIGTERM to all");
        sequence.emptied();
        assertThat(events).endsWith("signalled");
    }

    @Test
    void aMainProcessThatEndsAtItsSignalEndsTheSequence() {
        unit.mode = KillMode.PROCESS;
        unit.endsAtOnce = true;
        sequence.begin();
        assertThat(events).containsExactly("TERMINATE", "SIGTERM", "signalled");
        assertThat(sequence.isUnderWay()).isFalse();
    }

    @Test
    void theLastSignalFollowsTheMainProcessIfOthersAreLeft() {
        unit.mode = KillMode.MIXED;
        sequence.begin();
        unit.mainIsAlive = false;
        sequence.check();
        assertThat(events).containsExactly("TERMINATE", "SIGTERM", "KILL", "SIGKILL to all");
        sequence.emptied();
        assertThat(events).endsWith("signalled");
    }

    @Test
    void noSignalIsSentIfNoProcessIsLeft() {
        unit.mainIsAlive = false;
        unit.isEmpty = true;
        sequence.begin();
        assertThat(events).containsExactly("TERMINATE", "signalled");
        assertThat(sequence.isUnderWay()).isFalse();
    }
}
