package io.holdfast.interop.bus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Exit;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.ExportedObject;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.wire.Message;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@code busctl(1)}, a client based on sd-bus. */
@Needs(programs = {"busctl", "dbus-daemon", "dbus-broker"})
class BusctlTest extends OnEachBus {
    private static final String NAME = "org.example.Clock";
    private static final String PATH = "/org/example/Clock";

    private final AtomicReference<String> zone = new AtomicReference<>("UTC");

    private @Nullable ExportedObject clock;

    @BeforeEach
    void exportClock() throws InterruptedException {
        clock =
                connection()
                        .export(
                                PATH,
                                BusInterface.named(NAME)
                                        .method(
                                                "Echo",
                                                "a{sv}ad(sx)",
                                                "a{sv}ad(sx)",
                                                MethodCall::arguments)
                                        .property(
                                                "Zone",
                                                "s",
                                                zone::get,
                                                value -> zone.set((String) value))
                                        .signal("Tick", "x")
                                        .build());
        connection().requestName(NAME);
    }

    private ExportedObject clock() {
        return Objects.requireNonNull(clock);
    }

    private String busctl(String... arguments) throws InterruptedException {
        return programs().output(command(arguments));
    }

    private static String[] command(String... arguments) {
        return Stream.concat(Stream.of("busctl", "--address=" + address()), Stream.of(arguments))
                .toArray(String[]::new);
    }

    @Test
    void listShowsWhoIsThere() throws Exception {
        String unique = connection().uniqueName();
        long pid = ProcessHandle.current().pid();

        assertThat(busctl("list", "--acquired", "--no-legend").lines())
                .anySatisfy(line ->
                        assertThat(line)
                                .matches(NAME + " +" + pid + " java +\\S+ +" + unique + " .*"))
                .anySatisfy(line -> assertThat(line).startsWith("org.freedesktop.DBus "));
        assertThat(busctl("list", "--unique", "--no-legend").lines())
                .anySatisfy(line -> assertThat(line).matches(unique + " +" + pid + " java .*"));
        assertThat(busctl("list", "--activatable", "--no-legend")).doesNotContain(NAME);
    }

    @Test
    void statusTellsWhoItIsByDescriptor() throws Exception {
        assertThat(busctl("status", NAME).lines())
                .contains(
                        "PID=" + ProcessHandle.current().pid(),
                        "PIDFD=yes",
                        "Comm=java",
                        "UniqueName=" + connection().uniqueName());
        assertThat(busctl("status").lines()).anyMatch(line -> line.startsWith("BusID="));
    }

    @Test
    void statusOfNobodyFails() throws Exception {
        assertThat(programs().run(command("status", "org.example.Nobody")).exit())
                .isEqualTo(new Exit.Exited(1));
    }

    @Test
    void introspectShowsTheMethodsOfTheBus() throws Exception {
        String table =
                busctl(
                        "introspect",
                        "org.freedesktop.DBus",
                        "/org/freedesktop/DBus",
                        "--no-legend");

        assertThat(table.lines().map(line -> String.join(" ", line.trim().split(" +"))))
                .contains(
                        "org.freedesktop.DBus interface - - -",
                        ".AddMatch method s - -",
                        ".GetConnectionCredentials method s a{sv} -",
                        ".GetConnectionUnixUser method s u -",
                        ".GetId method - s -",
                        ".Hello method - s -",
                        ".ListQueuedOwners method s as -",
                        ".NameHasOwner method s b -",
                        ".ReloadConfig method - - -",
                        ".RequestName method su u -",
                        ".StartServiceByName method su u -",
                        ".UpdateActivationEnvironment method a{ss} - -",
                        ".NameAcquired signal s - -",
                        ".NameLost signal s - -",
                        ".NameOwnerChanged signal sss - -",
                        "org.freedesktop.DBus.Monitoring interface - - -",
                        ".BecomeMonitor method asu - -",
                        "org.freedesktop.DBus.Peer interface - - -",
                        ".GetMachineId method - s -",
                        ".Ping method - - -",
                        "org.freedesktop.DBus.Properties interface - - -",
                        ".Get method ss v -",
                        ".Set method ssv - -")
                .anySatisfy(line -> assertThat(line).startsWith(".Features property as "))
                .anySatisfy(line -> assertThat(line).startsWith(".Interfaces property as "));
    }

