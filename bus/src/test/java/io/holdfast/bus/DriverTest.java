package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static io.holdfast.dbus.BusNames.BUS_PATH;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.bus.TestBus.Kind;
import io.holdfast.bus.driver.MachineId;
import io.holdfast.core.process.PidFd;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.Variant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Timeout;

/** The bus as a peer: the answer of each of its methods, before Hello and after. */
@Timeout(120)
class DriverTest {
    private static final String PEER = "org.freedesktop.DBus.Peer";
    private static final String PROPERTIES = "org.freedesktop.DBus.Properties";
    private static final String INTROSPECTABLE = "org.freedesktop.DBus.Introspectable";
    private static final String MONITORING = "org.freedesktop.DBus.Monitoring";
    private static final String STATS = "org.freedesktop.DBus.Debug.Stats";
    private static final List<String> BAD_NAMES = List.of("", "a", "a..b", ".a.b", "a.b.", "a.é");

    @EveryBus
    void aClientIsNamedWhenItSaysHelloAndSaysItOnce(TestBus bus) throws Exception {
        TestClient a = bus.connect();

        assertThat(a.name()).matches(bus.isOurs() ? ":1\\.0" : ":1\\.[0-9]+");
        assertThat(a.tryBus(BUS, "Hello")).isEqualTo("Failed");
        assertThat(a.query("GetNameOwner", a.name())).isEqualTo(a.name());
    }

    @EveryBus
    void helloIsAnsweredBeforeTheNameIsTold(TestBus bus) throws Exception {
        TestClient a = bus.silent().authenticate(true);
        int hello = a.send(a.toBus(BUS, "Hello"));
        Message reply = a.read();
        Message acquired = a.read();

        assertThat(reply.replySerial()).isEqualTo(hello);
        assertThat(reply.sender()).isEqualTo(BUS);
        String name = (String) reply.values().getFirst();
        assertThat(reply.destination()).isEqualTo(name);
        assertThat(a.describe(acquired)).isEqualTo("NameAcquired(" + name + ")");
        assertThat(acquired.destination()).isEqualTo(name);
        assertThat(acquired.sender()).isEqualTo(BUS);
        assertThat(acquired.path()).isEqualTo(BUS_PATH);
    }

    @EveryBus
    void whatIsNotThereIsUnknown(TestBus bus) throws Exception {
        TestClient a = bus.connect();

        assertThat(a.tryBus(BUS, "Nothing")).isEqualTo("UnknownMethod");
        assertThat(a.tryBus(PEER, "Nothing")).isEqualTo("UnknownMethod");
        assertThat(a.tryBus("no.such.Interface", "GetId")).isEqualTo("UnknownInterface");
        int serial = a.send(a.writer().methodCall("/", null, "Nothing").destination(BUS));
        assertThat(a.describe(a.answer(serial))).isEqualTo("UnknownMethod");
    }

    @EveryBus
    void wrongArgumentsAreInvalid(TestBus bus) throws Exception {
        TestClient a = bus.connect();

        assertThat(a.tryBus(BUS, "GetId", "x")).isEqualTo("InvalidArgs");
        assertThat(a.tryBus(BUS, "RequestName", "a.b")).isEqualTo("InvalidArgs");
        assertThat(a.tryBus(BUS, "RequestName", 1, "a.b")).isEqualTo("InvalidArgs");
        assertThat(a.tryBus(BUS, "AddMatch")).isEqualTo("InvalidArgs");
        assertThat(a.tryBus(BUS, "NameHasOwner", List.of("a.b"))).isEqualTo("InvalidArgs");
    }

