package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.Limit;
import io.holdfast.bus.config.Limits;
import io.holdfast.dbus.wire.Message;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Each limit at its edge: what fits is served, one more is refused, and room comes back. */
@Timeout(60)
class LimitsTest {
    private static TestBus limited(Limit limit, long value) {
        return TestBus.ours(BusConfig.permissive().withLimits(Limits.BUILT_IN.with(limit, value)));
    }

    @Test
    void names() throws Exception {
        try (TestBus bus = limited(Limit.MAX_NAMES_PER_CONNECTION, 3)) {
            TestClient a = bus.connect();
            assertThat(a.ask("RequestName", "n.a", 0)).isEqualTo(1L);
            assertThat(a.ask("RequestName", "n.b", 0)).isEqualTo(1L);
            Message error = a.callBus("RequestName", "n.c", 0);
            assertThat(a.describe(error)).isEqualTo("LimitsExceeded");
            assertThat((String) error.values().getFirst())
                    .contains("max_names_per_connection", "3 of 3");
            assertThat(a.ask("RequestName", "n.a", 0)).as("has it already").isEqualTo(4L);
            assertThat(a.ask("ReleaseName", "n.a")).isEqualTo(1L);
            assertThat(a.ask("RequestName", "n.c", 0)).isEqualTo(1L);
            assertThat(bus.connect().ask("RequestName", "n.a", 0)).isEqualTo(1L);
        }
    }

    @Test
    void matchRules() throws Exception {
        try (TestBus bus = limited(Limit.MAX_MATCH_RULES_PER_CONNECTION, 2)) {
            TestClient a = bus.connect();
            assertThat(a.tryBus(BUS, "AddMatch", "member='A'")).isEqualTo("return");
            assertThat(a.tryBus(BUS, "AddMatch", "member='A'")).isEqualTo("return");
            assertThat(a.tryBus(BUS, "AddMatch", "member='B'")).isEqualTo("LimitsExceeded");
            assertThat(a.tryBus(BUS, "RemoveMatch", "member='A'")).isEqualTo("return");
            assertThat(a.tryBus(BUS, "AddMatch", "member='B'")).isEqualTo("return");
            assertThat(bus.connect().tryBus(BUS, "AddMatch", "member='B'")).isEqualTo("return");
        }
    }

    @Test
    void repliesThatAreWaitedFor() throws Exception {
        try (TestBus bus = limited(Limit.MAX_REPLIES_PER_CONNECTION, 2)) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            int first = a.send(a.call(b.name(), "One"));
            int ignored = a.send(a.call(b.name(), "Two"));
            assertThat(a.describe(a.answer(a.send(a.call(b.name(), "Three")))))
                    .isEqualTo("LimitsExceeded");
            Message call = b.read();
            ignored = b.send(b.writer().methodReturn(call.serial()).destination(a.name()));
            assertThat(a.describe(a.answer(first))).isEqualTo("return");
            ignored = a.send(a.call(b.name(), "Four"));
            assertThat(a.heard()).isEmpty(); // the bus has handled it

            assertThat(b.heard()).containsExactly("Two", "Four");
        }
    }

    @Test
    void replyTime() throws Exception {
        try (TestBus bus = limited(Limit.REPLY_TIMEOUT, 200)) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            int serial = a.send(a.call(b.name(), "M"));
            assertThat(a.describe(a.answer(serial))).isEqualTo("NoReply");
            Message call = b.read();
            int ignored = b.send(b.writer().methodReturn(call.serial()).destination(a.name()));
            var _ = b.heard();

            assertThat(a.heard()).as("too late").isEmpty();
        }
    }

    @Test
    void connectionsInAll() throws Exception {
        try (TestBus bus = limited(Limit.MAX_COMPLETED_CONNECTIONS, 2)) {
            assertOnlyTwo(bus);
        }
    }

    @Test
    void connectionsOfAUser() throws Exception {
        try (TestBus bus = limited(Limit.MAX_CONNECTIONS_PER_USER, 2)) {
            assertOnlyTwo(bus);
        }
    }

    private static void assertOnlyTwo(TestBus bus) throws InterruptedException {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        TestClient late = bus.silent().authenticate(true);
        assertThat(late.tryBus(BUS, "Hello")).isEqualTo("LimitsExceeded");
        b.close();
        while (a.ask("NameHasOwner", b.name()).equals(true)) {
            Thread.onSpinWait();
        }
        assertThat(late.hello().name()).startsWith(":1.");
    }

    @Test
    void theLengthOfAMessage() throws Exception {
        try (TestBus bus = limited(Limit.MAX_MESSAGE_SIZE, 1_000)) {
            TestClient a = bus.connect();
            TestClient b = bus.connect();
            int most = 1_000 - TestClient.bytes(1, call(a, b, 0)).length;
            int ignored = a.send(call(a, b, most));
            assertThat((byte[]) b.read().values().getFirst()).hasSize(most);
            ignored = a.send(call(a, b, most + 1));

            assertThat(a.untilClosed()).isEmpty();
            assertThat(b.heard()).isEmpty();
        }
    }

    private static io.holdfast.dbus.wire.MessageWriter call(TestClient a, TestClient b, int size) {
        return TestClient.body(a.call(b.name(), "M"), new byte[size]);
    }
}
