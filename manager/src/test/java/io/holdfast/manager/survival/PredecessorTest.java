package io.holdfast.manager.survival;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.PidFd;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a manager concludes from how those before it ended. */
@Timeout(60)
class PredecessorTest {
    private static final long STORE = 1;

    private static Predecessor next(Predecessor before, PidFd process) {
        return Predecessor.of(
                before.record(STORE).put("process", process.processId().toString()), STORE);
    }

    @Test
    void threeEqualEarlyEndsAreACrashLoop() throws Exception {
        try (Zombie outOfMemory = Zombie.of("exit 3");
                Zombie other = Zombie.of("exit 1")) {
            Predecessor before = Predecessor.NONE;
            for (int i = 1; i <= 4; i++) {
                before = next(before, outOfMemory.process());
                assertThat(before.isCrashLoop()).as("after %d", i).isEqualTo(i >= 3);
            }
            assertThat(next(before, other.process()).isCrashLoop()).isFalse();
        }
    }

    @Test
    void managersThatWereKilledAreNone() throws Exception {
        try (Zombie killed = Zombie.of("exec sh -c 'kill -KILL $$'")) {
            Predecessor before = Predecessor.NONE;
            for (int i = 1; i <= 4; i++) {
                before = next(before, killed.process());
            }
            assertThat(before.isCrashLoop()).isFalse();
            assertThat(before.crashes()).isEqualTo(4);
        }
    }
}
