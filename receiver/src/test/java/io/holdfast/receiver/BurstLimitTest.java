package io.holdfast.receiver;

import static io.holdfast.receiver.BurstLimit.Verdict.DROP;
import static io.holdfast.receiver.BurstLimit.Verdict.DROP_FIRST;
import static io.holdfast.receiver.BurstLimit.Verdict.PASS;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Tests the rate limit. */
class BurstLimitTest {
    private long now = 1000;
    private final BurstLimit limit = new BurstLimit(new BurstLimit.Rate(2, 100), () -> now);

    @Test
    void whatIsBeyondTheBurstIsCountedAndReportedOnce() {
        assertThat(limit.count("a")).isEqualTo(PASS);
        assertThat(limit.count("a")).isEqualTo(PASS);
        now += 30;
        assertThat(limit.count("a")).isEqualTo(DROP_FIRST);
        assertThat(limit.left("a")).isEqualTo(70);
        assertThat(limit.count("a")).isEqualTo(DROP);
        assertThat(limit.count("b")).as("another unit").isEqualTo(PASS);
        assertThat(limit.renew("a")).as("within the interval").isZero();
        now += 70;
        assertThat(limit.renew("a")).isEqualTo(2);
        assertThat(limit.count("a")).isEqualTo(PASS);
        assertThat(limit.renew("a")).isZero();
    }
}
