package io.holdfast.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.time.ZoneId;
import org.junit.jupiter.api.Test;

class TimeTextTest {
    private static final Instant SUMMER = Instant.parse("2026-07-01T22:04:09Z");

    @Test
    void theOffsetOfTheZoneAtThatTimeIsNamed() {
        assertThat(TimeText.of(SUMMER, ZoneId.of("Europe/Berlin")))
                .isEqualTo("2026-07-02 00:04:09 +02:00");
        assertThat(TimeText.of(SUMMER.plusSeconds(15_552_000), ZoneId.of("Europe/Berlin")))
                .isEqualTo("2026-12-28 23:04:09 +01:00");
        assertThat(TimeText.of(SUMMER, ZoneId.of("Etc/UTC"))).isEqualTo("2026-07-01 22:04:09 UTC");
    }
}
