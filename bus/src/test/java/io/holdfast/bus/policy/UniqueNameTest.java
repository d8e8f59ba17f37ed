package io.holdfast.bus.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class UniqueNameTest {
    @Test
    void aNameIsReadAsItIsWritten() {
        for (long number : List.of(0L, 1L, 10L, 999_999_999_999_999_999L)) {
            assertThat(UniqueName.of(number)).isEqualTo(":1." + number);
            assertThat(UniqueName.number(UniqueName.of(number))).isEqualTo(number);
        }
    }

    @Test
    void otherNamesAreNobodys() {
        for (String name :
                List.of(
                        ":1.0.7",
                        ":2.7",
                        "a.b",
                        ":",
                        "",
                        ":1.",
                        ":1.07",
                        ":1.x",
                        ":1.-1",
                        ":1.7.7",
                        ":1.1234567890123456789")) {
            assertThat(UniqueName.number(name)).as(name).isEqualTo(Party.NOBODY);
        }
    }
}
