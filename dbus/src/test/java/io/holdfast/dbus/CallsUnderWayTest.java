package io.holdfast.dbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.limit.Charge;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.dbus.CallsUnderWay.Counted;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.marshal.ReceivedMessage;
import io.holdfast.dbus.wire.Message;
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

    private final Map<String, CompletableFuture<Long>> lookups = new LinkedHashMap<>();

    private CallsUnderWay onBus(ConnectionOptions options) {
        return new CallsUnderWay(
                options,
                true,
                name -> lookups.computeIfAbsent(name, _ -> new CompletableFuture<>()));
    }

    private static Message call(String sender, int length) {
        MessageWriter writer =
                new MessageWriter().methodCall("/p", "org.example.I", "M").serial(1).sender(sender);
        writer.body(Signature.of("s")).putString("x".repeat(length));
        MessageView view = new MessageView();
        MemorySegment bytes = writer.finish();
        view.read(bytes, 0, (int) bytes.byteSize());
        return ReceivedMessage.of(view);
    }

    /** Begins a call of a caller whose user is known. */
    private static Counted begin(CallsUnderWay calls, String sender, int length) {
        Counted counted = calls.begin(call(sender, length), () -> {});
        if (counted == null) {
            throw new AssertionError("the call waits");
        }
        return counted;
    }

    private void introduce(CallsUnderWay calls, String name, long uid) {
        assertThat(calls.begin(call(name, 0), () -> {})).isNull();
        know(name, uid);
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

    private CompletableFuture<Long> lookup(String sender) {
        return Objects.requireNonNull(lookups.get(sender), sender + " was not looked up");
    }

    private void know(String sender, long uid) {
        boolean _ = lookup(sender).complete(uid);
    }

    @Test
    void theConnectionsOfOneUserShareWhatOneUserGets() {
        CallsUnderWay calls = onBus(ConnectionOptions.standard().withIncomingCalls(80));
        for (int i = 0; i < 8; i++) {
            introduce(calls, ":1." + i, USER);
        }
        int taken = 0;
        for (int i = 0; i < 8; i++) {
            taken += fill(calls, ":1." + i, 80).size();
        }
        assertThat(taken).isEqualTo(20); // half of the half that is not reserved
        introduce(calls, ":1.100", OTHER_USER);
        assertThat(fill(calls, ":1.100", 80)).isNotEmpty();
    }

    @Test
    void whatIsOpenedForACallCountsUntilItEnds() {
        CallsUnderWay calls = onBus(ConnectionOptions.standard().withIncomingDescriptors(80));
        introduce(calls, ":1.1", USER);
        Counted first = begin(calls, ":1.1", 0);
        first.opens(20); // half of the half that is not reserved
        Counted second = begin(calls, ":1.1", 0);
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(() -> second.opens(1))
                .withMessageContaining("holds 20 of 80")
                .matches(e -> e.name().equals(DBusException.LIMITS_EXCEEDED));
        first.end();
        second.opens(20);
    }

    @Test
    void manyCallsOfNewcomersKeepNoOtherNewcomerFromAsking() {
        CallsUnderWay calls = onBus(ConnectionOptions.standard().withIncomingBytes(256 << 10));
        int waiting = 0;
        for (int i = 0; i < 8; i++) {
            waiting += fillWaiting(calls, ":1." + i, 120, 1 << 10);
        }
        assertThat(waiting).as("limited").isBetween(8, 8 * 120 - 1);

        assertThat(calls.begin(call(":1.100", 1 << 10), () -> {})).isNull();
        assertThat(calls.begin(call(":1.100", 1 << 10), () -> {})).isNull();
    }

    private static int fillWaiting(CallsUnderWay calls, String sender, int count, int length) {
        for (int i = 0; i < count; i++) {
            try {
                assertThat(calls.begin(call(sender, length), () -> {})).isNull();
            } catch (DBusException e) {
                assertThat(e.name()).isEqualTo(DBusException.LIMITS_EXCEEDED);
                return i;
            }
        }
        return count;
    }

    @Test
    void theFirstCallsOfANameWaitForItsUserInOrderAndAreChargedToHim() {
        CallsUnderWay calls = onBus(ConnectionOptions.standard().withIncomingCalls(80));
        List<String> begun = new ArrayList<>();
        for (String name : List.of("first", "second")) {
            assertThat(
                            calls.begin(
                                    call(":1.1", 0),
                                    () -> {
                                        begun.add(name);
                                        begin(calls, ":1.1", 0);
                                    }))
                    .isNull();
        }
        assertThat(begun).isEmpty();
        know(":1.1", USER);
        assertThat(begun).containsExactly("first", "second");
        assertThat(lookups).as("one lookup").hasSize(1);
        introduce(calls, ":1.2", USER);
        assertThat(fill(calls, ":1.2", 80)).hasSize(18);
    }

    @Test
    void callersWhoHaveLeftShareOneAccount() {
        CallsUnderWay calls = onBus(ConnectionOptions.standard().withIncomingCalls(80));
        int taken = 0;
        for (int i = 0; i < 10; i++) {
            String name = ":1." + i;
            assertThat(calls.begin(call(name, 0), () -> {})).isNull();
            boolean _ =
                    lookup(name)
                            .completeExceptionally(
                                    new DBusException(DBusException.NAME_HAS_NO_OWNER, "gone"));
            taken += fill(calls, name, 8).size();
        }
        assertThat(taken).isEqualTo(20); // half of the half that is not reserved
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(() -> begin(calls, ":1.1", 0))
                .withMessageContaining("the share of disconnected callers holds 20 of 80");
        introduce(calls, ":1.100", USER);
        assertThat(fill(calls, ":1.100", 80)).isNotEmpty();
    }

    @Test
    void oneNameDoesNotTakeThePlacesOfAllThatWait() {
        CallsUnderWay calls = onBus(ConnectionOptions.standard().withIncomingCalls(80));
        for (int i = 0; i < 40; i++) {
            assertThat(calls.begin(call(":1.1", 0), () -> {})).isNull();
        }
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(() -> calls.begin(call(":1.1", 0), () -> {}))
                .withMessageEndingWith(
                        "calls waiting for the caller's uid: :1.1 holds 40 of 80;"
                                + " raise ConnectionOptions.incomingCalls");
        assertThat(calls.begin(call(":1.2", 0), () -> {})).isNull();
        know(":1.1", USER);
        know(":1.2", USER);
        for (int i = 0; i < 40; i++) {
            assertThat(calls.begin(call(":1.3", 0), () -> {})).isNull();
        }
    }

    @Test
    void rootAndOurOwnUserHaveAReserve() {
        CallsUnderWay calls = onBus(ConnectionOptions.standard().withIncomingCalls(80));
        for (int i = 1; i < 10; i++) {
            introduce(calls, ":1." + i, USER + i);
            fill(calls, ":1." + i, 80);
        }
        introduce(calls, ":1.100", 0);
        assertThat(fill(calls, ":1.100", 80).size()).isGreaterThanOrEqualTo(40);
    }

    @Test
    void answersAreChargedUntilTheyAreSent() {
        CallsUnderWay calls = onBus(ConnectionOptions.standard().withOutgoingBytes(4_000));
        introduce(calls, ":1.1", USER);
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
                                    "bytes of replies waiting to be sent: user %d holds 900 of 4000;"
                                                    .formatted(USER)
                                            + " raise ConnectionOptions.outgoingBytes");
                });
        answer.close();
        two.answer(200).close();
    }

    @Test
    void bytesOfCallsAreShared() {
        CallsUnderWay calls = onBus(ConnectionOptions.standard().withIncomingBytes(40_000));
        introduce(calls, ":1.1", USER);
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
                        ConnectionOptions.standard().withIncomingCalls(10),
                        false,
                        name -> {
                            throw new AssertionError("looked up " + name);
                        });
        for (int i = 0; i < 10; i++) {
            Counted ignored = begin(calls, ":1.1", 0);
        }
        assertThatExceptionOfType(DBusException.class)
                .isThrownBy(() -> begin(calls, ":1.1", 0))
                .withMessageContaining("calls under way: the peer holds 10 of 10");
    }
}
