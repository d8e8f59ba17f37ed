package io.holdfast.core.limit;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.SameOnEveryKernel;
import java.time.Duration;
import org.junit.jupiter.api.Test;

@SameOnEveryKernel
class RateLimitTest {
    private long now = Long.MAX_VALUE - 1_000; // System.nanoTime may overflow

    private RateLimit<String> limit(int burst, int perSecond, int users) {
        return RateLimit.<String>of(burst, perSecond, users).withClock(() -> now);
    }

    private static int passes(RateLimit<String> limit, String user) {
        int count = 0;
        while (limit.tryPass(user)) {
            count++;
        }
        return count;
    }

    @Test
    void aUserMayDoSoManyAtOnceAndThenSoManyASecond() {
        RateLimit<String> limit = limit(5, 10, 8);
        assertThat(passes(limit, "a")).isEqualTo(5);
        now += Duration.ofMillis(99).toNanos();
        assertThat(passes(limit, "a")).isZero();
        now += Duration.ofMillis(1).toNanos();
        assertThat(passes(limit, "a")).isEqualTo(1);
        now += Duration.ofMillis(300).toNanos();
        assertThat(passes(limit, "a")).isEqualTo(3);
        now += Duration.ofHours(1).toNanos();
        assertThat(passes(limit, "a")).isEqualTo(5);
    }

    @Test
    void theIntervalMayBeLongerThanASecond() {
        RateLimit<String> limit =
                RateLimit.<String>in(Duration.ofMinutes(10), 10, 8).withClock(() -> now);
        assertThat(passes(limit, "a")).isEqualTo(10);
        now += Duration.ofSeconds(59).toNanos();
        assertThat(passes(limit, "a")).isZero();
        now += Duration.ofSeconds(1).toNanos();
        assertThat(passes(limit, "a")).isEqualTo(1);
        now += Duration.ofMinutes(10).toNanos();
        assertThat(passes(limit, "a")).isEqualTo(10);
    }

    @Test
    void usersDoNotSlowEachOther() {
        RateLimit<String> limit = limit(2, 1, 8);
        assertThat(passes(limit, "a")).isEqualTo(2);
        assertThat(passes(limit, "b")).isEqualTo(2);
    }

    @Test
    void usersWhoAreIdleAreForgotten() {
        RateLimit<String> limit = limit(2, 1, 8);
        assertThat(passes(limit, "a")).isEqualTo(2);
        assertThat(passes(limit, "b")).isEqualTo(2);
        assertThat(limit.remembered()).isEqualTo(2);
        now += Duration.ofSeconds(2).toNanos();
        assertThat(limit.tryPass("c")).isTrue();
        assertThat(limit.remembered()).isEqualTo(1);
    }

    @Test
    void aBusyUserKeepsNoOtherInTheTableAndIsNotForgotten() {
        RateLimit<String> limit = limit(2, 1, 8);
        assertThat(passes(limit, "busy")).isEqualTo(2);
        for (int i = 0; i < 6; i++) {
            assertThat(limit.tryPass("user" + i)).isTrue();
        }
        for (int second = 0; second < 5; second++) {
            now += Duration.ofSeconds(1).toNanos();
            assertThat(passes(limit, "busy")).isEqualTo(1);
        }
        assertThat(limit.remembered()).isEqualTo(1);
        for (int i = 0; i < 7; i++) {
            assertThat(limit.tryPass("other" + i)).isTrue();
        }
        assertThat(passes(limit, "busy")).isZero();
    }

    @Test
    void theTableIsBounded() {
        RateLimit<String> limit = limit(1, 1, 2);
        for (String user : new String[] {"a", "b", "c", "d"}) {
            assertThat(limit.tryPass(user)).isTrue();
            assertThat(limit.remembered()).isLessThanOrEqualTo(2);
        }
        assertThat(limit.tryPass("d")).isFalse();
    }
}