    @EveryBus
    void beforeHelloAllElseIsDeniedAndHelloStillWorks(TestBus bus) throws Exception {
        TestClient first = bus.connect();
        TestClient a = bus.silent().authenticate(true);
        for (String member :
                List.of("ListNames", "ListActivatableNames", "GetId", "ReloadConfig", "Nothing")) {
            assertThat(a.tryBus(BUS, member)).as(member).isEqualTo("AccessDenied");
        }
        for (String member :
                List.of(
                        "ReleaseName",
                        "GetNameOwner",
                        "NameHasOwner",
                        "AddMatch",
                        "RemoveMatch",
                        "ListQueuedOwners",
                        "GetConnectionUnixUser",
                        "GetConnectionUnixProcessID",
                        "GetConnectionCredentials",
                        "GetConnectionSELinuxSecurityContext",
                        "GetAdtAuditSessionData")) {
            assertThat(a.tryBus(BUS, member, "a.b")).as(member).isEqualTo("AccessDenied");
        }
        assertThat(a.tryBus(BUS, "RequestName", "a.b", 0)).isEqualTo("AccessDenied");
        assertThat(a.tryBus(BUS, "StartServiceByName", "a.b", 0)).isEqualTo("AccessDenied");
        assertThat(a.tryBus(INTROSPECTABLE, "Introspect")).isEqualTo("AccessDenied");
        assertThat(a.tryBus(MONITORING, "BecomeMonitor", List.of(), 0)).isEqualTo("AccessDenied");
        assertThat(a.tryBus("i.f", "Nothing")).isEqualTo("AccessDenied");
        int serial = a.send(a.writer().methodCall("/", null, "Nothing").destination(BUS));
        assertThat(a.describe(a.answer(serial))).isEqualTo("AccessDenied");

        TestClient named = a.hello();
        assertThat(number(named)).isGreaterThan(number(first));
        assertThat(bus.isOurs() ? number(named) : number(first) + 1).isEqualTo(number(first) + 1);
    }

    private static int number(TestClient client) {
        String name = client.name();
        return Integer.parseInt(name.substring(name.lastIndexOf('.') + 1));
    }

    @EveryBus
    void beforeHelloACallToAnotherEndsTheConnection(TestBus bus) throws Exception {
        TestClient other = bus.connect();
        TestClient a = bus.silent().authenticate(true);
        int ignored = a.send(a.call(other.name(), "M"));

        assertThat(a.untilClosed()).isEmpty();
        assertThat(other.heard()).isEmpty();

        TestClient b = bus.silent().authenticate(true);
        ignored = b.send(b.signal("S"));

        assertThat(b.untilClosed()).isEmpty();
    }

    @EveryBus
    void anAbsentNameHasNoOwner(TestBus bus) throws Exception {
        TestClient a = bus.connect();

        for (String name : List.of("a.b", ":1.999", ":1.99999999999999999999999", ":2.0")) {
            assertThat(a.tryBus(BUS, "GetNameOwner", name)).isEqualTo("NameHasNoOwner");
            assertThat(a.query("NameHasOwner", name)).isEqualTo(false);
            assertThat(a.tryBus(BUS, "ListQueuedOwners", name)).isEqualTo("NameHasNoOwner");
            for (String member :
                    List.of(
                            "GetConnectionUnixUser",
                            "GetConnectionUnixProcessID",
                            "GetConnectionCredentials",
                            "GetConnectionSELinuxSecurityContext",
                            "GetAdtAuditSessionData")) {
                assertThat(a.tryBus(BUS, member, name)).as(member).isEqualTo("NameHasNoOwner");
            }
        }
    }

    @EveryBus
    void aMalformedNameHasNoOwner(TestBus bus) throws Exception {
        TestClient a = bus.connect();

        for (String name : BAD_NAMES) {
            assertThat(a.query("NameHasOwner", name)).isEqualTo(false);
            assertThat(a.tryBus(BUS, "GetNameOwner", name)).isEqualTo("NameHasNoOwner");
            assertThat(a.tryBus(BUS, "ListQueuedOwners", name)).isEqualTo("NameHasNoOwner");
            assertThat(a.tryBus(BUS, "GetConnectionUnixUser", name)).isEqualTo("NameHasNoOwner");
            assertThat(a.tryBus(BUS, "RequestName", name, 0)).isEqualTo("InvalidArgs");
            assertThat(a.tryBus(BUS, "ReleaseName", name)).isEqualTo("InvalidArgs");
        }
    }

