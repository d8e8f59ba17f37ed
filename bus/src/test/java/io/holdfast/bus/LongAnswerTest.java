package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.core.testkit.Await;
import io.holdfast.dbus.marshal.WireLimits;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Replies of the bus that would not fit into a message. */
@Timeout(300)
class LongAnswerTest {
    private static final String STATS = "org.freedesktop.DBus.Debug.Stats";
    private static final int RULE = 1_000;
    private static final int RULES = WireLimits.MAX_ARRAY / RULE + 1;

    @Test
    void anAnswerThatNoMessageHoldsIsAnErrorAndHarmsNobody() throws Exception {
        BusConfig config =
                BusConfig.permissive()
                        .withLimits(
                                BusConfig.permissive()
                                        .limits()
                                        .with(BusLimit.MAX_MATCH_RULES_PER_CONNECTION, RULES)
                                        .with(BusLimit.MAX_MATCH_RULES_PER_USER, 4L * RULES)
                                        .with(BusLimit.MAX_TABLE_BYTES, 4L << 30));
        try (TestBus bus = TestBus.ours(config)) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            for (int i = 0; i < RULES; i++) {
                String rule = "arg0='%06d".formatted(i);
                rule += "x".repeat(RULE - rule.length() - 1) + "'";
                assertThat(a.tryBus(BUS, "AddMatch", rule)).isEqualTo("return");
            }
            try (Message refusal = b.answer(b.send(b.toBus(STATS, "GetAllMatchRules")))) {
                assertThat(refusal.type()).isEqualTo(MessageType.ERROR);
                assertThat(refusal.errorName())
                        .isEqualTo("org.freedesktop.DBus.Error.LimitsExceeded");
                assertThat((String) refusal.values().getFirst())
                        .startsWith("the reply does not fit into a message: ");
            }
            assertThat(a.query("NameHasOwner", b.name())).isEqualTo(true);
            a.close();
            while (!b.query("NameHasOwner", a.name()).equals(false)) {
                Await.pause();
            }
            assertThat(b.tryBus(STATS, "GetAllMatchRules")).startsWith("return");
        }
    }
}
