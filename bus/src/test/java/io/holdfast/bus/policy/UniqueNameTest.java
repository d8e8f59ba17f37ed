package io.holdfast.bus.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.PidFd;
import java.util.List;
import org.junit.jupiter.api.Test;

class UniqueNameTest {
    private static final String FIRST = UniqueName.of(0);
    private static final String PREFIX = FIRST.substring(0, FIRST.length() - 1);

    @Test
    void aNameCarriesTheProcessThatGaveIt() {
        try (PidFd self = PidFd.self()) {
            self.processId()
                    .pidfdId()
                    .ifPresent(id -> assertThat(FIRST).isEqualTo(":1." + id + ".0"));
        }
        assertThat(FIRST).matches(":1\\.\\d+\\.0");
    }

    @Test
    void numbersAreNeverGivenTwice() {
        long first = UniqueName.next();
        assertThat(UniqueName.next()).isGreaterThan(first);
    }

    @Test
    void aNameIsReadAsItIsWritten() {
        for (long number : List.of(0L, 1L, 10L, 999_999_999_999_999_999L)) {
            assertThat(UniqueName.number(UniqueName.of(number))).isEqualTo(number);
        }
    }

    @Test
    void namesOfOthersAreNobodys() {
        for (String name :
                List.of(
                        ":1.7",
                        ":1.0.7",
                        ":2.7",
                        "a.b",
                        ":",
                        "",
                        PREFIX,
                        PREFIX + "07",
                        PREFIX + "x",
                        PREFIX + "-1",
                        PREFIX + "7.7",
                        PREFIX + "1234567890123456789")) {
            assertThat(UniqueName.number(name)).as(name).isEqualTo(Party.NOBODY);
        }
    }
}
