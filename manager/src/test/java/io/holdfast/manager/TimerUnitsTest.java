package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.systemd1.Systemd1;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.view.TimerStatus;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Timers that start services. */
@Timeout(120)
class TimerUnitsTest {
    @TempDir private Path folder;
    private Stage stage;
    private Path log;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.ofUser(folder); // the stamp files of the machine are not ours
        log = folder.resolve("log");
        stage.service(
                "a", "Type=oneshot", "ExecStart=/bin/sh -c 'echo $TRIGGER_UNIT ran >>" + log + "'");
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
    }

    private void timer(String name, String... lines) throws Exception {
        stage.unit(
                name + ".timer",
                "[Unit]\nDefaultDependencies=no\n[Timer]\n" + String.join("\n", lines) + "\n");
    }

    private int runs() {
        try {
            return Files.exists(log) ? Files.readAllLines(log).size() : 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private TimerStatus timerStatus(String name) throws Exception {
        return Stage.get(stage.manager().timers()).stream()
                .filter(one -> one.unit().text().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private void awaitState(String unit, String state) {
        Await.until(() -> {
            try {
                return stage.state(unit).equals(state);
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private Path stamp(String unit) {
        return Path.of(
                ManagerScope.user(Map.of("HOME", folder.toString())).sharedDataDirectory(),
                "systemd",
                "timers",
                "stamp-" + unit);
    }

    @Test
    void aTimerStartsItsServiceAndHasElapsed() throws Exception {
        timer("a", "OnActiveSec=10ms", "AccuracySec=1us");
        assertThat(stage.start("a.timer")).isEqualTo(JobResult.DONE);
        Await.until(() -> runs() == 1);
        awaitState("a.timer", "active/elapsed success");
        assertThat(timerStatus("a.timer").last().realtime()).isNotZero();
        assertThat(timerStatus("a.timer").nextMonotonic()).isZero();
    }

    @Test
    void theServiceKnowsWhichTimerHasElapsedAndWhen() throws Exception {
        stage.service(
                "told",
                "ExecStart=/bin/sleep 1000",
                "ExecStartPost=/bin/sh -c 'env | grep ^TRIGGER_ | sort >>"
                        + log
                        + "; echo end >>"
                        + log
                        + "'");
        timer("told", "OnActiveSec=1ms", "AccuracySec=1us");
        stage.start("told.timer");
        Await.until(() -> runs() == 4);
        TimerStatus status = timerStatus("told.timer");
        assertThat(log)
                .content()
                .isEqualTo(
                        """
                        TRIGGER_TIMER_MONOTONIC_USEC=%d
                        TRIGGER_TIMER_REALTIME_USEC=%d
                        TRIGGER_UNIT=told.timer
                        end
                        """
                                .formatted(status.last().monotonic(), status.last().realtime()));
        stage.stop("told.service");
        Files.delete(log);
        stage.start("told.service"); // nothing has triggered this start
        Await.until(() -> runs() > 0);
        assertThat(log).content().isEqualTo("end\n");
    }

    @Test
    void aTimerThatDoesNotRemainBecomesInactive() throws Exception {
        timer("a", "OnActiveSec=1ms", "AccuracySec=1us", "RemainAfterElapse=no");
        stage.keep("a.timer");
        assertThat(stage.start("a.timer")).isEqualTo(JobResult.DONE);
        Await.until(() -> runs() == 1);
        awaitState("a.timer", "inactive/dead success");
    }

    @Test
    void aSpanAfterTheLastRunElapsesAgainAndAgain() throws Exception {
        timer("a", "OnActiveSec=1ms", "OnUnitInactiveSec=1ms", "AccuracySec=1us");
        stage.start("a.timer");
        Await.until(() -> runs() >= 3);
        assertThat(stage.stop("a.timer")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a.timer")).startsWith("inactive/dead");
    }

    @Test
    void aTimerOfAnotherUnitWaitsForItsTime() throws Exception {
        timer("b", "OnCalendar=*-*-01 04:00", "Unit=a.service");
        assertThat(stage.start("b.timer")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("b.timer")).isEqualTo("active/waiting success");
        TimerStatus status = timerStatus("b.timer");
        assertThat(status.triggers().text()).isEqualTo("a.service");
        assertThat(Instant.ofEpochSecond(status.nextRealtime() / 1_000_000))
                .isBetween(Instant.now(), Instant.now().plus(Duration.ofDays(32)));
        assertThat(status.nextOfEach()).containsExactly(status.nextRealtime());
        assertThat(runs()).isZero();
    }

    @Test
    void aPersistentTimerMakesUpForAMissedElapse() throws Exception {
        Path stamp = stamp("a.timer");
        Files.createDirectories(stamp.getParent());
        Files.createFile(stamp);
        Files.setLastModifiedTime(stamp, FileTime.from(Instant.now().minus(Duration.ofDays(9))));
        timer("a", "OnCalendar=weekly", "Persistent=yes", "AccuracySec=1us");
        stage.start("a.timer");
        Await.until(() -> runs() == 1);
        awaitState("a.timer", "active/waiting success");
        assertThat(Files.getLastModifiedTime(stamp).toInstant())
                .isAfter(Instant.now().minus(Duration.ofHours(1)));
    }

    @Test
    void aPersistentTimerThatNeverElapsedMakesItsStamp() throws Exception {
        timer("a", "OnCalendar=yearly", "Persistent=yes");
        assertThat(stage.start("a.timer")).isEqualTo(JobResult.DONE);
        assertThat(stamp("a.timer")).exists();
        assertThat(runs()).isZero();
    }

    @Test
    void aTimerOfAMissingUnitDoesNotStart() throws Exception {
        timer("lost", "OnCalendar=daily");
        stage.keep("lost.timer");
        assertThat(stage.start("lost.timer")).isEqualTo(JobResult.FAILED);
        assertThat(stage.state("lost.timer")).isEqualTo("inactive/dead success");
        assertThat(stage.status("lost.timer").failure())
                .hasValue("Unit=lost.service: there is no such unit");
    }

    @Test
    void aTimerWhoseServiceFailsWaitsForTheNextTime() throws Exception {
        stage.service("bad", "Type=oneshot", "ExecStart=/bin/false");
        timer("bad", "OnActiveSec=1ms", "OnCalendar=yearly", "AccuracySec=1us");
        stage.start("bad.timer");
        stage.happenings().await("bad.service: ERROR failed");
        awaitState("bad.timer", "active/waiting success");
    }

    @Test
    void changedLinesTakeEffectAtAReload() throws Exception {
        timer("a", "OnCalendar=yearly", "AccuracySec=1us");
        stage.start("a.timer");
        timer("a", "OnActiveSec=1ms", "AccuracySec=1us");
        Stage.get(stage.reloading());
        Await.until(() -> runs() == 1);
    }

    @Test
    void aLineThatReplacesOneThatHasElapsedElapsesToo() throws Exception {
        timer("a", "OnActiveSec=1ms", "AccuracySec=1us");
        stage.start("a.timer");
        Await.until(() -> runs() == 1);
        awaitState("a.timer", "active/elapsed success");
        timer("a", "OnActiveSec=1000w", "AccuracySec=1us");
        Stage.get(stage.reloading());
        assertThat(stage.state("a.timer")).isEqualTo("active/waiting success");
    }

    @Test
    void aSpanSinceTheStartOfTheManagerElapsesOnceOverARestart() throws Exception {
        timer("a", "OnStartupSec=1ms", "AccuracySec=1us");
        stage.keep("a.timer");
        stage.start("a.timer");
        Await.until(() -> runs() == 1);
        awaitState("a.timer", "active/elapsed success");
        stage.stop("a.timer");
        assertThat(stage.start("a.timer")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a.timer")).isEqualTo("active/elapsed success");
    }

    @Test
    void aTimerWithFewerLinesAfterAReloadFollowsItsService() throws Exception {
        timer("a", "OnCalendar=yearly", "OnActiveSec=1ms", "AccuracySec=1us");
        stage.start("a.timer");
        Await.until(() -> runs() == 1);
        awaitState("a.timer", "active/waiting success");
        timer("a", "OnUnitInactiveSec=1ms", "AccuracySec=1us");
        Stage.get(stage.reloading());
        Await.until(() -> runs() >= 3);
    }

    @Test
    @Needs(programs = "systemctl")
    void systemctlShowsTimersAsSystemdDoes() throws Exception {
        timer("a", "OnCalendar=*-12-24 18:00 UTC", "OnBootSec=1000w");
        stage.start("a.timer");
        try (var _ = Systemd1.serve(stage.manager(), stage.runtimeDirectory())) {
            Systemctl systemctl = Systemctl.of(stage);
            assertThat(systemctl.expect(0, "list-timers"))
                    .containsPattern("-12-2[45] .* a\\.timer +a\\.service")
                    .contains("1 timers listed");
            assertThat(systemctl.expect(0, "status", "a.timer"))
                    .contains("Active: active (waiting)", "Trigger: ", "Triggers: ● a.service");
            assertThat(systemctl.expect(3, "status", "a.service"))
                    .contains("TriggeredBy: ● a.timer");
            assertThat(
                            systemctl.expect(
                                    0,
                                    "show",
                                    "-pTimersCalendar,TimersMonotonic,Unit,Persistent,Result",
                                    "a.timer"))
                    .contains("TimersCalendar={ OnCalendar=*-12-24 18:00:00 UTC ; next_elapse=")
                    .contains("TimersMonotonic={ OnBootUSec=19y ")
                    .contains("Unit=a.service", "Persistent=no", "Result=success");
        }
    }

    @Test
    void timersThatWaitHoldOneDescriptorOfTheClockAndNoneWhenTheyAreStopped() throws Exception {
        for (String name : List.of("a", "b", "c")) {
            timer(name, "OnCalendar=daily", "Unit=a.service");
            stage.start(name + ".timer");
        }
        assertThat(timerDescriptors()).isEqualTo(1);
        for (String name : List.of("a", "b", "c")) {
            stage.stop(name + ".timer");
        }
        assertThat(timerDescriptors()).isZero();
    }

    private static long timerDescriptors() throws IOException {
        try (var all = Files.list(Path.of("/proc/self/fd"))) {
            return all.filter(
                            fd -> {
                                try {
                                    return Files.readSymbolicLink(fd)
                                            .toString()
                                            .contains("[timerfd]");
                                } catch (IOException e) {
                                    return false; // closed meanwhile
                                }
                            })
                    .count();
        }
    }
}
