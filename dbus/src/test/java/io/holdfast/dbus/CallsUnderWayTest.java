package io.holdfast.dbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.limit.Charge;
import io.holdfast.core.linux.Unistd;
import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.dbus.CallsUnderWay.Counted;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageView;
import io.holdfast.dbus.wire.MessageWriter;
import io.holdfast.dbus.wire.Signature;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

@SameOnEveryKernel
class CallsUnderWayTest {
    private static final long USER = Unistd.geteuid() + 1_000;
    private static final long OTHER_USER = USER + 1;

    private final Map<String, CompletableFuture<Long>> asked = new LinkedHashMap<>();

    private CallsUnderWay onBus(ConnectionOptions options) {
        return new CallsUnderWay(
                options, true, name -> asked.computeIfAbsent(name, _ -> new CompletableFuture<>()));
    }

    private static Message call(String sender, int length) {
        MessageWriter writer =
                new MessageWriter().methodCall("/p", "org.example.I", "M").serial(1).sender(sender);
        writer.body(Signature.of("s")).putString("x".repeat(length));
        MessageView view = new MessageView();
        MemorySegment bytes = writer.finish();
        view.read(bytes, 0, (int) bytes.byteSize());
        return Message.of(view);
    }

    /** A call that does not wait. */
    private static Counted begin(CallsUnderWay calls, String sender, int length) {
        Counted counted = calls.begin(call(sender, length), () -> {});
        if (counted == null) {
            throw new AssertionError("the call waits");
        }
        return counted;
    }

    private static List<Counted> fill(CallsUnderWay calls, String sender, int atMost) {
        List<Counted> all = new ArrayList<>();
        try {
            while (all.size() < atMost) {
                all.add(begin(calls, sender, 0));
            }
        } catch (DBusException e) {
            assertThat(e.name()).isEqualTo(DBusException.LIMITS_EXCEEDED);
        }
        return all;
    }

    private CompletableFuture<Long> asked(String sender) {
        return Objects.requireNonNull(asked.get(sender), sender + " was not asked for");
    }

    private void know(String sender, long uid) {
        boolean _ = asked(sender).complete(uid);
    }

    @Test
    void theConnectionsOfOneUserShareWhatOneUserGets() {
        CallsUnderWay calls = onBus(ConnectionOptions.DEFAULT.withIncomingCalls(80));
        for (int i = 0; i < 8; i++) {
            begin(calls, ":1." + i, 0).end();
            know(":1." + i, USER);
        }
        int taken = 0;
        for (int i = 0; i < 8; i++) {
            taken += fill(calls, ":1." + i, 80).size();
        }
        assertThat(taken).isEqualTo(20); // half of the half that is not reserved
        begin(calls, ":1.100", 0).end();
        know(":1.100", OTHER_USER);
        assertThat(fill(calls, ":1.100", 80)).isNotEmpty();
    }

    @Test
    void callsOfANameMoveToItsUserWhenTheBusHasAnswered() {
        CallsUnderWay calls = onBus(ConnectionOptions.DEFAULT.withIncomingCalls(80));
        List<Counted> first = fill(calls, ":1.1", 10);
        assertThat(first).hasSize(10);
        assertThat(fill(calls, ":1.2", 6)).hasSize(6);
        know(":1.1", USER);
        know(":1.2", USER);
        assertThat(fill(calls, ":1.1", 80)).hasSize(4);
        first.forEach(Counted::end);
        assertThat(fill(calls, ":1.2", 80)).hasSize(10);
        assertThat(asked).hasSize(2);
    }

    @Test
    void aNameWithoutUserStaysAnAccountOfItsOwnAndIsAskedForOnce() {
        CallsUnderWay calls = onBus(ConnectionOptions.DEFAULT.withIncomingCalls(80));
        Counted counted = begin(calls, ":1.1", 0);
        boolean _ =
                asked(":1.1")
                        .completeExceptionally(
                                new DBusException(DBusException.NAME_HAS_NO_OWNER, "gone"));
        counted.end();
        assertThat(fill(calls, ":1.1", 80)).hasSize(20);
        assertThat(asked).hasSize(1);
    }

