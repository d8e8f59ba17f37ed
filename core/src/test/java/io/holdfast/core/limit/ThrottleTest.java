package io.holdfast.core.limit;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.SameOnEveryKernel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

@SameOnEveryKernel
class ThrottleTest {
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final List<String> lines = new ArrayList<>();
    private long now;

    private Throttle throttle(int burst, int sources) {
        return Throttle.of(burst, SECOND, sources, lines::add).withClock(() -> now);
    }

    private void pass(Duration time) {
        now += time.toNanos();
    }

    @Test
    void theFirstLinesOfAnIntervalAreLoggedAndTheLastOfTheOthersFollows() {
        Throttle throttle = throttle(2, 8);
        for (int i = 1; i <= 6; i++) {
            throttle.log("a", "line " + i);
        }
        assertThat(lines).containsExactly("line 1", "line 2");
        pass(SECOND.minusNanos(1));
        throttle.flush();
        assertThat(lines).hasSize(2);
        pass(Duration.ofNanos(1));
        throttle.log("a", "line 7");
        assertThat(lines)
                .containsExactly("line 1", "line 2", "line 6 (and 3 more like it)", "line 7");
    }

    @Test
    void aSingleLineThatWasLeftOutIsLoggedAsItIs() {
        Throttle throttle = throttle(1, 8);
        throttle.log("a", "one");
        throttle.log("a", "two");
        pass(SECOND);
        throttle.flush();
        throttle.flush();
        assertThat(lines).containsExactly("one", "two");
    }

    @Test
    void oneSourceHidesNoOther() {
        Throttle throttle = throttle(1, 8);
        for (int i = 0; i < 1_000; i++) {
            throttle.log(1L, "flood");
        }
        throttle.log(2L, "of another user");
        assertThat(lines).containsExactly("flood", "of another user");
    }

    @Test
    void sourcesBeyondTheLimitCountAsOne() {
        Throttle throttle = throttle(1, 2);
        for (long source = 1; source <= 5; source++) {
            throttle.log(source, "of " + source);
        }
        assertThat(lines).containsExactly("of 1", "of 2", "of 3");
        pass(SECOND);
        throttle.flush();
        assertThat(lines).endsWith("of 5 (and 1 more like it)");
        throttle.log(9L, "of 9");
        assertThat(lines).endsWith("of 9");
    }

    @Test
    void aTimerLogsWhatWasLeftOutWithoutAFurtherLine() {
        List<Runnable> timers = new ArrayList<>();
        Throttle throttle =
                throttle(1, 8)
                        .withTimer((delay, task) -> {
                            assertThat(delay).isEqualTo(SECOND);
                            boolean ignored = timers.add(task);
                        });
        throttle.log("a", "one");
        throttle.log("a", "two");
        assertThat(timers).hasSize(1);
        pass(SECOND);
        timers.getFirst().run();
        assertThat(lines).containsExactly("one", "two");
    }
}
