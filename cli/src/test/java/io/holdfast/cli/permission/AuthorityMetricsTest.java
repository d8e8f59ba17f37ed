package io.holdfast.cli.permission;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.client.Authority;
import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.metrics.ServedMetrics;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.Await;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests the metrics of an authority as a monitoring system reads them. */
@Timeout(120)
class AuthorityMetricsTest {
    private static final String CHECKS = "holdfast_authority_checks_total{answer=\"%s\"}";

    @TempDir private Path folder;

    @Test
    void itCountsChecksByTheirAnswer() throws Exception {
        Path metrics = folder.resolve("metrics");
        Path socket = folder.resolve("socket");
        Path actions = Files.createDirectory(folder.resolve("actions"));
        Path rules = Files.createDirectory(folder.resolve("rules.d"));
        Files.writeString(
                actions.resolve("a.policy"),
                """
                <policyconfig><action id="org.example.a"><message>Do it?</message>
                <defaults><allow_any>no</allow_any></defaults></action></policyconfig>
                """);
        Files.writeString(
                rules.resolve("a.rules"),
                "polkit.addRule(function(action) { return action.lookup('x') ? 'no' : 'yes'; });");
        try (CommandProcess authority =
                CommandProcess.start(
                        "authority",
                        "--bus",
                        "none",
                        "--socket",
                        socket.toString(),
                        "--actions",
                        actions.toString(),
                        "--rules",
                        rules.toString(),
                        "--metrics",
                        metrics.toString())) {
            Await.until(() -> Files.exists(socket));
            ServedMetrics before = ServedMetrics.of(metrics);
            assertThat(before.value(CHECKS.formatted("yes"))).isZero();

            try (Authority client = Authority.overVarlink(socket.toString());
                    PidFd self = PidFd.self()) {
                check(client, self, "org.example.a");
                assertThat(
                                ServedMetrics.of(metrics)
                                        .value("holdfast_authority_rule_evaluations_total"))
                        .isEqualTo(1);
                ServedMetrics after = ServedMetrics.of(metrics);
                assertThat(after.value(CHECKS.formatted("yes"))).isEqualTo(1);
                assertThat(after.value(CHECKS.formatted("error"))).isZero();
                assertThat(after.value("holdfast_authority_users_at_limit{account=\"checks\"}"))
                        .isZero();
                assertThat(after.value("holdfast_authority_rule_timeouts_total")).isZero();

                check(client, self, "org.example.unknown");
                ServedMetrics last = ServedMetrics.of(metrics);
                assertThat(last.value(CHECKS.formatted("error"))).isEqualTo(1);
                assertThat(last.value("holdfast_authority_refused_calls_total{error=\"Failed\"}"))
                        .isEqualTo(1);
            }
            authority.signal("TERM");
            assertThat(authority.exitCode()).isZero();
            assertThat(metrics).doesNotExist();
        }
    }

    /** Checks with the option ALWAYS, so that rules are evaluated for root, too. */
    private static void check(Authority client, PidFd self, String action) throws Exception {
        var _ =
                client.check(self, Unistd.geteuid(), action, Map.of(), Authority.Option.ALWAYS)
                        .handle((decision, failure) -> decision)
                        .get();
    }
}