    @Test
    void rootAndOurOwnUserHaveAReserve() {
        CallsUnderWay calls = onBus(ConnectionOptions.DEFAULT.withIncomingCalls(80));
        for (int i = 1; i < 10; i++) {
            begin(calls, ":1." + i, 0).end();
            know(":1." + i, USER + i);
            fill(calls, ":1." + i, 80);
        }
        begin(calls, ":1.100", 0).end();
        know(":1.100", 0);
        assertThat(fill(calls, ":1.100", 80).size()).isGreaterThanOrEqualTo(40);
    }

    @Test
    void theFirstCallOfANameWaitsForItsUserWhereStrangersHaveNothingLeft() {
        CallsUnderWay calls = onBus(ConnectionOptions.DEFAULT.withIncomingCalls(4));
        for (String name : List.of(":1.1", ":1.2")) {
            Counted ignored = begin(calls, name, 0);
            know(name, USER);
        }
        List<String> begun = new ArrayList<>();
        assertThat(calls.begin(call(":1.3", 0), () -> begun.add("first"))).isNull();
        assertThat(calls.begin(call(":1.3", 0), () -> begun.add("second"))).isNull();
        assertThat(begun).isEmpty();
        know(":1.3", 0);
        assertThat(begun).containsExactly("first", "second");
        assertThat(fill(calls, ":1.3", 4)).hasSize(2);
        for (int i = 0; i < CallsUnderWay.WAITING_OF_NAME; i++) {
            assertThat(calls.begin(call(":1.4", 0), () -> {})).isNull();
        }
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(() -> calls.begin(call(":1.4", 0), () -> {}))
                .withMessageContaining("incomingCalls");
    }

    @Test
    void answersAreChargedUntilTheyAreSent() {
        CallsUnderWay calls = onBus(ConnectionOptions.DEFAULT.withOutgoingBytes(4_000));
        begin(calls, ":1.1", 0).end();
        know(":1.1", USER);
        Counted one = begin(calls, ":1.1", 0);
        Counted two = begin(calls, ":1.1", 0);
        Charge<Object> answer = one.answer(900);
        one.end();
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(() -> two.answer(200))
                .satisfies(e -> {
                    assertThat(e.name()).isEqualTo(DBusException.LIMITS_EXCEEDED);
                    assertThat(e.text())
                            .isEqualTo(
                                    "bytes of answers that wait: user %d holds 900 of 4000; raise"
                                                    .formatted(USER)
                                            + " ConnectionOptions.outgoingBytes");
                });
        answer.close();
        two.answer(200).close();
    }

    @Test
    void bytesOfCallsAreShared() {
        CallsUnderWay calls = onBus(ConnectionOptions.DEFAULT.withIncomingBytes(40_000));
        begin(calls, ":1.1", 0).end();
        know(":1.1", USER);
        Counted large = begin(calls, ":1.1", 8_000);
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(() -> begin(calls, ":1.1", 8_000))
                .withMessageContaining("incomingBytes");
        begin(calls, ":1.1", 100).end();
        large.end();
        begin(calls, ":1.1", 8_000).end();
    }

    @Test
    void withoutABusTheOnePeerMayTakeAll() {
        CallsUnderWay calls =
                new CallsUnderWay(
                        ConnectionOptions.DEFAULT.withIncomingCalls(10),
                        false,
                        name -> {
                            throw new AssertionError("asked for " + name);
                        });
        for (int i = 0; i < 10; i++) {
            Counted ignored = begin(calls, ":1.1", 0);
        }
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(() -> begin(calls, ":1.1", 0))
                .withMessageContaining("calls under way: the peer holds 10 of 10");
    }
}
