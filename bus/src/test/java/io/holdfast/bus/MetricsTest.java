package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.config.Limits;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Variant;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The bus's counters of refusals: by limit, by reason, per connection and per user. */
@Timeout(60)
class MetricsTest {
    private static final String STATS = "org.freedesktop.DBus.Debug.Stats";
    private static final String OURS = "io.holdfast.Bus.";
    private static final String RULES = "max_match_rules_per_connection";
    private static final long US = Unistd.geteuid();
    private static final int OTHER = 61_234;

    @TempDir private Path folder;
    private Bus bus;

    @BeforeEach
    void open() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Limits limits = Limits.BUILT_IN.with(BusLimit.MAX_MATCH_RULES_PER_CONNECTION, 1);
        bus =
                Bus.open(
                        BusAddress.parse("unix:path=" + folder.resolve("bus")),
                        BusConfig.permissive().withLimits(limits));
    }

    @AfterEach
    void close() {
        bus.close();
    }

    private TestClient connect() throws InterruptedException {
        return TestClient.silent(bus.addresses().getFirst().toString()).authenticate(true).hello();
    }

    private BusMetrics.OfConnection of(TestClient client) {
        return bus.metrics().join().connections().stream()
                .filter(one -> one.name().equals(client.name()))
                .findFirst()
                .orElseThrow();
    }

    private BusMetrics.OfUser of(long uid) {
        return bus.metrics().join().users().stream()
                .filter(one -> one.uid() == uid)
                .findFirst()
                .orElseThrow();
    }

    /** Returns our keys that are about refusals, or begin with the prefix. */
    private static Map<String, Long> stats(
            TestClient asker, String prefix, String method, Object... arguments)
            throws InterruptedException {
        Map<String, Long> found = new TreeMap<>();
        var reply = asker.answer(asker.send(asker.toBus(STATS, method, arguments)));
        ((Map<?, ?>) reply.values().getFirst())
                .forEach((key, value) -> {
                    if (key.toString().startsWith(OURS + prefix)) {
                        found.put(
                                key.toString().substring(OURS.length()),
                                (Long) ((Variant) value).value());
                    }
                });
        return found;
    }

    private static final BusMetrics.Refusals NONE =
            new BusMetrics.Refusals(Map.of(), Map.of(), Map.of());

    @Test
    void whatALimitRefusedIsCountedByLimitAndByErrorForItsConnectionAndItsUser() throws Exception {
        try (TestClient a = connect();
                TestClient b = connect()) {
            assertThat(a.tryBus(BUS, "AddMatch", "member='A'")).isEqualTo("return");
            assertThat(of(a).refusals()).isEqualTo(NONE);
            for (int i = 0; i < 3; i++) {
                assertThat(a.tryBus(BUS, "AddMatch", "member='B'")).isEqualTo("LimitsExceeded");
            }
            assertThat(a.describe(a.answer(a.send(a.call("no.body", "M")))))
                    .isEqualTo("ServiceUnknown");

            BusMetrics.Refusals refused =
                    new BusMetrics.Refusals(
                            Map.of(RULES, 3L),
                            Map.of("LimitsExceeded", 3L, "ServiceUnknown", 1L),
                            Map.of());
            assertThat(of(a).refusals()).isEqualTo(refused);
            assertThat(of(a).refused()).isEqualTo(4);
            assertThat(of(a).uid()).isEqualTo(US);
            assertThat(of(b).refusals()).as("another's").isEqualTo(NONE);
            assertThat(of(b).refused()).isZero();
            assertThat(of(US).refusals()).isEqualTo(refused);
            assertThat(of(US).connections()).isEqualTo(2);
            assertThat(of(US).matchRules()).isEqualTo(1);
            assertThat(bus.metrics().join().refusals()).isEqualTo(refused);

            Map<String, Long> expected =
                    Map.of(
                            "Refused",
                            4L,
                            "RefusedBy." + RULES,
                            3L,
                            "RefusedMessages.LimitsExceeded",
                            3L,
                            "RefusedMessages.ServiceUnknown",
                            1L);
            assertThat(stats(b, "Refused", "GetConnectionStats", a.name())).isEqualTo(expected);
            assertThat(stats(a, "Refused", "GetConnectionStats", b.name()))
                    .isEqualTo(Map.of("Refused", 0L));
            assertThat(stats(b, "RefusedMessages", "GetStats"))
                    .isEqualTo(
                            Map.of(
                                    "RefusedMessages.LimitsExceeded", 3L,
                                    "RefusedMessages.ServiceUnknown", 1L));
            assertThat(stats(b, "RefusedBy", "GetStats"))
                    .isEqualTo(Map.of("RefusedBy." + RULES, 3L));
            assertThat(stats(b, "User.", "GetConnectionStats", b.name()))
                    .containsEntry("User.Connections", 2L)
                    .containsEntry("User.MatchRules", 1L)
                    .containsEntry("User.Objects", of(US).objects())
                    .containsEntry("User.FDs", of(US).descriptors())
                    .containsEntry("User.RefusedBy." + RULES, 3L);
        }
    }

    @Test
    void whyConnectionsEndedIsCountedAlsoForAUserWhoIsGone() throws Exception {
        TestClient bad = connect();
        bad.sendBytes("this is no message".getBytes(US_ASCII));
        assertThat(bad.untilClosed()).hasSize(0);
        bad.close();
        assertThat(of(US).connections()).as("after the client has left").isZero();
        assertThat(of(US).bytes()).isZero();
        assertThat(of(US).refusals().disconnects()).isEqualTo(Map.of("Malformed", 1L));

        TestClient early = TestClient.silent(bus.addresses().getFirst().toString());
        TestClient ignored = early.authenticate(true);
        int serial = early.send(early.call("a.b", "M"));
        assertThat(early.untilClosed()).as("after " + serial).isEmpty();
        early.close();
        ignored.close();

        try (TestClient c = connect()) {
            assertThat(of(US).refusals().disconnects())
                    .isEqualTo(Map.of("Malformed", 1L, "Misbehaved", 1L));
            assertThat(bus.metrics().join().disconnects()).isEqualTo(2);
            assertThat(stats(c, "Disconnects", "GetStats"))
                    .isEqualTo(
                            Map.of(
                                    "Disconnects", 2L,
                                    "DisconnectsBy.Malformed", 1L,
                                    "DisconnectsBy.Misbehaved", 1L));
            assertThat(stats(c, "User.DisconnectsBy", "GetConnectionStats", c.name()))
                    .isEqualTo(
                            Map.of(
                                    "User.DisconnectsBy.Malformed", 1L,
                                    "User.DisconnectsBy.Misbehaved", 1L));
        }
    }

    @Test
    @Needs(root = true)
    void oneUserIsNotChargedForAnother() throws Exception {
        try (TestClient a = connect()) {
            AsUser.of(
                    OTHER,
                    () -> {
                        try (TestClient other = connect()) {
                            assertThat(a.tryBus(BUS, "AddMatch", "member='A'")).isEqualTo("return");
                            assertThat(a.tryBus(BUS, "AddMatch", "member='B'"))
                                    .isEqualTo("LimitsExceeded");
                            assertThat(of(OTHER).refusals()).isEqualTo(NONE);
                            assertThat(of(OTHER).connections()).isEqualTo(1);
                            assertThat(of(other).uid()).isEqualTo(OTHER);
                            assertThat(of(US).refusals().limits()).isEqualTo(Map.of(RULES, 1L));
                            assertThat(stats(a, "User.", "GetConnectionStats", other.name()))
                                    .containsEntry("User.Connections", 1L)
                                    .containsEntry("User.MatchRules", 0L)
                                    .doesNotContainKey("User.RefusedBy." + RULES);
                        }
                    });
        }
    }

    @Test
    void allRulesAreTold() throws Exception {
        try (TestClient a = connect();
                TestClient b = connect()) {
            assertThat(a.tryBus(BUS, "AddMatch", "type='signal',member='A'")).isEqualTo("return");
            var reply = b.answer(b.send(b.toBus(STATS, "GetAllMatchRules")));
            assertThat(reply.values().getFirst())
                    .isEqualTo(
                            Map.of(
                                    a.name(),
                                    List.of("type='signal',member='A'"),
                                    b.name(),
                                    List.of()));
        }
    }
}
