package io.holdfast.receiver;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.receiver.store.StorePlace;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Tests how an administrator's limits change those of a place. */
class StorageLimitsTest {
    private static final long MIB = 1 << 20;

    private static StorePlace place() {
        return StorePlace.of(Path.of("/var/log/journal"), true, 100L << 30, 4 * MIB, 64);
    }

    private static StorageLimits limits(Optional<Long> maxUse, Optional<Long> maxFileSize) {
        return new StorageLimits(
                maxUse,
                Optional.of(7L),
                maxFileSize,
                Optional.of(3),
                Optional.of(Duration.ofDays(2)),
                Optional.of(Duration.ofDays(1)),
                Optional.of(Duration.ofSeconds(5)),
                Optional.of(Duration.ZERO),
                Optional.of(12));
    }

    @Test
    void whatNobodyHasDecidedIsAsInJournald() {
        StorePlace place = StorageLimits.STANDARD.applied(place());
        assertThat(place).isEqualTo(place());
        assertThat(place.mostBytes()).isEqualTo(4096 * MIB);
        assertThat(place.fileBytes()).isEqualTo(128 * MIB);
        assertThat(place.syncInterval()).isEqualTo(Duration.ofMinutes(5));
    }

    @Test
    void zeroIsNoLimit() {
        StorageLimits none =
                new StorageLimits(
                        Optional.of(0L),
                        Optional.empty(),
                        Optional.of(0L),
                        Optional.of(0),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty());
        StorePlace place = none.applied(place());
        assertThat(place.mostBytes()).isEqualTo(Long.MAX_VALUE);
        assertThat(place.mostFiles()).isEqualTo(Integer.MAX_VALUE);
        assertThat(place.fileBytes()).isEqualTo(128 * MIB);
    }

    @Test
    void aFileIsAnEighthOfAllUnlessItsSizeIsSet() {
        assertThat(limits(Optional.of(40 * MIB), Optional.empty()).applied(place()).fileBytes())
                .isEqualTo(5 * MIB);
        assertThat(limits(Optional.of(1L), Optional.empty()).applied(place()).fileBytes())
                .isEqualTo(MIB);
        StorePlace place = limits(Optional.empty(), Optional.of(16 * MIB)).applied(place());
        assertThat(place.fileBytes()).isEqualTo(16 * MIB);
        assertThat(place.keepFree()).isEqualTo(7);
        assertThat(place.mostFiles()).isEqualTo(3);
        assertThat(place.mostAge()).isEqualTo(Duration.ofDays(2));
        assertThat(place.fileAge()).isEqualTo(Duration.ofDays(1));
        assertThat(place.syncInterval()).isEqualTo(Duration.ofSeconds(5));
    }
}
