package io.holdfast.manager.unit.file;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ManagerConfigurationTest {
    @TempDir private Path folder;

    @Test
    void eachSettingOfTheFilesIsNamedOnce() throws Exception {
        Path etc = folder.resolve("etc");
        Path _ = Files.createDirectories(etc.resolve("system.conf.d"));
        Path run = folder.resolve("run");
        List<Path> folders = List.of(etc, run);
        Files.writeString(etc.resolve("system.conf"), "[Manager]\n#DefaultRestartSec=1\n");
        assertThat(ManagerConfiguration.ignored("system.conf", folders)).isEmpty();
        Files.writeString(
                etc.resolve("system.conf.d/10.conf"),
                "[Manager]\nDefaultTimeoutStopSec=5\nDefaultLimitNOFILE=9\n[Other]\nA=b\n");
        Files.writeString(
                etc.resolve("system.conf.d/20.conf"), "[Manager]\nDefaultTimeoutStopSec=6\n");
        assertThat(ManagerConfiguration.ignored("system.conf", folders))
                .contains(
                        "system.conf: settings have no effect: DefaultLimitNOFILE=,"
                                + " DefaultTimeoutStopSec=; set them in the units");
    }
}
