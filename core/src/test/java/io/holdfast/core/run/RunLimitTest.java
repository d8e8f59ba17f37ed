package io.holdfast.core.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.limit.CoreLimits;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Runs with more output than is kept. */
@Timeout(100)
class RunLimitTest {
    private static final int MUCH = 100_000_000;

    private static Run zeros(int bytes) {
        return Run.of("head", "-c", Integer.toString(bytes), "/dev/zero");
    }

    private static Run numbers(int last) {
        return Run.of("seq", Integer.toString(last));
    }

    @Test
    void muchOutputIsKeptIfThatIsAllowed() throws Exception {
        RunResult result = zeros(MUCH).limit(MUCH).run();

        assertThat(result.requireSuccess().outputBytes()).hasSize(MUCH);
        assertThat(result.droppedOutput()).isZero();
    }

    @Test
    void moreThanTheStandardLimitFailsAndNamesIt() {
        assertThatExceptionOfType(RunFailedException.class)
                .isThrownBy(() -> zeros(MUCH).run())
                .withMessageContaining(
                        "head -c 100000000 /dev/zero: output: it has more than 16777216 bytes")
                .withMessageContaining(CoreLimits.RUN_OUTPUT.property());
    }

    @Test
    void tooMuchErrorFailsAsWell() {
        assertThatExceptionOfType(RunFailedException.class)
                .isThrownBy(() -> Run.of("sh", "-c", "yes >&2").limit(1000).run())
                .withMessageContaining("error: it has more than 1000 bytes")
                .withMessageEndingWith("give it another limit (Run.limit)");
    }

    @Test
    void exactlyTheLimitIsNoOverflow() throws Exception {
        assertThat(zeros(70_000).limit(70_000).run().outputBytes()).hasSize(70_000);
        assertThat(Run.of("true").limit(0).run().outputBytes()).isEmpty();
        assertThatExceptionOfType(RunFailedException.class)
                .isThrownBy(() -> zeros(70_001).limit(70_000).run());
    }

    @Test
    void theFirstBytesAreKeptAndTheOthersCounted() throws Exception {
        RunResult result = numbers(1_000_000).limit(10, Overflow.KEEP_FIRST).run();

        assertThat(result.requireSuccess().output()).isEqualTo("1\n2\n3\n4\n5\n");
        assertThat(result.droppedOutput()).isEqualTo(6_888_896 - 10);
        assertThat(result.droppedError()).isZero();
    }

    @Test
    void theLastBytesAreKeptAndTheOthersCounted() throws Exception {
        RunResult result = numbers(1_000_000).limit(16, Overflow.KEEP_LAST).run();

        assertThat(result.requireSuccess().output()).isEqualTo("\n999999\n1000000\n");
        assertThat(result.droppedOutput()).isEqualTo(6_888_896 - 16);
    }

    @Test
    void theLastBytesOfMuchTakeLittleMemory() throws Exception {
        RunResult result = zeros(MUCH).limit(1 << 20, Overflow.KEEP_LAST).run();

        assertThat(result.outputBytes()).hasSize(1 << 20);
        assertThat(result.droppedOutput()).isEqualTo(MUCH - (1 << 20));
    }

    @Test
    void anythingThatFitsIsKeptWhicheverEndIsKept() throws Exception {
        byte[] bytes = new byte[300_000];
        Arrays.fill(bytes, (byte) 'x');
        for (Overflow overflow : Overflow.values()) {
            RunResult result = Run.of("cat").input(bytes).limit(300_000, overflow).run();
            assertThat(result.outputBytes()).isEqualTo(bytes);
            assertThat(result.droppedOutput()).isZero();
        }
    }

    @Test
    void aLimitThatNoArrayHasIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> Run.of("ls").limit(1L << 31));
        assertThatIllegalArgumentException().isThrownBy(() -> Run.of("ls").limit(-1));
    }
}
