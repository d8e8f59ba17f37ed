package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ResourceUsageTest {
    @Test
    void theUsageOfAChildIsKnownOnceItHasExited() throws Exception {
        String work = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; (read x)";
        try (Child child = Spawn.of("sh", "-c", "read x; " + work).stdin(Stdio.pipe()).start()) {
            assertThat(child.usage()).isEmpty();
            child.stdin().write('\n');
            child.stdin().close();
            assertThat(child.await()).isEqualTo(new Exit.Exited(1));
            ResourceUsage used = child.usage().orElseThrow();
            assertThat(used.user()).isPositive().isLessThan(Duration.ofSeconds(60));
            assertThat(used.system()).isBetween(Duration.ZERO, Duration.ofSeconds(60));
            assertThat(used.maxResident()).isPositive();
            assertThat(used.minorFaults()).isPositive();
            assertThat(used.voluntarySwitches()).isPositive();
        }
    }

    @Test
    void theUsageOfAChildThatIsReapedLaterIsKnownBeforeTheReap() throws Exception {
        try (Child child = Spawn.of("true").reapLater().start()) {
            assertThat(child.await()).isEqualTo(new Exit.Exited(0));
            ResourceUsage used = child.usage().orElseThrow();
            assertThat(used.maxResident()).isPositive();
            child.reap();
            assertThat(child.usage()).contains(used);
        }
    }
}
