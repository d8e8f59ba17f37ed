package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.log.ManagerListener;
import io.holdfast.manager.systemd1.Systemd1;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The effect of system.conf on units, and what systemctl(1) shows of it. */
@Timeout(120)
class ManagerConfigurationStageTest {
    @TempDir private Path folder;

    private void configure(String... lines) throws IOException {
        Path file = folder.resolve("etc/system.conf.d/test.conf");
        Path _ = Files.createDirectories(file.getParent());
        Files.writeString(file, "[Manager]\n" + String.join("\n", lines) + "\n");
    }

    @Test
    void processesHaveTheVariablesAndLimitsOfTheConfiguration() throws Exception {
        configure(
                "DefaultEnvironment=OF_ALL=1 LANG=xx OF_UNIT=no",
                "ManagerEnvironment=OF_MANAGER=2 PASSED=3",
                "DefaultLimitNOFILE=500:600",
                "DefaultOOMScoreAdjust=7");
        try (Stage stage = Stage.in(folder)) {
            Path out = folder.resolve("out");
            stage.serviceWith(
                    "a",
                    "ConditionEnvironment=OF_ALL=1",
                    "Type=oneshot",
                    "PassEnvironment=PASSED",
                    "Environment=OF_UNIT=yes",
                    "StandardOutput=truncate:" + out,
                    "ExecStart="
                            + stage.shell(
                                    "a",
                                    "echo $OF_ALL $LANG $OF_UNIT [$OF_MANAGER] $PASSED;"
                                            + " ulimit -Sn; ulimit -Hn;"
                                            + " cat /proc/self/oom_score_adj"));
            assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
            assertThat(out).content().isEqualTo("1 xx yes [] 3\n500\n600\n7\n");
        }
    }

    @Test
    @Needs(programs = "systemctl")
    void theValuesAreShownAndChangeAtAReload() throws Exception {
        configure(
                "DefaultTimeoutStartSec=11",
                "DefaultTimeoutStopSec=12",
                "DefaultRestartSec=1min",
                "DefaultStartLimitIntervalSec=13",
                "DefaultStartLimitBurst=14",
                "DefaultStandardError=null",
                "DefaultLimitCORE=15:16",
                "DefaultEnvironment=X=1");
        try (Stage stage = Stage.in(folder);
                Systemd1 _ = Systemd1.serve(stage.manager(), stage.runtimeDirectory())) {
            stage.service("a", "ExecStart=/bin/sleep 1000");
            stage.service("b", "ExecStart=/bin/sleep 1000", "TimeoutStopSec=1", "RestartSec=2");
            assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
            assertThat(stage.start("b")).isEqualTo(JobResult.DONE);
            assertThat(shown(stage))
                    .contains(
                            "DefaultTimeoutStartUSec=11s",
                            "DefaultTimeoutStopUSec=12s",
                            "DefaultTimeoutAbortUSec=12s",
                            "DefaultRestartUSec=1min",
                            "DefaultStartLimitIntervalUSec=13s",
                            "DefaultStartLimitBurst=14",
                            "DefaultStandardOutput=journal",
                            "DefaultStandardError=null",
                            "DefaultLimitCORE=16",
                            "DefaultLimitCORESoft=15",
                            "DefaultLimitNOFILESoft=1024");
            String properties =
                    "TimeoutStartUSec,TimeoutStopUSec,RestartUSec,StartLimitBurst,StandardError";
            assertThat(shown(stage, "a", "-p", properties))
                    .containsExactlyInAnyOrder(
                            "TimeoutStartUSec=11s",
                            "TimeoutStopUSec=12s",
                            "RestartUSec=1min",
                            "StartLimitBurst=14",
                            "StandardError=null");
            assertThat(shown(stage, "b", "-p", "TimeoutStopUSec,RestartUSec"))
                    .containsExactlyInAnyOrder("TimeoutStopUSec=1s", "RestartUSec=2s");
            assertThat(Systemctl.of(stage).expect(0, "show-environment")).contains("X=1\n");

            configure("DefaultTimeoutStopSec=21", "CrashShell=yes");
            Systemctl.of(stage).expect(0, "daemon-reload");
            assertThat(shown(stage))
                    .contains("DefaultTimeoutStopUSec=21s", "DefaultTimeoutStartUSec=1min 30s");
            assertThat(shown(stage, "a", "-p", "TimeoutStopUSec"))
                    .containsExactly("TimeoutStopUSec=21s");
            stage.happenings().await("settings have no effect: CrashShell=;");
        }
    }

    private static List<String> shown(Stage stage, String... more) throws Exception {
        String[] words = new String[more.length + 1];
        words[0] = "show";
        System.arraycopy(more, 0, words, 1, more.length);
        return Systemctl.of(stage).expect(0, words).lines().toList();
    }

    @Test
    void theLogLevelIsThatOfTheConfigurationUntilAClientSetsOne() throws Exception {
        configure("LogLevel=warning");
        try (Stage stage = Stage.in(folder)) {
            assertThat(stage.manager().view().logLevel()).isEqualTo(ManagerListener.Level.WARNING);
            configure("LogLevel=err");
            Stage.get(stage.reloading());
            assertThat(stage.manager().view().logLevel()).isEqualTo(ManagerListener.Level.ERROR);
            stage.manager().view().logLevel(ManagerListener.Level.NOTICE);
            Stage.get(stage.reloading());
            assertThat(stage.manager().view().logLevel()).isEqualTo(ManagerListener.Level.NOTICE);
        }
    }
}
