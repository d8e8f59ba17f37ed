package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.bus.TestBus.Kind;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Needs;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The users and groups that a policy's text names, on our bus and on dbus-daemon. */
@Timeout(120)
@Needs(root = true, programs = "dbus-daemon")
class ConfiguredAccountsOnBusTest {
    /** Users of every Debian, each with the group of the same number. */
    private static final List<Long> USERS = List.of(0L, 2L, 8L, 33L, 65534L);

    /** The user that each text means; -1 for none. */
    private static final Map<String, Long> EXPECTED = expected();

    private static Map<String, Long> expected() {
        Map<String, Long> expected = new TreeMap<>();
        for (String text :
                List.of("8", "010", "00010", "0x8", "0X8", "0x00008", "0b1000", "+8", "mail")) {
            expected.put(text, 8L);
        }
        for (String text :
                List.of(" 8", "  +010", "4294967304", "-4294967288", "9223372036854775816")) {
            expected.put(text, 8L);
        }
        for (String text : List.of("0", "00", "-0", "0x0", "root", "4294967296", "-4294967296")) {
            expected.put(text, 0L);
        }
        for (String text : List.of("33", "041", "0x21", "www-data")) {
            expected.put(text, 33L);
        }
        for (String text : List.of("0b10", "02", "bin")) {
            expected.put(text, 2L);
        }
        expected.put("0177776", 65534L);
        expected.put("0xfffe", 65534L);
        for (String text :
                List.of("08", "8 ", "0x", "0b", "0b2", "8x", "1e1", "-8", "-1", "4294967295", "")) {
            expected.put(text, -1L);
        }
        for (String text :
                List.of("18446744073709551624", "18446744073709551615", "no-such-name", "*", "٨")) {
            expected.put(text, -1L);
        }
        return expected;
    }

    /** Returns a policy for each text, which allows one name. */
    private static String policies(String kind, List<String> texts) {
        StringBuilder policies =
                new StringBuilder(
                        """
                        <policy context="default"><allow user="*"/><allow send_destination="*"/>
                        <allow receive_sender="*"/></policy>
                        """);
        for (int i = 0; i < texts.size(); i++) {
            policies.append(
                    "<policy %s=\"%s\"><allow own=\"a.b%d\"/></policy>\n"
                            .formatted(kind, texts.get(i), i));
        }
        return policies.toString();
    }

    @ParameterizedTest
    @EnumSource(names = {"HOLDFAST", "DBUS_DAEMON"})
    void aPolicyIsForTheUserThatItsTextMeans(Kind kind) throws Exception {
        assertEachIsMeant(kind, "user");
    }

    @ParameterizedTest
    @EnumSource(names = {"HOLDFAST", "DBUS_DAEMON"})
    void aPolicyIsForTheGroupThatItsTextMeans(Kind kind) throws Exception {
        assertEachIsMeant(kind, "group");
    }

    private static void assertEachIsMeant(Kind kind, String attribute) throws Exception {
        List<String> texts = List.copyOf(EXPECTED.keySet());
        try (TestBus bus = TestBus.configured(kind, policies(attribute, texts))) {
            bus.letOthersIn();
            for (long user : USERS) {
                List<String> allowed = new ArrayList<>();
                TestClient client = connect(bus, user);
                for (int i = 0; i < texts.size(); i++) {
                    String outcome = client.tryBus(BUS, "RequestName", "a.b" + i, 0);
                    if (outcome.startsWith("return")) {
                        allowed.add(texts.get(i));
                    } else {
                        assertThat(outcome).isEqualTo("AccessDenied");
                    }
                }
                assertThat(allowed)
                        .as("%s %d", attribute, user)
                        .containsExactlyElementsOf(
                                texts.stream()
                                        .filter(text -> Objects.equals(EXPECTED.get(text), user))
                                        .toList());
            }
        }
    }

    private static TestClient connect(TestBus bus, long user) throws Exception {
        AtomicReference<TestClient> made = new AtomicReference<>();
        AsUser.of(user, () -> made.set(bus.silent().authenticate(true).hello()));
        return made.get();
    }

    @ParameterizedTest
    @ValueSource(strings = {"user", "group"})
    void aRuleAboutConnectingReadsThemInTheSameWay(String attribute) throws Exception {
        String rules =
                """
                <policy context="default"><deny user="*"/><allow user="00"/><allow %1$s="010"/>
                <allow %1$s="041"/><allow %1$s="08"/><deny %1$s="0x21"/>
                <allow send_destination="*"/><allow receive_sender="*"/></policy>
                """
                        .formatted(attribute);
        for (Kind kind : List.of(Kind.HOLDFAST, Kind.DBUS_DAEMON)) {
            try (TestBus bus = TestBus.configured(kind, rules)) {
                bus.letOthersIn();
                for (long user : new long[] {0, 8}) {
                    assertThat(connect(bus, user).name()).startsWith(":1.");
                }
                for (long user : new long[] {2, 33}) {
                    assertThatThrownBy(() -> connect(bus, user))
                            .as("%s %d", kind, user)
                            .hasMessageMatching("(?s).*(hung up|EPIPE|ECONNRESET).*");
                }
            }
        }
    }
}
