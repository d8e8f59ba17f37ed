package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageFlags;
import io.holdfast.dbus.wire.MessageType;
import java.util.List;
import org.junit.jupiter.api.Timeout;

/**
 * The delivery of calls, replies and errors between two clients, and of those to names without an
 * owner.
 */
@Timeout(120)
class RoutingTest {
    private static MessageWriter answer(TestClient by, Message call) {
        return by.writer().methodReturn(call.serial()).destination(String.valueOf(call.sender()));
    }

    @EveryBus
    void aCallIsAnswered(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        int serial = a.send(TestClient.body(a.call(b.name(), "M"), "x", 7));
        Message call = b.read();
        assertThat(b.describe(call)).isEqualTo("M(x,7)");
        assertThat(call.sender()).isEqualTo(a.name());
        assertThat(call.destination()).isEqualTo(b.name());
        assertThat(call.serial()).isEqualTo(serial);
        assertThat(call.path()).isEqualTo("/p");

        int ignored = b.send(TestClient.body(answer(b, call), "y"));
        Message reply = a.answer(serial);
        assertThat(a.describe(reply)).isEqualTo("return(y)");
        assertThat(reply.sender()).isEqualTo(b.name());
    }

    @EveryBus
    void aMessageToOneselfArrives(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        int serial = a.send(a.call(a.name(), "M"));
        Message call = a.read();
        assertThat(call.serial()).isEqualTo(serial);
        int ignored = a.send(answer(a, call));

        assertThat(a.answer(serial).sender()).isEqualTo(a.name());
    }

    @EveryBus
    void aWellKnownNameIsWhoOwnsIt(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        assertThat(b.query("RequestName", "b.b", 0)).isEqualTo(1L);
        var _ = b.heard();
        int serial = a.send(a.call("b.b", "M"));
        Message call = b.read();
        assertThat(call.destination()).isEqualTo("b.b");
        int ignored = b.send(answer(b, call));

        assertThat(a.answer(serial).sender()).isEqualTo(b.name());
    }

    @EveryBus
    void aCallToNobodyIsRefused(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient gone = bus.connect();
        gone.close();
        for (String name : List.of("no.body", ":1.999", ":1.x", ":2.0")) {
            Message error = a.answer(a.send(a.call(name, "M")));
            assertThat(a.describe(error)).as(name).isEqualTo("ServiceUnknown");
            assertThat(error.sender()).isEqualTo(BUS);
            int serial = a.send(a.call(name, "M").flags(MessageFlags.NO_AUTO_START));
            assertThat(a.describe(a.answer(serial))).as(name).isEqualTo("NameHasNoOwner");
        }
        int ignored = a.send(a.call("no.body", "M").flags(MessageFlags.NO_REPLY_EXPECTED));
        assertThat(a.heard()).isEqualTo(bus.isDaemon() ? List.of("ServiceUnknown") : List.of());
        ignored = a.send(a.signal("S").destination("no.body"));
        assertThat(a.heard()).isEqualTo(bus.isDaemon() ? List.of("ServiceUnknown") : List.of());
    }

    @EveryBus
    void aReplyPassesOnceAndOnlyFromWhoWasAsked(TestBus bus) throws Exception {
        bus.assumeIsNot(TestBus.Kind.DBUS_DAEMON, "lets unasked replies pass by its policy here");
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        TestClient c = bus.connect();
        int serial = a.send(a.call(b.name(), "M"));
        Message call = b.read();
        int ignored = c.send(answer(c, call));
        ignored = b.send(b.writer().methodReturn(serial + 1).destination(a.name()));
        ignored = b.send(b.writer().error("e.E", serial).destination(c.name()));
        var _ = c.callBus("GetId");
        ignored = b.send(answer(b, call));
        ignored = b.send(answer(b, call));
        ignored = b.send(b.writer().error("e.E", serial).destination(a.name()));
        var _ = b.callBus("GetId");

        List<Message> got = a.messages();
        assertThat(got).hasSize(1);
        assertThat(got.getFirst().sender()).isEqualTo(b.name());
        assertThat(c.heard()).isEmpty();
    }

    @EveryBus
    void anErrorIsAnAnswerToo(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        int serial = a.send(a.call(b.name(), "M"));
        Message call = b.read();
        int ignored =
                b.send(
                        TestClient.body(
                                b.writer().error("e.E", call.serial()).destination(a.name()),
                                "why"));

        Message error = a.answer(serial);
        assertThat(error.errorName()).isEqualTo("e.E");
        assertThat(error.values()).isEqualTo(List.of("why"));
    }

    @EveryBus
    void aCallThatWantsNoReplyGetsNone(TestBus bus) throws Exception {
        bus.assumeIsNot(TestBus.Kind.DBUS_DAEMON, "lets unasked replies pass here");
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        int ignored = a.send(a.call(b.name(), "M").flags(MessageFlags.NO_REPLY_EXPECTED));
        Message call = b.read();
        assertThat(call.hasFlag(MessageFlags.NO_REPLY_EXPECTED)).isTrue();
        ignored = b.send(answer(b, call));
        var _ = b.callBus("GetId");

        assertThat(a.heard()).isEmpty();
    }

