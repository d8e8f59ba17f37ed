package io.holdfast.interop.bus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.ExportedObject;
import io.holdfast.dbus.MethodCall;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.freedesktop.dbus.annotations.DBusInterfaceName;
import org.freedesktop.dbus.connections.impl.DBusConnection;
import org.freedesktop.dbus.connections.impl.DBusConnectionBuilder;
import org.freedesktop.dbus.errors.ServiceUnknown;
import org.freedesktop.dbus.exceptions.DBusExecutionException;
import org.freedesktop.dbus.interfaces.DBus;
import org.freedesktop.dbus.interfaces.DBusInterface;
import org.freedesktop.dbus.interfaces.Introspectable;
import org.freedesktop.dbus.messages.DBusSignal;
import org.freedesktop.dbus.types.UInt32;
import org.junit.jupiter.api.Test;

/** The client library dbus-java, over the JDK's Unix sockets. */
@Needs(programs = {"dbus-daemon", "dbus-broker"})
class DbusJavaTest extends OnEachBus {
    private static final String NAME = "org.example.Other";
    private static final String PATH = "/org/example/Other";

    /** The interface of the object, as both sides know it. */
    @DBusInterfaceName(NAME)
    public interface Other extends DBusInterface {
        String join(List<String> words, Map<String, Long> counts);

        void fail();

        /** A signal, named after its class. */
        final class Joined extends DBusSignal {
            private final String text;

            /** Called by the library for a received message. */
            public Joined(String path, String text)
                    throws org.freedesktop.dbus.exceptions.DBusException {
                super(path, text);
                this.text = text;
            }

            String text() {
                return text;
            }
        }
    }

    /** An error, named after its class. */
    public static final class Refused extends DBusExecutionException {
        private static final long serialVersionUID = 1;

        /** Called by the library for a received message. */
        public Refused(String message) {
            super(message);
        }
    }

    private record Joiner() implements Other {
        @Override
        public String join(List<String> words, Map<String, Long> counts) {
            return String.join("+", words) + counts;
        }

        @Override
        public void fail() {
            throw new Refused("on purpose");
        }

        @Override
        public boolean isRemote() {
            return false;
        }

        @Override
        public String getObjectPath() {
            return PATH;
        }
    }

    private static DBusConnection dial() throws Exception {
        return DBusConnectionBuilder.forAddress(address()).withShared(false).build();
    }

    @Test
    void itUsesTheBus() throws Exception {
        try (DBusConnection client = dial()) {
            DBus bus =
                    client.getRemoteObject(
                            "org.freedesktop.DBus", "/org/freedesktop/DBus", DBus.class);

            assertThat(client.getUniqueName()).startsWith(":1.");
            assertThat(bus.GetNameOwner(connection().uniqueName()))
                    .isEqualTo(connection().uniqueName());
            assertThat(Arrays.asList(bus.ListNames()))
                    .contains(
                            "org.freedesktop.DBus",
                            client.getUniqueName(),
                            connection().uniqueName());
            assertThat(bus.GetConnectionUnixProcessID(client.getUniqueName()))
                    .isEqualTo(new UInt32(ProcessHandle.current().pid()));
            client.requestBusName(NAME);
            assertThat(connection().owner(NAME)).hasValue(client.getUniqueName());
            client.releaseBusName(NAME);
            assertThat(connection().owner(NAME)).isEmpty();
        }
    }

    @Test
    void itCallsOurObjects() throws Exception {
        ExportedObject object =
                connection()
                        .export(
                                PATH,
                                BusInterface.named(NAME)
                                        .method(
                                                "join",
                                                "asa{sx}",
                                                "s",
                                                call -> List.of(joined(call)))
                                        .signal("Joined", "s")
                                        .build());
        connection().requestName(NAME);
        LinkedBlockingQueue<String> heard = new LinkedBlockingQueue<>();
        try (DBusConnection client = dial()) {
            Other other = client.getRemoteObject(NAME, PATH, Other.class);
            assertThat(other.join(List.of("a", "b"), Map.of("k", 5L))).isEqualTo("[a, b]{k=5}");
            assertThat(client.getRemoteObject(NAME, PATH, Introspectable.class).Introspect())
                    .contains("<interface name=\"" + NAME + "\">");
            assertThatExceptionOfType(DBusExecutionException.class).isThrownBy(other::fail);
            assertThatExceptionOfType(ServiceUnknown.class)
                    .isThrownBy(() ->
                            client.getRemoteObject("org.example.Nobody", PATH, Other.class).fail());

            try (AutoCloseable _ =
                    client.addSigHandler(Other.Joined.class, signal -> heard.add(signal.text()))) {
                object.emit(NAME, "Joined", "now");
                assertThat(heard.poll(60, TimeUnit.SECONDS)).isEqualTo("now");
            }
        }
    }

    private static String joined(MethodCall call) {
        return call.argument(0, List.class).toString() + call.argument(1, Map.class);
    }

    @Test
    void itServesObjects() throws Exception {
        try (DBusConnection service = dial()) {
            service.exportObject(PATH, new Joiner());
            service.requestBusName(NAME);
            try (var joined = connection().subscribe("type='signal',interface='" + NAME + "'")) {
                assertThat(
                                connection()
                                        .object(NAME, PATH)
                                        .call(
                                                NAME,
                                                "join",
                                                "asa{sx}",
                                                List.of("x", "y"),
                                                Map.of("k", 1L)))
                        .containsExactly("x+y{k=1}");
                assertThatExceptionOfType(io.holdfast.dbus.DBusException.class)
                        .isThrownBy(() -> connection().object(NAME, PATH).call(NAME, "fail"))
                        .satisfies(e -> assertThat(e.name()).endsWith("Refused"))
                        .withMessageContaining("on purpose");
                service.sendMessage(new Other.Joined(PATH, "sent"));
                try (var signal = joined.take()) {
                    assertThat(signal.member()).isEqualTo("Joined");
                    assertThat(signal.values()).containsExactly("sent");
                }
            }
        }
    }
}
