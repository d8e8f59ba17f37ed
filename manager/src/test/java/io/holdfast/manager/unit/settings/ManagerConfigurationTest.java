package io.holdfast.manager.unit.settings;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Resource;
import io.holdfast.manager.unit.Tree;
import io.holdfast.manager.unit.file.ManagerConfigurationFiles;
import io.holdfast.manager.unit.value.ResourceLimit;
import io.holdfast.manager.unit.value.StandardStream;
import io.holdfast.manager.unit.value.TimeSpan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ManagerConfigurationTest {
    @TempDir private Path folder;

    private ManagerConfiguration of(String... lines) throws IOException {
        write(lines);
        return new ManagerConfiguration(
                new ManagerConfigurationFiles("system.conf", List.of(folder)),
                Tree.HOST,
                Tree.SYSTEM);
    }

    private void write(String... lines) throws IOException {
        Files.writeString(
                folder.resolve("system.conf"), "[Manager]\n" + String.join("\n", lines) + "\n");
    }

    private ManagerDefaults defaults(String... lines) throws IOException {
        ManagerConfiguration configuration = of(lines);
        assertThat(configuration.read()).isEmpty();
        return configuration.get();
    }

    @Test
    void withoutSettingsAllIsStandard() throws Exception {
        assertThat(defaults("#DefaultRestartSec=1")).isEqualTo(ManagerDefaults.STANDARD);
    }

    @Test
    void eachSettingIsRead() throws Exception {
        ManagerDefaults defaults =
                defaults(
                        "LogLevel=debug",
                        "DefaultTimeoutStartSec=1min",
                        "DefaultTimeoutStopSec=0",
                        "DefaultTimeoutAbortSec=3",
                        "DefaultRestartSec=2s",
                        "DefaultTimerAccuracySec=3s",
                        "DefaultStartLimitIntervalSec=20",
                        "DefaultStartLimitBurst=7",
                        "DefaultStandardOutput=null",
                        "DefaultStandardError=journal",
                        "DefaultEnvironment=A=1 \"B=two words\"",
                        "ManagerEnvironment=C=3",
                        "DefaultLimitNOFILE=100:200",
                        "DefaultOOMScoreAdjust=-5");
        assertThat(defaults.logLevel()).isEqualTo(7);
        assertThat(defaults.timeoutStart()).isEqualTo(TimeSpan.seconds(60));
        assertThat(defaults.timeoutStop()).isEqualTo(TimeSpan.INFINITY);
        assertThat(defaults.timeoutAbort()).contains(TimeSpan.seconds(3));
        assertThat(defaults.restart()).isEqualTo(TimeSpan.seconds(2));
        assertThat(defaults.timerAccuracy()).isEqualTo(TimeSpan.seconds(3));
        assertThat(defaults.startLimitInterval()).isEqualTo(TimeSpan.seconds(20));
        assertThat(defaults.startLimitBurst()).isEqualTo(7);
        assertThat(defaults.output()).isEqualTo(StandardStream.NULL);
        assertThat(defaults.error()).isEqualTo(StandardStream.JOURNAL);
        assertThat(defaults.environment()).isEqualTo(Map.of("A", "1", "B", "two words"));
        assertThat(defaults.managerEnvironment()).isEqualTo(Map.of("C", "3"));
        assertThat(defaults.limits())
                .isEqualTo(Map.of(Resource.NOFILE, new ResourceLimit(100, 200)));
        assertThat(defaults.oomScoreAdjust()).contains(-5);
    }

    @Test
    void theAbortTimeoutIsTheStopTimeoutUnlessItIsSet() throws Exception {
        ManagerDefaults defaults =
                defaults(
                        "DefaultTimeoutStopSec=4",
                        "DefaultTimeoutAbortSec=3",
                        "DefaultTimeoutAbortSec=");
        assertThat(defaults.timeoutAbortOrStop()).isEqualTo(TimeSpan.seconds(4));
    }

    @Test
    void aLineWithoutEffectIsNamedOnceAndUnsupportedSettingsInOneLine() throws Exception {
        ManagerConfiguration configuration =
                of(
                        "DumpCore=no",
                        "DefaultRestartSec=often",
                        "DefaultStandardOutput=file:/tmp/x",
                        "DefualtRestartSec=1",
                        "CrashShell=no");
        String file = folder.resolve("system.conf").toString();
        assertThat(configuration.read())
                .containsExactly(
                        file
                                + ":3: DefaultRestartSec=: not a time span: \"often\" (try 90, 1min"
                                + " 30s, infinity); ignored",
                        file
                                + ":4: DefaultStandardOutput=: file:/tmp/x cannot be the default of"
                                + " all services; ignored",
                        file + ":5: unknown setting \"DefualtRestartSec\" in [Manager]; ignored",
                        "system.conf: settings have no effect: CrashShell=, DumpCore=; see"
                                + " holdfast verify --directives");
        assertThat(configuration.get()).isEqualTo(ManagerDefaults.STANDARD);
        assertThat(configuration.read()).as("nothing new").isEmpty();
        write("CrashShell=no");
        assertThat(configuration.read())
                .containsExactly(
                        "system.conf: settings have no effect: CrashShell=; see holdfast verify"
                                + " --directives");
    }
}