    @EveryBus
    void theBusIsSilentWhereNoReplyIsExpected(TestBus bus) throws Exception {
        bus.assumeIsNot(TestBus.Kind.DBUS_DAEMON, "answers nevertheless");
        TestClient a = bus.connect();
        int ignored = a.send(a.toBus(BUS, "GetId").flags(MessageFlags.NO_REPLY_EXPECTED));
        ignored = a.send(a.toBus(BUS, "Nothing").flags(MessageFlags.NO_REPLY_EXPECTED));
        ignored =
                a.send(a.toBus(BUS, "RequestName", "n.n", 0).flags(MessageFlags.NO_REPLY_EXPECTED));

        assertThat(a.heard()).containsExactly("NameAcquired(n.n)");
    }

    @EveryBus
    void aSerialThatWaitsForItsReplyIsNotUsedAgain(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        TestClient c = bus.connect();
        a.sendAs(900, a.call(b.name(), "One"));
        a.sendAs(900, a.call(c.name(), "Other"));
        a.sendAs(900, a.call(b.name(), "Two"));
        assertThat(a.describe(a.answer(900))).isEqualTo("AccessDenied");
        assertThat(c.heard()).containsExactly("Other");

        List<Message> got = b.messages();
        assertThat(got.stream().map(Message::member)).containsExactly("One");
        int ignored = b.send(answer(b, got.getFirst()));
        assertThat(a.describe(a.answer(900))).isEqualTo("return");
        a.sendAs(900, a.call(b.name(), "Three"));
        assertThat(b.describe(b.read())).as("it is free again").isEqualTo("Three");
    }

    @EveryBus
    void whoWaitsForOneThatGoesIsTold(TestBus bus) throws Exception {
        TestClient observer = bus.connect();
        assertThat(observer.tryBus(BUS, "AddMatch", "member='NameOwnerChanged'"))
                .isEqualTo("return");
        TestClient b = bus.connect();
        var _ = observer.heard();
        int one = observer.send(observer.call(b.name(), "M"));
        int two = observer.send(observer.call(b.name(), "M"));
        int silent =
                observer.send(observer.call(b.name(), "M").flags(MessageFlags.NO_REPLY_EXPECTED));
        var _ = observer.callBus("GetId");
        b.close();

        List<Message> messages = List.of(observer.read(), observer.read(), observer.read());
        assertThat(
                        messages.stream()
                                .filter(m -> m.type() == MessageType.ERROR)
                                .map(Message::replySerial))
                .containsExactlyInAnyOrder(one, two)
                .doesNotContain(silent);
        assertThat(messages.stream().map(observer::describe))
                .containsExactlyInAnyOrder(
                        "NameOwnerChanged(" + b.name() + "," + b.name() + ",)",
                        "NoReply",
                        "NoReply");
        assertThat(observer.heard()).isEmpty();
    }

    @EveryBus
    void aReplyToOneThatIsGoneIsDropped(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        int ignored = a.send(a.call(b.name(), "M"));
        Message call = b.read();
        a.close();
        ignored = b.send(answer(b, call));

        assertThat(b.heard()).isEqualTo(bus.isDaemon() ? List.of("ServiceUnknown") : List.of());
    }

    @EveryBus
    void whatWasSentBeforeTheEndStillArrives(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        for (int i = 0; i < 50; i++) {
            int ignored = a.send(TestClient.body(a.call(b.name(), "M"), i));
        }
        a.close();
        for (int i = 0; i < 50; i++) {
            assertThat(b.describe(b.read())).isEqualTo("M(" + i + ")");
        }
    }

    @EveryBus
    void messagesOfUnknownTypesGoNowhere(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        for (int type : new int[] {5, 77, 255}) {
            byte[] bytes = TestClient.bytes(900, a.call(b.name(), "M"));
            bytes[1] = (byte) type;
            a.sendBytes(bytes);
        }
        var _ = a.heard();
        assertThat(b.heard()).isEmpty();
    }

    @EveryBus
    void answersToTheBusOrToNobodyAreIgnored(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        int ignored = a.send(a.writer().methodReturn(5).destination(BUS));
        ignored = a.send(a.writer().error("e.E", 5).destination(BUS));
        ignored = a.send(a.signal("S").destination(BUS));
        if (bus.isOurs()) {
            ignored = a.send(a.writer().methodReturn(5));
            ignored = a.send(a.writer().error("e.E", 5));
        }
        assertThat(a.heard()).isEmpty();
    }

    @EveryBus
    void orderIsKeptBetweenTwo(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        for (int i = 0; i < 60; i++) {
            int ignored = a.send(TestClient.body(a.call(b.name(), "M"), i, "x".repeat(i * 700)));
            ignored = a.send(TestClient.body(a.signal("S").destination(b.name()), i));
        }
        for (int i = 0; i < 60; i++) {
            assertThat(b.read().values().getFirst()).isEqualTo((long) i);
            assertThat(b.describe(b.read())).isEqualTo("S(" + i + ")");
        }
    }
}