    @EveryBus
    void theBusOwnsItself(TestBus bus) throws Exception {
        TestClient a = bus.connect();

        assertThat(a.query("GetNameOwner", BUS)).isEqualTo(BUS);
        assertThat(a.query("NameHasOwner", BUS)).isEqualTo(true);
        assertThat(a.query("ListQueuedOwners", BUS)).isEqualTo(List.of(BUS));
        assertThat(a.query("GetConnectionUnixUser", BUS)).isEqualTo(uid());
        assertThat(a.tryBus(BUS, "GetAdtAuditSessionData", BUS)).isEqualTo("AdtAuditDataUnknown");
    }

    @EveryBus
    void namesAreListedOnce(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        assertThat(b.query("RequestName", "b.two", 0)).isEqualTo(1L);
        assertThat(b.query("RequestName", "b.one", 0)).isEqualTo(1L);
        assertThat(a.query("RequestName", "b.one", 0)).isEqualTo(2L);

        assertThat(a.query("ListNames"))
                .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.list(String.class))
                .containsExactlyInAnyOrder(BUS, a.name(), b.name(), "b.one", "b.two")
                .startsWith(BUS);
        assertThat(a.query("ListActivatableNames")).isEqualTo(List.of(BUS));
    }

    @EveryBus
    void nobodyStartsWhatHasNoServiceFile(TestBus bus) throws Exception {
        TestClient a = bus.connect();

        for (String name : List.of("a.b", "org.freedesktop.systemd1", "a..b")) {
            assertThat(a.tryBus(BUS, "StartServiceByName", name, 0)).isEqualTo("ServiceUnknown");
        }
        assertThat(a.tryBus(BUS, "StartServiceByName", a.name(), 0)).isEqualTo("ServiceUnknown");
        assertThat(a.query("RequestName", "a.b", 0)).isEqualTo(1L);
        assertThat(a.tryBus(BUS, "StartServiceByName", "a.b", 0)).isEqualTo("ServiceUnknown");
    }

    @EveryBus
    void credentialsAreOfWhomTheNameIs(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();
        assertThat(b.query("RequestName", "b.b", 0)).isEqualTo(1L);
        long pid = ProcessHandle.current().pid();

        for (String name : List.of(b.name(), "b.b", a.name())) {
            assertThat(a.query("GetConnectionUnixUser", name)).isEqualTo(uid());
            assertThat(a.query("GetConnectionUnixProcessID", name)).isEqualTo(pid);
            Map<?, ?> all = (Map<?, ?>) a.query("GetConnectionCredentials", name);
            assertThat(value(all, "UnixUserID")).isEqualTo(uid());
            assertThat(value(all, "ProcessID")).isEqualTo(pid);
            assertThat((List<?>) value(all, "UnixGroupIDs")).isNotEmpty().doesNotHaveDuplicates();
        }
        assertThat(a.tryBus(BUS, "GetAdtAuditSessionData", "b.b")).isEqualTo("AdtAuditDataUnknown");
        if (!java.nio.file.Files.exists(java.nio.file.Path.of("/sys/fs/selinux/enforce"))) {
            assertThat(a.tryBus(BUS, "GetConnectionSELinuxSecurityContext", "b.b"))
                    .isEqualTo("SELinuxSecurityContextUnknown");
        }
    }

    private static Object value(Map<?, ?> dictionary, String key) {
        assertThat(dictionary.keySet().stream().map(String::valueOf)).contains(key);
        return ((Variant) java.util.Objects.requireNonNull(dictionary.get(key))).value();
    }

    private static long uid() {
        try (io.holdfast.core.process.PidFd self = PidFd.self()) {
            return self.info().credentials().orElseThrow().effectiveUid();
        }
    }

    @EveryBus
    void theProcessIsPassedOnAsItsOwnPidfd(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        try (Message reply = a.callBus("GetConnectionCredentials", a.name());
                PidFd self = PidFd.self()) {
            Map<?, ?> all = (Map<?, ?>) reply.values().getFirst();
            if (all.containsKey("ProcessFD") || bus.isOurs()) {
                assertThat(reply.descriptors()).hasSize(1);
                try (PidFd received = PidFd.adopt(reply.takeDescriptors().getFirst())) {
                    assertThat(received).isEqualTo(self);
                    assertThat(received.id()).isEqualTo(self.id());
                }
            }
        }
    }

    @EveryBus
    void theBusHasAnIdAndTheMachineToo(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        TestClient b = bus.connect();

        assertThat((String) a.query("GetId")).matches("[0-9a-f]{32}").isEqualTo(b.query("GetId"));
        if (MachineId.read() != null || !bus.isOurs()) {
            assertThat(a.tryBus(PEER, "GetMachineId")).matches("return\\([0-9a-f]{32}\\)");
        }
        assertThat(a.tryBus(BUS, "ReloadConfig")).isEqualTo("return");
    }

    @EveryBus
    void theOldMethodsAnswerAtAnyPathAndWithoutInterface(TestBus bus) throws Exception {
        TestClient a = bus.connect();

        int serial = a.send(a.writer().methodCall("/any/where", BUS, "ListNames").destination(BUS));
        assertThat(a.describe(a.answer(serial))).startsWith("return");
        serial = a.send(a.writer().methodCall("/", null, "ListNames").destination(BUS));
        assertThat(a.describe(a.answer(serial))).startsWith("return");
        serial = a.send(a.writer().methodCall("/x", PEER, "Ping").destination(BUS));
        assertThat(a.describe(a.answer(serial))).isEqualTo("return");
    }

    @EveryBus
    void theNewMethodsAnswerAtTheirPathAlone(TestBus bus) throws Exception {
        TestClient a = bus.connect();

        int serial =
                a.send(
                        TestClient.body(
                                a.writer().methodCall("/x", PROPERTIES, "GetAll").destination(BUS),
                                BUS));
        assertThat(a.describe(a.answer(serial)))
                .isEqualTo(bus.isBroker() ? "AccessDenied" : "UnknownInterface");
        var call =
                a.writer()
                        .methodCall("/x", BUS, "UpdateActivationEnvironment")
                        .destination(BUS)
                        .body("a{ss}");
        serial = a.send(call.beginArray().endArray().end());
        assertThat(a.describe(a.answer(serial))).isEqualTo("AccessDenied");
    }

    @EveryBus
    void itsPropertiesCanBeReadOnly(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        Map<?, ?> all =
                (Map<?, ?>)
                        a.answer(a.send(a.toBus(PROPERTIES, "GetAll", BUS))).values().getFirst();

        assertThat(all.keySet().stream().map(String::valueOf))
                .containsExactlyInAnyOrder("Features", "Interfaces");
        for (String property : List.of("Features", "Interfaces")) {
            assertThat(a.answer(a.send(a.toBus(PROPERTIES, "Get", BUS, property))).values())
                    .isEqualTo(List.of(all.get(property)));
            var set = a.toBus(PROPERTIES, "Set").body("ssv").putString(BUS).putString(property);
            set.beginVariant(io.holdfast.dbus.wire.Signature.of("as"));
            set.beginArray().endArray().endVariant();
            assertThat(a.describe(a.answer(a.send(set.end())))).isEqualTo("PropertyReadOnly");
        }
        assertThat(a.tryBus(PROPERTIES, "Get", BUS, "Nothing")).isEqualTo("UnknownProperty");
        assertThat(a.tryBus(PROPERTIES, "GetAll", "no.such.Interface"))
                .isEqualTo("UnknownInterface");
        assertThat((List<?>) value(all, "Interfaces"))
                .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.list(String.class))
                .contains(MONITORING)
                .doesNotContain(BUS, PEER, PROPERTIES, INTROSPECTABLE);
    }

    @EveryBus
    void itDescribesItself(TestBus bus) throws Exception {
        TestClient a = bus.connect();

        assertThat(a.tryBus(INTROSPECTABLE, "Introspect"))
                .contains("<interface name=\"org.freedesktop.DBus\">", "\"RequestName\"");
    }

    /** Nothing is at the paths between, so a tree of its objects has one line. */
    @EveryBus
    void itsObjectIsBelowEachPathAboveIt(TestBus bus) throws Exception {
        bus.assumeIsNot(Kind.DBUS_BROKER, "names no objects");
        TestClient a = bus.connect();
        for (String above : List.of("/", "/org", "/org/freedesktop")) {
            var call = a.writer().methodCall(above, INTROSPECTABLE, "Introspect");
            Message reply = a.answer(a.send(call.destination(BUS)));
            String below =
                    "/org/freedesktop/DBus".substring(above.equals("/") ? 1 : above.length() + 1);
            assertThat((String) reply.values().getFirst())
                    .containsOnlyOnce("<node name=")
                    .contains("<node name=\"" + below + "\"/>");
        }
    }

    @EveryBus
    void statisticsHaveTheUsualKeys(TestBus bus) throws Exception {
        TestClient a = bus.connect();
        Message reply = a.answer(a.send(a.toBus(STATS, "GetStats")));
        assumeTrue(
                bus.isOurs() || !(reply.values().getFirst() instanceof String),
                () -> bus + " was built without statistics");
        Map<?, ?> all = (Map<?, ?>) reply.values().getFirst();

        assertThat(all.keySet().stream().map(String::valueOf))
                .contains(
                        "Serial",
                        "ActiveConnections",
                        "IncompleteConnections",
                        "BusNames",
                        "PeakBusNames",
                        "PeakBusNamesPerConnection",
                        "MatchRules",
                        "PeakMatchRules",
                        "PeakMatchRulesPerConnection");
        assertThat(value(all, "ActiveConnections")).isEqualTo(1L);
        assertThat(value(all, "IncompleteConnections")).isEqualTo(0L);
        assertThat(value(all, "MatchRules")).isEqualTo(0L);
    }

    @EveryBus
    void callsToNobodyReachOnlyThePeerInterface(TestBus bus) throws Exception {
        TestClient a = bus.connect();

        assertThat(a.describe(a.answer(a.send(a.writer().methodCall("/", PEER, "Ping")))))
                .isEqualTo("return");
        assertThat(a.describe(a.answer(a.send(a.writer().methodCall("/", BUS, "GetId")))))
                .isEqualTo("UnknownMethod");
        assertThat(a.describe(a.answer(a.send(a.writer().methodCall("/", "i.f", "M")))))
                .isEqualTo("UnknownMethod");
    }

    @EveryBus
    void matchRulesAreAddedAndRemovedByMeaning(TestBus bus) throws Exception {
        TestClient a = bus.connect();

        for (String bad : List.of("type", "type='x'", "a='b'", "type='signal',type='signal'")) {
            assertThat(a.tryBus(BUS, "AddMatch", bad)).as(bad).isEqualTo("MatchRuleInvalid");
        }
        assertThat(a.tryBus(BUS, "RemoveMatch", "type='x'")).isEqualTo("MatchRuleInvalid");
        assertThat(a.tryBus(BUS, "RemoveMatch", "type='signal'")).isEqualTo("MatchRuleNotFound");
        assertThat(a.tryBus(BUS, "AddMatch", "type='signal',member='M'")).isEqualTo("return");
        assertThat(a.tryBus(BUS, "AddMatch", " member=M, type='signal'")).isEqualTo("return");
        assertThat(a.tryBus(BUS, "RemoveMatch", "member='M',type=signal")).isEqualTo("return");
        assertThat(a.tryBus(BUS, "RemoveMatch", "type=signal,member=M")).isEqualTo("return");
        assertThat(a.tryBus(BUS, "RemoveMatch", "type='signal',member='M'"))
                .isEqualTo("MatchRuleNotFound");
    }

    @EveryBus
    void anErrorAboutALongNameIsStillAnError(TestBus bus) throws Exception {
        TestClient a = bus.connect();

        for (int length = 1_990; length < 2_060; length++) { // wherever the bus may cut its text
            String name = "x".repeat(length) + "\ud83d\ude80".repeat(60);
            assertThat(a.tryBus(BUS, "GetNameOwner", name)).isEqualTo("NameHasNoOwner");
        }
    }
}
