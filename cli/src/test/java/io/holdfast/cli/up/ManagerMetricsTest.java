package io.holdfast.cli.up;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.metrics.ServedMetrics;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests the metrics of a manager as a monitoring system reads them. */
@Timeout(180)
@Needs(root = true, cgroup2 = true)
class ManagerMetricsTest {
    private static final String PREFIX = "holdfast_manager_";

    @TempDir private Path folder;
    private Path metrics;
    private String slice;

    @BeforeEach
    void layOut() throws IOException {
        Files.setAttribute(folder, "unix:mode", 01777);
        metrics = folder.resolve("metrics");
        slice = "hfmetrics" + ProcessHandle.current().pid() + "x" + System.nanoTime() + ".slice";
        unit("stays.service", "ExecStart=sleep 1000");
        unit("once.service", "Type=oneshot", "ExecStart=echo a line");
        unit(
                "fails.service",
                "ExecStart=false",
                "Restart=on-failure",
                "RestartSec=1ms",
                "StartLimitBurst=3");
    }

    private void unit(String name, String... lines) throws IOException {
        Files.writeString(
                folder.resolve(name),
                "[Unit]\nDefaultDependencies=no\n[Service]\n" + String.join("\n", lines) + "\n");
    }

    @AfterEach
    void nothingIsLeft() {
        try (Cgroup own = Cgroup.own()) {
            assertThat(own.childNames()).doesNotContain(slice);
        }
    }

    private CommandProcess up(String... units) throws IOException {
        return CommandProcess.start(
                Stream.concat(
                                Stream.of(
                                        "up",
                                        "--runtime-dir",
                                        folder.resolve("run").toString(),
                                        "--slice",
                                        slice,
                                        "--units",
                                        folder.toString(),
                                        "--metrics",
                                        metrics.toString()),
                                Stream.of(units))
                        .toArray(String[]::new));
    }

    private double value(String sample) {
        return ServedMetrics.of(metrics).value(PREFIX + sample);
    }

    private boolean has(String sample) {
        return ServedMetrics.of(metrics).names().contains(PREFIX + sample);
    }

    @Test
    void itCountsUnitsJobsAndProcesses() throws Exception {
        try (CommandProcess up = up("stays.service", "once.service")) {
            up.await("holdfast: ready");
            up.await("once.service | a line");
            assertThat(value("units{state=\"active\",type=\"service\"}")).isEqualTo(1);
            assertThat(value("finished_jobs_total{result=\"done\"}")).isGreaterThanOrEqualTo(2);
            assertThat(value("jobs{state=\"running\"}")).isZero();
            assertThat(value("spawns_total")).isEqualTo(2);
            assertThat(value("exits_total{outcome=\"success\"}")).isEqualTo(1);
            assertThat(value("log_lines_total")).isEqualTo(1);
            assertThat(value("crashes_total")).isZero();
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
            assertThat(metrics).doesNotExist();
        }
    }

    @Test
    void itShowsWhatUnitsUse() throws Exception {
        unit(
                "talks.service",
                "IPAccounting=yes",
                "ExecStart=bash -c 'echo hello >/dev/udp/127.0.0.1/9; sleep 1000'");
        try (CommandProcess up = up("talks.service", "stays.service")) {
            up.await("holdfast: ready");
            String sent = "unit_ip_sent_bytes_total{unit=\"talks.service\"}";
            Await.until(() -> has(sent) && value(sent) > 0);
            assertThat(value(sent)).isEqualTo(34); // with the headers of IPv4 and UDP
            assertThat(value("unit_cpu_seconds_total{unit=\"stays.service\"}")).isPositive();
            assertThat(has("unit_ip_sent_bytes_total{unit=\"stays.service\"}")).isFalse();
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    @Test
    void itCountsRestartsAndWhatFails() throws Exception {
        try (CommandProcess up = up("stays.service", "fails.service")) {
            up.await("holdfast: ready");
            Await.until(() -> has("units{state=\"failed\",type=\"service\"}"));
            assertThat(value("restarts_total")).isGreaterThanOrEqualTo(2);
            assertThat(value("exits_total{outcome=\"exit-code\"}")).isGreaterThanOrEqualTo(3);
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    @Test
    void itCountsHowOftenItWasLostAndWhatItAdopted() throws Exception {
        try (CommandProcess up = up("stays.service")) {
            up.await("holdfast: ready");
            KeeperTest.kill(up, 1);
            Await.until(() -> Files.exists(metrics) && isServed());
            assertThat(value("crashes_total")).isEqualTo(1);
            assertThat(value("adopted_units")).isGreaterThanOrEqualTo(1);
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    /**
     * Returns whether the new manager serves metrics; the socket file may still be that of the
     * previous one.
     */
    private boolean isServed() {
        try {
            return value("crashes_total") > 0;
        } catch (ErrnoException e) {
            return false;
        }
    }
}
