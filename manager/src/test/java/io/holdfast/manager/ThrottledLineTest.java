package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.SameOnEveryKernel;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;

@SameOnEveryKernel
class ThrottledLineTest {
    private final Deque<Runnable> timers = new ArrayDeque<>();
    private final List<Duration> delays = new ArrayList<>();
    private final List<String> said = new ArrayList<>();
    private final ThrottledLine line = line(1);

    private ThrottledLine line(int burst) {
        return new ThrottledLine(
                (delay, task) -> {
                    delays.add(delay);
                    timers.add(task);
                },
                said::add,
                burst);
    }

    private void intervalIsOver() {
        timers.remove().run();
    }

    @Test
    void theFirstIsSaidAtOnceAndTheOthersOfItsIntervalAreCounted() {
        for (int i = 0; i < 1000; i++) {
            line.say("line " + i);
        }
        assertThat(said).containsExactly("line 0");
        intervalIsOver();
        assertThat(said).containsExactly("line 0", "line 999 (998 more like it)");
        line.say("still there");
        assertThat(said).hasSize(2);
        intervalIsOver();
        assertThat(said).last().isEqualTo("still there");
        assertThat(delays).containsOnly(Limits.LINE_INTERVAL);
    }

    @Test
    void asManyAsOneIntervalMayHaveAreSaidOneByOne() {
        ThrottledLine three = line(3);
        for (int i = 0; i < 5; i++) {
            three.say("line " + i);
        }
        assertThat(said).containsExactly("line 0", "line 1", "line 2");
        intervalIsOver();
        three.say("a");
        three.say("b");
        three.say("c");
        assertThat(said.subList(3, said.size()))
                .containsExactly("line 4 (1 more like it)", "a", "b");
    }

    @Test
    void afterAnIntervalWithoutAnyTheNextIsSaidAtOnceAndNobodyIsWokenMeanwhile() {
        line.say("one");
        intervalIsOver();
        assertThat(timers).isEmpty();
        line.say("two");
        assertThat(said).containsExactly("one", "two");
    }
}
