package io.holdfast.cli.bus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.metrics.ServedMetrics;
import io.holdfast.core.sys.Unistd;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.NameReply;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests the metrics of a bus as a monitoring system reads them. */
@Timeout(120)
class BusMetricsTest {
    private static final String MESSAGES = "holdfast_bus_messages_total";

    @TempDir private Path folder;

    @Test
    void itCountsByPeerNameAndUser() throws Exception {
        Path metrics = folder.resolve("metrics");
        String address = "unix:path=" + folder.resolve("bus");
        try (CommandProcess bus =
                CommandProcess.start(
                        "bus",
                        "--session",
                        "--address",
                        address,
                        "--metrics",
                        metrics.toString(),
                        "--print-address")) {
            bus.await("unix:path=");
            ServedMetrics before = ServedMetrics.of(metrics);
            assertThat(before.value(MESSAGES)).isZero();

            try (BusConnection client = BusConnection.connect(address)) {
                assertThat(client.requestName("org.example.a")).isEqualTo(NameReply.PRIMARY_OWNER);

                ServedMetrics after = ServedMetrics.of(metrics);
                assertThat(after.value(MESSAGES)).isGreaterThanOrEqualTo(2);
                assertThat(after.value("holdfast_bus_names")).isEqualTo(1);
                assertThat(
                                after.value(
                                        "holdfast_bus_name_info{name=\"org.example.a\",owner=\"%s\"}"
                                                .formatted(client.uniqueName())))
                        .isEqualTo(1);
                assertThat(
                                after.value(
                                        "holdfast_bus_user_connections{uid=\"%d\"}"
                                                .formatted(Unistd.geteuid())))
                        .isEqualTo(1);
                assertThat(after.names())
                        .anyMatch(name ->
                                name.startsWith(
                                        "holdfast_bus_peer_received_messages_total{name=\""
                                                + client.uniqueName()));
            }
            bus.signal("TERM");
            assertThat(bus.exitCode()).isZero();
            assertThat(metrics).doesNotExist();
        }
    }
}
