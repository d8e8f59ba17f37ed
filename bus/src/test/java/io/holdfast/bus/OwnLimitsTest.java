package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.config.ConfigException;
import io.holdfast.bus.config.Limits;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Limits for one user, or for the owner of one name. */
@Timeout(60)
class OwnLimitsTest {
    @TempDir private Path folder;

    private BusConfig read(String limits) throws Exception {
        Path file = folder.resolve("limits.conf");
        Files.writeString(file, "<busconfig>\n" + limits + "\n</busconfig>\n");
        return BusConfig.permissive().including(file);
    }

    private static String addRules(TestClient client, int count) throws InterruptedException {
        String answer = "";
        for (int i = 0; i < count; i++) {
            answer = client.tryBus(BUS, "AddMatch", "member='M" + i + "'");
        }
        return answer;
    }

    @Test
    void whoOwnsANameHasItsLimitsWhileItDoes() throws Exception {
        BusConfig config =
                read(
                        """
                        <limit name="max_match_rules_per_connection">2</limit>
                        <limit name="max_match_rules_per_connection" own="n.large">4</limit>
                        <limit name="max_match_rules_per_connection" own="n.larger">6</limit>
                        <limit name="max_match_rules_per_connection" own="n.small">1</limit>
                        """);
        try (TestBus bus = TestBus.ours(config)) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            assertThat(addRules(a, 2)).isEqualTo("return");
            assertThat(addRules(a, 1)).isEqualTo("LimitsExceeded");
            assertThat(a.query("RequestName", "n.large", 0)).isEqualTo(1L);
            assertThat(addRules(a, 2)).isEqualTo("return");
            assertThat(addRules(a, 1)).isEqualTo("LimitsExceeded");
            assertThat(a.query("RequestName", "n.larger", 0)).isEqualTo(1L);
            assertThat(addRules(a, 2)).isEqualTo("return");
            assertThat((String) a.callBus("AddMatch", "").values().getFirst())
                    .contains("max_match_rules_per_connection", "6 of 6 used");

            assertThat(b.query("RequestName", "n.large", 0)).as("in the queue").isEqualTo(2L);
            assertThat(addRules(b, 3)).isEqualTo("LimitsExceeded");
            assertThat(a.query("ReleaseName", "n.large")).isEqualTo(1L);
            assertThat(addRules(b, 2)).isEqualTo("return");
            assertThat(b.query("ReleaseName", "n.large")).isEqualTo(1L);
            assertThat(addRules(b, 1)).isEqualTo("LimitsExceeded");

            TestClient c = bus.connect();
            assertThat(c.query("RequestName", "n.small", 0)).isEqualTo(1L);
            assertThat(addRules(c, 1)).isEqualTo("return");
            assertThat(addRules(c, 1)).isEqualTo("LimitsExceeded");
        }
    }

    @Test
    @Needs(root = true)
    void aUserHasItsOwnForItselfAndEachOfItsConnections() throws Exception {
        BusConfig config =
                read(
                        """
                        <limit name="max_connections_per_user" user="61234">1</limit>
                        <limit name="max_names_per_connection" user="61234">2</limit>
                        <limit name="max_names_per_connection" user="nobody-of-that-name">1</limit>
                        """);
        try (TestBus bus = TestBus.ours(config)) {
            TestClient root = bus.connect();
            bus.letOthersIn();
            AtomicReference<TestClient> first = new AtomicReference<>();
            AtomicReference<TestClient> second = new AtomicReference<>();
            AsUser.of(
                    61_234,
                    () -> {
                        first.set(bus.connect());
                        second.set(bus.silent().authenticate(true));
                    });
            assertThat(second.get().tryBus(BUS, "Hello")).isEqualTo("LimitsExceeded");
            assertThat(first.get().query("RequestName", "n.a", 0)).isEqualTo(1L);
            assertThat(first.get().tryBus(BUS, "RequestName", "n.b", 0))
                    .isEqualTo("LimitsExceeded");
            assertThat(root.query("RequestName", "n.c", 0)).isEqualTo(1L);
            assertThat(root.query("RequestName", "n.d", 0)).isEqualTo(1L);
            assertThat(bus.connect().name()).startsWith(":1.");
        }
    }

    @Test
    void theyChangeWithTheConfiguration() throws Exception {
        BusConfig[] now = {
            read("<limit name='max_match_rules_per_connection' own='n.a'>1</limit>")
        };
        BusOptions options =
                BusOptions.of(
                        () -> now[0],
                        io.holdfast.dbus.address.BusAddress.parse(
                                "unix:path=" + folder.resolve("bus")));
        try (Bus bus = Bus.open(options);
                TestClient a = TestClient.silent(bus.addresses().getFirst().toString())) {
            var _ = a.authenticate(true).hello();
            assertThat(a.query("RequestName", "n.a", 0)).isEqualTo(1L);
            assertThat(addRules(a, 1)).isEqualTo("return");
            assertThat(addRules(a, 1)).isEqualTo("LimitsExceeded");
            now[0] = read("<limit name='max_match_rules_per_connection' own='n.a'>2</limit>");
            assertThat(bus.reload().join()).isEmpty();
            assertThat(addRules(a, 1)).isEqualTo("return");
            assertThat(addRules(a, 1)).isEqualTo("LimitsExceeded");
            now[0] = read("");
            assertThat(bus.reload().join()).isEmpty();
            assertThat(addRules(a, 1)).isEqualTo("return");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    name="auth_timeout" user="1"                     | is a limit of the whole bus
                    name="max_message_size" user="1"                 | is a limit of the whole bus
                    name="max_bytes_per_user" own="a.b"              | not a limit of a connection
                    name="max_names_per_connection" own="a"          | not a well-known bus name
                    name="max_names_per_connection" own="a.b" user="1" | not for both
                    name="max_names_per_connection" group="1"        | no such attribute
                    """)
    void whatMakesNoSenseIsRefusedWithItsPlace(String attributes, String reason) {
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> read("<limit " + attributes + ">1</limit>"))
                .withMessageContaining("limits.conf:2: <limit>")
                .withMessageContaining(reason);
    }

    @Test
    void onlySoManyHaveTheirOwn() throws Exception {
        StringBuilder many = new StringBuilder();
        for (int i = 0; i < 1024; i++) {
            many.append("<limit name='max_names_per_connection' user='")
                    .append(i)
                    .append("'>1</limit>\n");
        }
        Limits limits = read(many.toString()).limits();
        assertThat(limits.ofUsers())
                .hasSize(1024)
                .containsEntry("7", Map.of(BusLimit.MAX_NAMES_PER_CONNECTION, 1L));
        String more = many + "<limit name='max_names_per_connection' own='a.b'>1</limit>";
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> read(more))
                .withMessageContaining("limits.conf:1026");
    }
}
