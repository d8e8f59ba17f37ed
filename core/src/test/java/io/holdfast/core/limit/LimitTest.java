package io.holdfast.core.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.testkit.SameOnEveryKernel;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@SameOnEveryKernel
class LimitTest {
    private static final String PROPERTY = "io.holdfast.test.limit";

    @AfterEach
    void forget() {
        System.clearProperty(PROPERTY);
    }

    @Test
    void withoutItsPropertyTheDefaultIsInForce() {
        Limit limit = Limit.count(PROPERTY, 7, "things");
        assertThat(limit.value()).isEqualTo(7);
        assertThat(limit.intValue()).isEqualTo(7);
        assertThat(limit.problem()).isEmpty();
        assertThat(limit).hasToString("io.holdfast.test.limit=7");
        assertThat(limit.remedy()).isEqualTo("raise it with -Dio.holdfast.test.limit=NUMBER");
    }

    @Test
    void itsPropertyChangesIt() {
        System.setProperty(PROPERTY, " 12 ");
        assertThat(Limit.bytes(PROPERTY, 7, "bytes").value()).isEqualTo(12);
        assertThat(Limit.bytes(PROPERTY, 7, "bytes").standard()).isEqualTo(7);
        assertThat(Limit.time(PROPERTY, Duration.ofSeconds(1), "time").duration())
                .isEqualTo(Duration.ofMillis(12));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "abc", "0", "-1", "4294967296", "1.5", "9223372036854775808"})
    void aPropertyThatIsNoNumberInTheRangeIsRefusedByName(String text) {
        System.setProperty(PROPERTY, text);
        Limit limit = Limit.count(PROPERTY, 7, "things");
        assertThat(limit.value()).isEqualTo(7);
        assertThat(limit.problem().orElseThrow())
                .startsWith(PROPERTY + ": \"" + text + "\" is not a number");
    }

    @Test
    void aCountIsNoTime() {
        assertThatThrownBy(() -> Limit.count(PROPERTY, 7, "things").duration())
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void aDefaultIsPositive() {
        assertThatThrownBy(() -> Limit.count(PROPERTY, 0, "things"))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
