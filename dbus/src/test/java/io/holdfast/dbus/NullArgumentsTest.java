package io.holdfast.dbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * D-Bus has no null: the exception names the place of a null, and a call that fails half-way leaves
 * nothing open.
 */
@Timeout(60)
@SuppressWarnings({"NullAway", "try"}) // nulls are tested; exported objects are only kept open
class NullArgumentsTest {
    private static final String TEST = "org.example.Test";

    private @Nullable BusConnection one;
    private @Nullable BusConnection other;

    @BeforeEach
    void connect() throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<BusConnection> accepted =
                    threads.submit(() ->
                            BusConnection.accept(
                                    pair[1],
                                    "0123456789abcdef0123456789abcdef",
                                    ConnectionOptions.standard()));
            one = BusConnection.withPeer(pair[0], ConnectionOptions.standard());
            other = accepted.get();
        }
    }

    @AfterEach
    void disconnect() {
        one.close();
        other.close();
    }

    private RemoteObject object() {
        return one.object("/test");
    }

    static Stream<Arguments> nullsInValues() {
        return Stream.of(
                arguments("s", null, "argument 0 of 's': it is null"),
                arguments("as", Arrays.asList("a", null), "argument 0 of 'as': element 1 is null"),
                arguments(
                        "a{ss}",
                        Collections.singletonMap("key", null),
                        "argument 0 of 'a{ss}': the value of key is null"),
                arguments(
                        "a{ss}",
                        Collections.singletonMap(null, "value"),
                        "argument 0 of 'a{ss}': a key is null"),
                arguments(
                        "(ss)", Arrays.asList("a", null), "argument 0 of '(ss)': a member is null"),
                arguments(
                        "v",
                        Variant.of("as", Collections.singletonList(null)),
                        "argument 0 of 'v': element 0 is null"));
    }

    @ParameterizedTest
    @MethodSource("nullsInValues")
    void aNullAmongValuesIsNamed(String type, @Nullable Object value, String message)
            throws Exception {
        Object[] arguments = {value};
        try (ExportedObject exported =
                other.export("/test", BusInterface.named(TEST).signal("Tick", type).build())) {
            List<ThrowingCallable> all =
                    List.of(
                            () -> object().call(TEST, "M", type, arguments),
                            () -> object().exchange(TEST, "M", type, arguments).close(),
                            () -> object().begin(TEST, "M", type, arguments).join().close(),
                            () -> object().callWithoutReply(TEST, "M", type, arguments),
                            () -> exported.emit(TEST, "Tick", arguments),
                            () -> one.offerSignal("", "/test", TEST, "Tick", type, arguments));
            for (ThrowingCallable each : all) {
                assertThatIllegalArgumentException().isThrownBy(each).withMessage(message);
            }
        }
        object().call("org.freedesktop.DBus.Peer", "Ping"); // nothing was sent
    }

    @Test
    void aNullThatIsNoValueIsNamed() throws Exception {
        named("path", () -> one.object(null));
        named("destination", () -> one.object(null, "/a"));
        named("interfaceName", () -> object().call(null, "M"));
        named("method", () -> object().call(TEST, null));
        named("signature", () -> object().call(TEST, "M", null, 1));
        named("arguments", () -> object().call(TEST, "M", "s", (Object[]) null));
        named("interfaceName", () -> object().get(null, "P"));
        named("property", () -> object().get(TEST, null));
        named("interfaceName", () -> object().getAll(null));
        named("value", () -> object().set(TEST, "P", null));
        named("path", () -> one.export(null));
        named("interfaces", () -> one.export("/a", (BusInterface) null));
        named("value", () -> Variant.of("s", null));
        named("type", () -> Variant.of(null, 1));
        named("member 1", () -> Struct.of(1, null));
        named("path", () -> new ObjectPath(null));
        named("busName", () -> one.peer(null).close());
        named("rule", () -> one.subscribe((String) null).close());
        named("handler", () -> one.subscribe("", null).close());
        BusInterface.Builder builder = BusInterface.named(TEST);
        named("name", () -> BusInterface.named(null));
        named("handler", () -> builder.method("M", "", "", null));
        named("handler", () -> builder.asyncMethod("M", "", "", null));
        named("in", () -> builder.method("M", null, "", _ -> List.of()));
        named("out", () -> builder.method("M", "", null, _ -> List.of()));
        named("the name of a member", () -> builder.method(null, "", "", _ -> List.of()));
        named("reader", () -> builder.property("P", "s", null));
        named("type", () -> builder.property("P", null, () -> ""));
        named("type", () -> builder.signal("S", null));
        try (ExportedObject exported = one.export("/b", BusInterface.named(TEST).build())) {
            named("interfaceName", () -> exported.emit(null, "Tick"));
            named("signal", () -> exported.emit(TEST, null));
        }
    }

    private static void named(String name, ThrowingCallable call) {
        assertThatNullPointerException().isThrownBy(call).withMessage(name);
    }

    @Test
    void aHandlerThatReturnsNullFailsWithOneLine() throws Exception {
        BusInterface careless =
                BusInterface.named(TEST)
                        .method("Nothing", "", "", _ -> null)
                        .method("Null", "", "s", _ -> Collections.singletonList(null))
                        .build();
        try (ExportedObject exported = other.export("/test", careless)) {
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(() -> object().call(TEST, "Nothing"))
                    .withMessageContaining("the handler returned null");
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(() -> object().call(TEST, "Null"))
                    .withMessageContaining("argument 0 of 's': it is null");
        }
    }

    @Test
    void anExportThatFailsIsUndone() throws Exception {
        BusInterface failing =
                BusInterface.named(TEST)
                        .property(
                                "P",
                                "s",
                                () -> {
                                    throw new IllegalStateException("no value");
                                })
                        .build();
        BusInterface wrong = BusInterface.named(TEST).property("P", "s", () -> 7).build();
        BusInterface absent = BusInterface.named(TEST).property("P", "s", () -> null).build();
        try (ExportedObject above = other.export("/")) {
            assertThatIllegalStateException()
                    .isThrownBy(() -> other.export("/test", failing))
                    .withMessage("no value");
            assertThatIllegalArgumentException().isThrownBy(() -> other.export("/test", wrong));
            assertThatIllegalStateException()
                    .isThrownBy(() -> other.export("/test", absent))
                    .withMessage("the property P is null");
            assertThatExceptionOfType(DBusException.class)
                    .isThrownBy(() -> object().getAll(TEST))
                    .satisfies(e -> assertThat(e.name()).isEqualTo(DBusException.UNKNOWN_OBJECT));
            BusInterface good = BusInterface.named(TEST).property("P", "s", () -> "v").build();
            try (ExportedObject exported = other.export("/test", good)) {
                assertThat(object().getAll(TEST)).isEqualTo(Map.of("P", "v"));
            }
        }
    }
}
