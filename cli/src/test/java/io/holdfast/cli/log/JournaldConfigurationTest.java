package io.holdfast.cli.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.manager.unit.file.ManagerConfigurationFiles;
import io.holdfast.receiver.StorageLimits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests what the receiver takes from journald.conf(5). */
class JournaldConfigurationTest {
    private static final Path PERSISTENT = Path.of("/var/log/journal");
    private static final Path VOLATILE = Path.of("/run/log/journal");

    @TempDir private Path folder;

    private JournaldConfiguration read(String... lines) throws Exception {
        var _ =
                Files.writeString(
                        folder.resolve("journald.conf"),
                        "[Journal]\n" + String.join("\n", lines) + "\n");
        return JournaldConfiguration.read(
                new ManagerConfigurationFiles("journald.conf", List.of(folder)));
    }

    @Test
    void limitsAreThoseOfThePlace() throws Exception {
        JournaldConfiguration configured =
                read(
                        "SystemMaxUse=50M",
                        "SystemKeepFree=1G",
                        "SystemMaxFileSize=8M",
                        "SystemMaxFiles=3",
                        "RuntimeMaxUse=20M",
                        "MaxRetentionSec=1week",
                        "MaxFileSec=1day",
                        "SyncIntervalSec=2s",
                        "RateLimitIntervalSec=10s",
                        "RateLimitBurst=0");
        StorageLimits limits = configured.limits(PERSISTENT);
        assertThat(limits.maxUse()).contains(50L << 20);
        assertThat(limits.keepFree()).contains(1L << 30);
        assertThat(limits.maxFileSize()).contains(8L << 20);
        assertThat(limits.maxFiles()).contains(3);
        assertThat(limits.maxRetention()).contains(Duration.ofDays(7));
        assertThat(limits.maxFileAge()).contains(Duration.ofDays(1));
        assertThat(limits.syncInterval()).contains(Duration.ofSeconds(2));
        assertThat(limits.rateInterval()).contains(Duration.ofSeconds(10));
        assertThat(limits.rateBurst()).contains(0);
        assertThat(configured.limits(VOLATILE).maxUse()).contains(20L << 20);
        assertThat(configured.limits(VOLATILE).maxFiles()).isEmpty();
        assertThat(configured.problems()).isEmpty();
    }

    @Test
    void withoutAFileAllIsAsUsual() throws Exception {
        JournaldConfiguration configured = read();
        assertThat(configured.limits(PERSISTENT)).isEqualTo(StorageLimits.STANDARD);
        assertThat(configured.splitsUsers()).isTrue();
    }

    @Test
    void aDropInOverridesTheFile() throws Exception {
        Path dropIns = Files.createDirectory(folder.resolve("journald.conf.d"));
        var _ =
                Files.writeString(
                        dropIns.resolve("10.conf"),
                        "[Journal]\nSystemMaxFiles=\nStorage=persistent\nSplitMode=none\n");
        JournaldConfiguration configured = read("SystemMaxFiles=3", "Storage=volatile");
        assertThat(configured.folder()).isEqualTo(PERSISTENT);
        assertThat(configured.splitsUsers()).isFalse();
        assertThat(configured.limits(PERSISTENT).maxFiles()).isEmpty();
    }

    @Test
    void anAgeOfZeroIsNone() throws Exception {
        StorageLimits limits = read("MaxRetentionSec=0", "MaxFileSec=0").limits(PERSISTENT);
        assertThat(limits.maxRetention()).get().matches(age -> age.toDays() > 10_000);
        assertThat(limits.maxFileAge()).get().matches(age -> age.toDays() > 10_000);
    }

    @Test
    void whatIsWrongOrHasNoEffectIsSaid() throws Exception {
        JournaldConfiguration configured =
                read(
                        "Storage=none",
                        "SystemMaxUse=much",
                        "Compress=yes",
                        "LineMax=10",
                        "ForwardToWall=yes");
        assertThat(configured.folder()).isEqualTo(VOLATILE);
        assertThat(configured.limits(PERSISTENT).maxUse()).isEmpty();
        assertThat(configured.problems())
                .satisfiesExactly(
                        line -> assertThat(line).contains("Storage=none is taken as volatile"),
                        line ->
                                assertThat(line)
                                        .contains("journald.conf:3: SystemMaxUse=: ", "much"),
                        line ->
                                assertThat(line)
                                        .endsWith("have no effect: ForwardToWall=, LineMax="));
    }
}
