package io.holdfast.manager.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.manager.unit.section.UnitSection;
import io.holdfast.manager.unit.value.TimeSpan;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(10)
class StartLimitTest {
    private static final long SECOND = 1_000_000_000;
    private static final long T0 =
            Math.subtractExact(Long.MAX_VALUE, SECOND); // the clock may overflow

    private static StartLimit limit(TimeSpan interval, int burst) {
        return new StartLimit(new UnitSection.StartLimit(interval, burst));
    }

    @Test
    void theStartAfterTheBurstIsRefused() {
        StartLimit limit = limit(TimeSpan.seconds(10), 5);
        for (int i = 0; i < 5; i++) {
            assertThat(limit.tryStart(T0 + i * SECOND)).isTrue();
        }
        assertThat(limit.tryStart(T0 + 5 * SECOND)).isFalse();
        assertThat(limit.tryStart(T0 + 10 * SECOND - 1)).isFalse();
    }

    @Test
    void theIntervalBeginsAnewWhenItIsOver() {
        StartLimit limit = limit(TimeSpan.seconds(10), 2);
        assertThat(limit.tryStart(T0)).isTrue();
        assertThat(limit.tryStart(T0 + SECOND)).isTrue();
        assertThat(limit.tryStart(T0 + 2 * SECOND)).isFalse();
        assertThat(limit.tryStart(T0 + 10 * SECOND)).isTrue();
        assertThat(limit.tryStart(T0 + 11 * SECOND)).isTrue();
        assertThat(limit.tryStart(T0 + 12 * SECOND)).isFalse();
    }

    @Test
    void aResetForgetsAllStarts() {
        StartLimit limit = limit(TimeSpan.seconds(10), 1);
        assertThat(limit.tryStart(T0)).isTrue();
        assertThat(limit.tryStart(T0)).isFalse();
        limit.reset();
        assertThat(limit.tryStart(T0)).isTrue();
    }

    @Test
    void noIntervalAndNoBurstMeanNoLimit() {
        for (StartLimit limit :
                new StartLimit[] {limit(TimeSpan.ZERO, 5), limit(TimeSpan.seconds(1), 0)}) {
            for (int i = 0; i < 100; i++) {
                assertThat(limit.tryStart(T0)).isTrue();
            }
        }
    }

    @Test
    void anEndlessIntervalNeverBeginsAnew() {
        StartLimit limit = limit(TimeSpan.INFINITY, 1);
        assertThat(limit.tryStart(0)).isTrue();
        assertThat(limit.tryStart(1_000_000 * SECOND)).isFalse();
    }
}
