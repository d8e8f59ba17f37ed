package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Gen;
import io.holdfast.dbus.marshal.BodyWriter;
import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.marshal.Syntax;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.Signature;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Timeout;

/** Calls each method of the bus with random arguments: it answers with a reply or an error. */
@Timeout(600)
class DriverFuzzTest {
    private static final int ROUNDS = Boolean.getBoolean("holdfast.long") ? 2_000 : 15;
    private static final String MONITORING = "org.freedesktop.DBus.Monitoring";
    private static final List<String> SIGNATURES =
            List.of("", "s", "su", "u", "as", "a{ss}", "asu", "ss", "ssv", "v", "sss", "us");

    private final Gen gen =
            new Gen(Long.getLong("holdfast.seed", new SplittableRandom().nextLong()));

    /** Returns the signature of each method, by interface and member. */
    private static Map<String, String> methods() {
        Map<String, String> methods = new TreeMap<>();
        for (String member :
                List.of("Hello", "ListNames", "ListActivatableNames", "ReloadConfig", "GetId")) {
            methods.put(BUS + "." + member, "");
        }
        for (String member :
                List.of(
                        "ReleaseName",
                        "NameHasOwner",
                        "AddMatch",
                        "RemoveMatch",
                        "GetNameOwner",
                        "ListQueuedOwners",
                        "GetConnectionUnixUser",
                        "GetConnectionUnixProcessID",
                        "GetConnectionCredentials",
                        "GetAdtAuditSessionData",
                        "GetConnectionSELinuxSecurityContext")) {
            methods.put(BUS + "." + member, "s");
        }
        methods.put(BUS + ".RequestName", "su");
        methods.put(BUS + ".StartServiceByName", "su");
        methods.put(BUS + ".UpdateActivationEnvironment", "a{ss}");
        methods.put("org.freedesktop.DBus.Introspectable.Introspect", "");
        methods.put("org.freedesktop.DBus.Peer.Ping", "");
        methods.put("org.freedesktop.DBus.Peer.GetMachineId", "");
        methods.put("org.freedesktop.DBus.Properties.Get", "ss");
        methods.put("org.freedesktop.DBus.Properties.GetAll", "s");
        methods.put("org.freedesktop.DBus.Properties.Set", "ssv");
        methods.put(MONITORING + ".BecomeMonitor", "asu");
        methods.put("org.freedesktop.DBus.Debug.Stats.GetStats", "");
        methods.put("org.freedesktop.DBus.Debug.Stats.GetConnectionStats", "s");
        methods.put("org.freedesktop.DBus.Debug.Stats.GetAllMatchRules", "");
        return methods;
    }

    @EveryBus
    void eachMethodAnswersWhateverItIsAsked(TestBus bus) throws Exception {
        TestClient other = bus.connect();
        TestClient a = bus.connect();
        try {
            for (Map.Entry<String, String> method : methods().entrySet()) {
                boolean monitors = method.getKey().startsWith(MONITORING);
                for (int round = 0; round < ROUNDS; round++) {
                    String signature = gen.chance(0.6) ? method.getValue() : gen.oneOf(SIGNATURES);
                    TestClient from = monitors ? bus.unkept().authenticate(true).hello() : a;
                    assertAnswers(from, method.getKey(), signature);
                    if (monitors) {
                        from.close();
                    }
                }
                HostileTest.assertPings(other, a);
            }
        } catch (AssertionError e) {
            throw new AssertionError(gen.toString(), e);
        }
    }

    private void assertAnswers(TestClient from, String method, String signature)
            throws InterruptedException {
        int dot = method.lastIndexOf('.');
        MessageWriter call = from.toBus(method.substring(0, dot), method.substring(dot + 1));
        if (!signature.isEmpty()) {
            BodyWriter body = call.body(signature);
            put(body, signature);
            call = body.end();
        }
        try (Message answer = from.answer(from.send(call))) {
            assertThat(answer.type())
                    .as("%s(%s)", method, signature)
                    .isIn(MessageType.METHOD_RETURN, MessageType.ERROR);
            if (answer.type() == MessageType.ERROR) {
                assertThat(Syntax.isErrorName(String.valueOf(answer.errorName()))).isTrue();
                assertThat(answer.signature().toString()).isEqualTo("s");
            }
        }
    }

    private void put(BodyWriter body, String signature) {
        switch (signature) {
            case "a{ss}" -> {
                body.beginArray();
                for (int i = gen.between(0, 5); i > 0; i--) {
                    body.beginDictEntry().putString(text()).putString(text()).endDictEntry();
                }
                body.endArray();
            }
            case "as", "asu" -> {
                body.beginArray();
                gen.list(4, this::text).forEach(body::putString);
                body.endArray();
                if (signature.endsWith("u")) {
                    body.putUint32(gen.oneOf(0, 1, (int) gen.anyLong()));
                }
            }
            default -> {
                for (int i = 0; i < signature.length(); i++) {
                    switch (signature.charAt(i)) {
                        case 's' -> body.putString(text());
                        case 'u' -> body.putUint32(gen.oneOf(0, 1, 4, 7, (int) gen.anyLong()));
                        default -> {
                            body.beginVariant(Signature.of("ay"));
                            body.putBytes(gen.bytes(100)).endVariant();
                        }
                    }
                }
            }
        }
    }

    private String text() {
        return switch (gen.between(0, 7)) {
            case 0 -> gen.string("ab.:1_-", 20);
            case 1 -> gen.string("\u0001\u00e9\u20ac\ud7ff\ufffd ='\\,", 40);
            case 2 -> gen.oneOf(BUS, ":1.0", ":1.99999999999", "a.b", "org.freedesktop.systemd1");
            case 3 -> gen.mutate("type='signal',sender='a.b',arg0namespace='c.d'", "=',a1");
            case 4 -> "x".repeat(gen.between(200, 3_000));
            case 5 -> "";
            case 6 -> "n.n" + gen.between(0, 9);
            default -> gen.mutate(MONITORING, ".ab1");
        };
    }
}
