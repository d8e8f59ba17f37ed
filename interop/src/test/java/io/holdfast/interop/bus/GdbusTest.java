package io.holdfast.interop.bus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Exit;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.ExportedObject;
import io.holdfast.dbus.MethodCall;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** {@code gdbus(1)}, a client based on GLib. */
@Needs(programs = {"gdbus", "dbus-daemon", "dbus-broker"})
class GdbusTest extends OnEachBus {
    private static final String NAME = "org.example.Lamp";
    private static final String PATH = "/org/example/Lamp";

    private static String[] gdbus(String verb, String... arguments) {
        return Stream.concat(Stream.of("gdbus", verb, "--address", address()), Stream.of(arguments))
                .toArray(String[]::new);
    }

    private static String[] call(String name, String path, String method, String... arguments) {
        String[] to = gdbus("call", "--dest", name, "--object-path", path, "--method", method);
        return Stream.concat(Stream.of(to), Stream.of(arguments)).toArray(String[]::new);
    }

    private static String[] callBus(String method, String... arguments) {
        return call(
                "org.freedesktop.DBus",
                "/org/freedesktop/DBus",
                "org.freedesktop.DBus." + method,
                arguments);
    }

    private ExportedObject lamp() throws InterruptedException {
        ExportedObject lamp =
                connection()
                        .export(
                                PATH,
                                BusInterface.named(NAME)
                                        .method(
                                                "Mix",
                                                "a{s(iv)}ay",
                                                "a{s(iv)}ay",
                                                MethodCall::arguments)
                                        .signal("Lit", "si")
                                        .build());
        connection().requestName(NAME);
        return lamp;
    }

    @Test
    void theBusAnswersCalls() throws Exception {
        assertThat(programs().output(callBus("GetNameOwner", "org.freedesktop.DBus")))
                .isEqualTo("('org.freedesktop.DBus',)");
        assertThat(programs().output(callBus("NameHasOwner", connection().uniqueName())))
                .isEqualTo("(true,)");
        assertThat(programs().output(callBus("ListQueuedOwners", connection().uniqueName())))
                .isEqualTo("(['" + connection().uniqueName() + "'],)");
        assertThat(programs().output(callBus("GetId"))).matches("\\('[0-9a-f]{32}',\\)");
        assertThat(
                        programs()
                                .output(
                                        callBus(
                                                "GetConnectionUnixProcessID",
                                                connection().uniqueName())))
                .isEqualTo("(uint32 " + ProcessHandle.current().pid() + ",)");
        assertThat(programs().output(callBus("Peer.Ping"))).isEqualTo("()");
    }

    @Test
    void errorsKeepTheirNames() throws Exception {
        Programs.Ended ended = programs().run(callBus("GetNameOwner", "org.example.Nobody"));

        assertThat(ended.exit()).isEqualTo(new Exit.Exited(1));
        assertThat(ended.output())
                .startsWith("Error: GDBus.Error:org.freedesktop.DBus.Error.NameHasNoOwner: ");
    }

    @Test
    void callsCarryNestedValues() throws Exception {
        try (ExportedObject lamp = lamp()) {
            assertThat(lamp).isNotNull();
            assertThat(
                            programs()
                                    .output(
                                            call(
                                                    NAME,
                                                    PATH,
                                                    NAME + ".Mix",
                                                    "{'a': (1, <['x', 'y']>)}",
                                                    "[byte 1, 2]")))
                    .isEqualTo("({'a': (1, <['x', 'y']>)}, [byte 0x01, 0x02])");
        }
    }

    @Test
    void introspectReadsTheBusAndObjects() throws Exception {
        try (ExportedObject lamp = lamp()) {
            assertThat(lamp).isNotNull();
            assertThat(
                            programs()
                                    .output(
                                            gdbus(
                                                    "introspect",
                                                    "--dest",
                                                    "org.freedesktop.DBus",
                                                    "--object-path",
                                                    "/org/freedesktop/DBus")))
                    .contains(
                            "interface org.freedesktop.DBus {",
                            "GetConnectionCredentials(in  s ",
                            "readonly as Features = [");
            assertThat(
                            programs()
                                    .output(
                                            gdbus(
                                                    "introspect",
                                                    "--recurse",
                                                    "--dest",
                                                    NAME,
                                                    "--object-path",
                                                    "/")))
                    .contains(
                            "node " + PATH + " {", "interface " + NAME + " {", "Mix(in  a{s(iv)} ");
        }
    }

    @Test
    void monitorFollowsANameAndItsSignals() throws Exception {
        Programs.Running monitor = programs().start(gdbus("monitor", "--dest", NAME));
        assertThat(monitor.lineWith("The name " + NAME + " does not have an owner")).isNotEmpty();

        try (ExportedObject lamp = lamp()) {
            assertThat(monitor.lineWith("is owned by"))
                    .isEqualTo("The name " + NAME + " is owned by " + connection().uniqueName());
            Thread blinking = Thread.startVirtualThread(() -> blink(lamp));
            assertThat(monitor.lineWith("Lit")).isEqualTo(PATH + ": " + NAME + ".Lit ('red', 5)");
            blinking.interrupt();
            blinking.join();
            assertThat(connection().releaseName(NAME)).isTrue();
            assertThat(monitor.lineWith("does not have an owner")).isNotEmpty();
        }
    }

    /** Emits until interrupted: the monitor prints the owner before it listens to signals. */
    private static void blink(ExportedObject lamp) {
        try {
            while (!Thread.currentThread().isInterrupted()) {
                lamp.emit(NAME, "Lit", "red", 5);
                LockSupport.parkNanos(1_000_000);
            }
        } catch (InterruptedException e) {
            // heard
        }
    }

    @Test
    void waitEndsWhenTheNameComes() throws Exception {
        Programs.Running waiting =
                programs().start("gdbus", "wait", "--session", "--timeout", "170", NAME);
        try (ExportedObject lamp = lamp()) {
            assertThat(lamp).isNotNull();
            assertThat(waiting.end()).isEqualTo(new Programs.Ended(new Exit.Exited(0), ""));
        }
    }

    @Test
    void emittedSignalsAreHeard() throws Exception {
        try (var heard =
                connection().subscribe("type='signal',interface='org.example.Alarm',arg0='x'")) {
            for (String text : new String[] {"'y'", "'x'"}) {
                // with --address it would treat the bus as a peer, without Hello
                String[] signal = {
                    "gdbus",
                    "emit",
                    "--session",
                    "--object-path",
                    "/a",
                    "--signal",
                    "org.example.Alarm.Rang",
                    text
                };
                assertThat(programs().output(signal)).isEmpty();
            }
            try (var message = heard.take()) {
                assertThat(message.values()).containsExactly("x");
            }
        }
    }
}