    @Test
    void treeFindsObjects() throws Exception {
        assertThat(busctl("tree", "--list", NAME).lines()).contains(PATH);
        assertThat(busctl("tree", "--list", "org.freedesktop.DBus").lines())
                .contains("/org/freedesktop/DBus");
    }

    @Test
    void callsCarryAllThatIsAskedFor() throws Exception {
        String[] call = {"call", "--", NAME, PATH, NAME, "Echo", "a{sv}ad(sx)"};
        String[] values = {
            "2", "a", "ai", "2", "1", "-2", "b", "v", "s", "x y", "1", "0.5", "q", "-7"
        };

        assertThat(busctl(Stream.of(call, values).flatMap(Stream::of).toArray(String[]::new)))
                .isEqualTo("a{sv}ad(sx) 2 \"a\" ai 2 1 -2 \"b\" v s \"x y\" 1 0.5 \"q\" -7");
    }

    @Test
    void propertiesAreReadAndSet() throws Exception {
        assertThat(busctl("set-property", NAME, PATH, NAME, "Zone", "s", "CET")).isEmpty();

        assertThat(zone).hasValue("CET");
        assertThat(busctl("get-property", NAME, PATH, NAME, "Zone")).isEqualTo("s \"CET\"");
    }

    @Test
    void waitEndsWithTheSignal() throws Exception {
        Programs.Running waiting = programs().start(command("wait", PATH, NAME, "Tick"));
        while (waiting.isAlive()) { // it does not report when it begins to listen
            clock().emit(NAME, "Tick", 5L);
            LockSupport.parkNanos(1_000_000);
        }

        assertThat(waiting.end()).isEqualTo(new Programs.Ended(new Exit.Exited(0), "x 5"));
    }

    @Test
    void captureWritesWhatWasSent() throws Exception {
        Programs.Running capture =
                programs().start(command("capture", "--limit-messages=1", "--match=member='Rang'"));
        assertThat(capture.lineWith("Monitoring bus message stream")).isNotEmpty();

        assertThat(busctl("emit", "/a", "org.example.Alarm", "Rang")).isEmpty();

        Programs.Ended ended = capture.end();
        assertThat(ended.exit()).isEqualTo(new Exit.Exited(0));
        assertThat(ended.output()).contains("org.example.Alarm", "Rang");
    }

    @Test
    void emittedSignalsAreHeard() throws Exception {
        try (var heard = connection().subscribe("type='signal',interface='org.example.Alarm'")) {
            assertThat(busctl("emit", "/a", "org.example.Alarm", "Rang", "su", "x", "7")).isEmpty();
            try (var message = heard.take()) {
                assertThat(message.values()).containsExactly("x", 7L);
            }
        }
    }

    @Test
    void monitorSeesCallsAndReplies() throws Exception {
        String[] command =
                command(
                        "monitor",
                        "--json=short",
                        "--limit-messages=2",
                        "--match=interface='org.freedesktop.DBus.Properties',member='Get'",
                        "--match=type='method_return',sender='" + connection().uniqueName() + "'");
        Programs.Running monitor;
        try (var owners = connection().subscribe("type='signal',member='NameOwnerChanged'")) {
            monitor = programs().start(command);
            awaitOneWhoGoes(owners); // with JSON output it does not report when it begins
        }

        assertThat(busctl("get-property", NAME, PATH, NAME, "Zone")).isEqualTo("s \"UTC\"");

        // it prints what it saw when it ends
        assertThat(monitor.end().output().lines())
                .filteredOn(line -> line.startsWith("{"))
                .satisfiesExactly(
                        call ->
                                assertThat(call)
                                        .contains("\"type\":\"method_call\"", "\"member\":\"Get\"")
                                        .contains("\"data\":[\"" + NAME + "\",\"Zone\"]"),
                        reply ->
                                assertThat(reply)
                                        .contains("\"type\":\"method_return\"")
                                        .contains(
                                                "\"sender\":\"" + connection().uniqueName() + "\"")
                                        .contains("\"data\":[{\"type\":\"s\",\"data\":\"UTC\"}]"));
    }

    /** Waits until a name is lost: a connection loses its name when it becomes a monitor. */
    private static void awaitOneWhoGoes(Subscription owners) throws InterruptedException {
        Object newOwner;
        do {
            try (Message change = owners.take()) {
                newOwner = change.values().get(2);
            }
        } while (!newOwner.equals(""));
    }
}
