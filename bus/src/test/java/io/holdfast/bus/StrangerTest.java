package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.driver.CredentialsReply;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.marshal.BodyWriter;
import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Variant;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The bus answers nothing before Hello, and answers about unknown names with an error. */
@Timeout(120)
class StrangerTest {
    private static final String PEER = "org.freedesktop.DBus.Peer";
    private static final String PROPERTIES = "org.freedesktop.DBus.Properties";
    private static final String STATS = "org.freedesktop.DBus.Debug.Stats";
    private static final List<String> BAD_NAMES =
            List.of("", "a", "a..b", ".a.b", "a.b.", "a.é", ":1", ":x.y ");

    private static MessageWriter environment(TestClient a) {
        return a.toBus(BUS, "UpdateActivationEnvironment")
                .body("a{ss}")
                .beginArray()
                .endArray()
                .end();
    }

    private static MessageWriter set(TestClient a, String path) {
        BodyWriter set =
                a.writer().methodCall(path, PROPERTIES, "Set").destination(BUS).body("ssv");
        set.putString(BUS).putString("Features").beginVariant(Signature.of("s"));
        return set.putString("x").endVariant().end();
    }

    @EveryBus
    void beforeHelloNoInterfaceAnswers(TestBus bus) throws Exception {
        TestClient a = bus.silent().authenticate(true);

        assertThat(a.tryBus(PEER, "Ping")).isEqualTo("AccessDenied");
        assertThat(a.tryBus(PEER, "GetMachineId")).isEqualTo("AccessDenied");
        assertThat(a.tryBus(PROPERTIES, "Get", BUS, "Features")).isEqualTo("AccessDenied");
        assertThat(a.tryBus(PROPERTIES, "GetAll", BUS)).isEqualTo("AccessDenied");
        assertThat(a.tryBus(STATS, "GetStats")).isEqualTo("AccessDenied");
        assertThat(a.tryBus(STATS, "GetConnectionStats", BUS)).isEqualTo("AccessDenied");
        assertThat(a.tryBus(STATS, "GetAllMatchRules")).isEqualTo("AccessDenied");
        assertThat(a.describe(a.answer(a.send(environment(a))))).isEqualTo("AccessDenied");
        assertThat(a.describe(a.answer(a.send(set(a, "/org/freedesktop/DBus")))))
                .isEqualTo("AccessDenied");
        assertThat(a.hello().name()).startsWith(":1.");
    }

    @EveryBus
    void propertiesAreAtTheirPathAlone(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        String refused = bus.isBroker() ? "AccessDenied" : "UnknownInterface";
        int get =
                a.send(
                        TestClient.body(
                                a.writer().methodCall("/x", PROPERTIES, "Get").destination(BUS),
                                BUS,
                                "Features"));

        assertThat(a.describe(a.answer(get))).isEqualTo(refused);
        assertThat(a.describe(a.answer(a.send(set(a, "/x"))))).isEqualTo(refused);
    }

    @EveryBus
    void theBusHasCredentialsToo(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        Map<?, ?> all = (Map<?, ?>) a.query("GetConnectionCredentials", BUS);
        long pid = (Long) value(all, "ProcessID");

        assertThat(a.query("GetConnectionUnixProcessID", BUS)).isEqualTo(pid);
        assertThat(value(all, "UnixUserID")).isEqualTo(a.query("GetConnectionUnixUser", BUS));
        if (bus.isDaemon()) {
            try (PidFd process = PidFd.open((int) pid)) {
                assertThat(process.proc().name()).isEqualTo("dbus-daemon");
            }
        } else { // dbus-broker reports the peer of its controller's socket
            assertThat(pid).isEqualTo(ProcessHandle.current().pid());
        }
    }

    @EveryBus
    void aMalformedNameHasNoCredentials(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        for (String name : BAD_NAMES) {
            for (String member :
                    List.of(
                            "GetConnectionUnixUser",
                            "GetConnectionUnixProcessID",
                            "GetConnectionCredentials",
                            "GetConnectionSELinuxSecurityContext",
                            "GetAdtAuditSessionData")) {
                assertThat(a.tryBus(BUS, member, name))
                        .as("%s of '%s'", member, name)
                        .isEqualTo("NameHasNoOwner");
            }
        }
    }

    @EveryBus
    void theBusIsNotStarted(TestBus bus) throws Exception {
        TestClient a = bus.connect();

        assertThat(a.tryBus(BUS, "StartServiceByName", BUS, 0)).isEqualTo("ServiceUnknown");
    }

    @EveryBus
    void aLabelIsToldWhereTheKernelHasOne(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        Map<?, ?> all = (Map<?, ?>) a.query("GetConnectionCredentials", a.name());
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = pair[0];
                UnixSocket other = pair[1];
                Peer self = one.peer()) {
            assertThat(other.fd().isOpen()).isTrue();
            assertThat(all.containsKey("LinuxSecurityLabel")).isEqualTo(self.label().isPresent());
            if (self.label().isPresent()) {
                assertThat((byte[]) value(all, "LinuxSecurityLabel"))
                        .isEqualTo(withNul(self.label().get()));
            }
        }
    }

    private static byte[] withNul(String label) {
        byte[] text = label.getBytes(StandardCharsets.UTF_8);
        return Arrays.copyOf(text, text.length + 1);
    }

    @Test
    void aLabelEndsInANulAndGroupsAreSortedWithTheEffectiveOne() {
        Peer peer =
                new Peer.BestEffort(
                        7, 8, 5, List.of(9L, 0xFFFF_FFFEL, 5L, 3L, 9L), Optional.of("a_u:b_r:ü"));
        BodyWriter body = new MessageWriter().methodReturn(1).serial(2).body("a{sv}");
        CredentialsReply.put(body, peer, false, null);
        Map<?, ?> all =
                (Map<?, ?>)
                        io.holdfast.dbus.marshal.ReceivedMessage.of(view(body.end()), List.of())
                                .values()
                                .getFirst();

        assertThat((byte[]) value(all, "LinuxSecurityLabel")).isEqualTo(withNul("a_u:b_r:ü"));
        assertThat(value(all, "UnixGroupIDs")).isEqualTo(List.of(3L, 5L, 9L, 0xFFFF_FFFEL));
        assertThat(value(all, "ProcessID")).isEqualTo(7L);
        assertThat(value(all, "UnixUserID")).isEqualTo(8L);
        assertThat(all.containsKey("ProcessFD")).isFalse();
    }

    private static io.holdfast.dbus.marshal.MessageView view(MessageWriter message) {
        io.holdfast.dbus.marshal.MessageView view = new io.holdfast.dbus.marshal.MessageView();
        byte[] bytes = TestClient.bytes(2, message);
        view.read(java.lang.foreign.MemorySegment.ofArray(bytes), 0, bytes.length);
        return view;
    }

    private static Object value(Map<?, ?> dictionary, String key) {
        assertThat(dictionary.keySet().stream().map(String::valueOf)).contains(key);
        return ((Variant) Objects.requireNonNull(dictionary.get(key))).value();
    }
}
