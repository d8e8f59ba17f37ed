package io.holdfast.bus;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.ConfigException;
import io.holdfast.bus.config.ServiceFolder;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.NeedsCondition;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.marshal.Values;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A fresh bus that allows everything, of one of three kinds: ours and the two reference buses. It
 * is started by its first client, and closes all its clients with it.
 */
final class TestBus implements AutoCloseable {
    /** The implementation. */
    enum Kind {
        HOLDFAST(null),
        DBUS_DAEMON("dbus-daemon"),
        DBUS_BROKER("dbus-broker");

        private final @Nullable String program;

        Kind(@Nullable String program) {
            this.program = program;
        }

        /** Skips the test for this kind if it is not installed. */
        private void assumeIsThere() {
            assumeTrue(
                    program == null || NeedsCondition.isInPath(program),
                    () -> "needs the program " + program);
        }
    }

    private static final String BROKER = "org.bus1.DBus.Broker";
    private static final String BATCH = "(bta(btbs)a(btssssuutt)a(btssssuutt))";
    private static final String POLICY = "(a(u" + BATCH + ")a(buu" + BATCH + ")a(ss)bs)";
    private static final String DAEMON_CONFIG =
            """
            <busconfig>
              <type>session</type>
              <listen>unix:path=SOCKET</listen>
              <auth>EXTERNAL</auth>
              SERVICES
              <policy context="default">
                <allow send_destination="*" eavesdrop="true"/>
                <allow eavesdrop="true"/>
                <allow own="*"/>
                <allow user="*"/>
              </policy>
            </busconfig>
            """;

    private final Kind kind;
    private final BusConfig config;
    private final boolean systemdActivation;
    private final @Nullable String elements; // used instead of the configuration
    private final List<AutoCloseable> parts = new ArrayList<>(); // the last is closed first
    private @Nullable Path folder;
    private @Nullable String address;
    private @Nullable Bus opened; // if it is ours

    private TestBus(Kind kind, BusConfig config, boolean systemdActivation) {
        this(kind, config, systemdActivation, null);
    }

    private TestBus(
            Kind kind, BusConfig config, boolean systemdActivation, @Nullable String elements) {
        this.elements = elements;
        this.kind = kind;
        this.config = config;
        this.systemdActivation = systemdActivation;
    }

    /** Returns one bus of each kind. */
    static Stream<TestBus> everyKind() {
        return Stream.of(Kind.values())
                .map(kind -> new TestBus(kind, BusConfig.permissive(), false));
    }

    /** Returns a bus that requests units from the owner of org.freedesktop.systemd1. */
    static TestBus withSystemdActivation(Kind kind, Path services) {
        BusConfig config =
                BusConfig.permissive()
                        .withServiceFolders(List.of(new ServiceFolder(services, false)));
        return new TestBus(kind, config, true);
    }

    /** Returns a bus with these elements in its configuration file; ours or dbus-daemon. */
    static TestBus configured(Kind kind, String elements) {
        return new TestBus(kind, BusConfig.permissive(), false, elements);
    }

    /** Returns a bus of ours. */
    static TestBus ours() {
        return ours(BusConfig.permissive());
    }

    static TestBus ours(BusConfig config) {
        return new TestBus(Kind.HOLDFAST, config, false);
    }

    /** Returns a bus of ours where services with a unit wait for org.freedesktop.systemd1. */
    static TestBus oursWithSystemdActivation(BusConfig config) {
        return new TestBus(Kind.HOLDFAST, config, true);
    }

    Kind kind() {
        return kind;
    }

    boolean isOurs() {
        return kind == Kind.HOLDFAST;
    }

    boolean isDaemon() {
        return kind == Kind.DBUS_DAEMON;
    }

    boolean isBroker() {
        return kind == Kind.DBUS_BROKER;
    }

    /** Skips the test for one kind, which behaves differently. */
    void assumeIsNot(Kind other, String behaviour) {
        assumeTrue(kind != other, () -> other + " is different: it " + behaviour);
    }

    /** Returns the behaviour that is expected of its kind. */
    <T> T expected(T ours, T daemon, T broker) {
        return switch (kind) {
            case HOLDFAST -> ours;
            case DBUS_DAEMON -> daemon;
            case DBUS_BROKER -> broker;
        };
    }

    /** Returns a client that said Hello and takes descriptors. */
    TestClient connect() throws InterruptedException {
        return silent().authenticate(true).hello();
    }

    /** Returns a client that said Hello and takes no descriptors. */
    TestClient connectWithoutDescriptors() throws InterruptedException {
        return silent().authenticate(false).hello();
    }

    /** Returns the metrics of a bus of ours that is open. */
    BusMetrics metrics() {
        return java.util.Objects.requireNonNull(opened).metrics().join();
    }

    /** Lets other users connect to its socket. */
    void letOthersIn() throws InterruptedException, IOException {
        var _ = address();
        Files.setPosixFilePermissions(
                java.util.Objects.requireNonNull(folder),
                PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** Returns a client that has connected and sent nothing. */
    TestClient silent() throws InterruptedException {
        TestClient client = TestClient.silent(address());
        parts.add(client);
        return client;
    }

    /** Returns the same kind of client, to be closed by the test. */
    TestClient unkept() throws InterruptedException {
        return TestClient.silent(address());
    }

    String address() throws InterruptedException {
        String known = address;
        if (known == null) {
            kind.assumeIsThere();
            try {
                folder = Files.createTempDirectory("holdfast-bus");
                known =
                        switch (kind) {
                            case HOLDFAST -> holdfast(folder);
                            case DBUS_DAEMON -> daemon(folder);
                            case DBUS_BROKER -> broker(folder);
                        };
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            address = known;
        }
        return known;
    }

    private String holdfast(Path in) throws IOException {
        Path file = in.resolve("bus.conf");
        if (elements != null) {
            Files.writeString(file, file(in, elements));
        }
        BusOptions options =
                BusOptions.of(
                        () -> elements == null ? config : BusConfig.load(file),
                        BusAddress.parse("unix:dir=" + in)); // a new one: the first client is :1.0
        Bus bus;
        try {
            bus = Bus.open(systemdActivation ? options.withSystemdActivation() : options);
        } catch (ConfigException e) {
            throw new AssertionError(e); // it was read before
        }
        parts.add(bus);
        opened = bus;
        return bus.addresses().getFirst().toString();
    }

    private static String file(Path in, String elements) {
        return "<busconfig><listen>unix:path=%s</listen><auth>EXTERNAL</auth>%s</busconfig>"
                .formatted(in.resolve("bus"), elements);
    }

    private String daemon(Path in) throws IOException {
        Path file = in.resolve("bus.conf");
        StringBuilder folders = new StringBuilder();
        config.serviceFolders()
                .forEach(one ->
                        folders.append("<servicedir>").append(one.path()).append("</servicedir>"));
        Files.writeString(
                file,
                elements != null
                        ? file(in, elements)
                        : DAEMON_CONFIG
                                .replace("SOCKET", in.resolve("bus").toString())
                                .replace("SERVICES", folders));
        Child child =
                Spawn.of("dbus-daemon", "--nofork", "--nopidfile", "--nosyslog", "--print-address")
                        .arguments(List.of("--config-file=" + file))
                        .arguments(systemdActivation ? List.of("--systemd-activation") : List.of())
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.to(in.resolve("log")))
                        .start();
        parts.add(() -> end(child));
        String line =
                new BufferedReader(new InputStreamReader(child.stdout(), StandardCharsets.US_ASCII))
                        .readLine();
        if (line == null) {
            throw new IOException("dbus-daemon: " + Files.readString(in.resolve("log")));
        }
        return line;
    }

    private static void end(Child child) {
        try (child) {
            boolean ignored = child.signal(Signal.TERM);
            var _ = child.onExit().join();
        }
    }

    /** Does what the launcher of dbus-broker does, over a socket pair. */
    private String broker(Path in) throws InterruptedException {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        TestClient launcher = TestClient.of(pair[0]);
        parts.add(launcher);
        try (UnixSocket theirs = pair[1]) {
            Child child =
                    Spawn.of("dbus-broker", "--controller", "3", "--max-fds", "4096")
                            .arguments(List.of("--machine-id", "0123456789abcdef0123456789abcdef"))
                            .arguments(List.of("--max-bytes", "536870912"))
                            .arguments(List.of("--max-matches", "131072"))
                            .arguments(List.of("--max-objects", "1048576"))
                            .descriptor(3, theirs.fd())
                            .stderr(Stdio.to(in.resolve("log")))
                            .start();
            parts.add(() -> end(child));
        }
        TestClient ignored = launcher.authenticate(true);
        Path socket = in.resolve("bus");
        UnixListener listener =
                UnixListener.listen(UnixAddress.path(socket), SocketType.STREAM, 4096);
        parts.add(listener);
        var call =
                launcher.writer()
                        .methodCall("/org/bus1/DBus/Broker", BROKER, "AddListener")
                        .unixFds(1)
                        .body("ohv");
        call.putObjectPath("/org/bus1/DBus/Listener/0").putHandle(0);
        Values.write(call, Variant.of(POLICY, allowAll()));
        Message reply = launcher.answer(launcher.send(call.end(), listener.fd()));
        if (reply.type() != MessageType.METHOD_RETURN) {
            throw new AssertionError("AddListener: " + reply.values());
        }
        Thread controller = Thread.ofVirtual().start(() -> control(launcher));
        parts.add(controller::interrupt);
        return "unix:path=" + socket;
    }

    private static Struct allowAll() {
        Struct all = Struct.of(true, 1L, "", "", "", "", 0, 0, 0L, -1L);
        Struct batch =
                Struct.of(
                        true,
                        1L,
                        List.of(Struct.of(true, 1L, true, "")),
                        List.of(all),
                        List.of(all));
        return Struct.of(
                List.of(Struct.of(0xFFFF_FFFFL, batch)), List.of(), List.of(), false, "session");
    }

    /** Answers the broker's only call: that the configuration was read again. */
    private static void control(TestClient launcher) {
        try {
            while (true) {
                Message message = launcher.read();
                if (message.type() == MessageType.METHOD_CALL) {
                    int ignored = launcher.send(launcher.writer().methodReturn(message.serial()));
                }
            }
        } catch (InterruptedException | RuntimeException | AssertionError e) {
            // the test is over
        }
    }

    @Override
    public void close() throws IOException {
        for (AutoCloseable part : parts.reversed()) {
            try {
                part.close();
            } catch (Exception e) {
                throw new IOException(part + " could not be closed", e);
            }
        }
        Path made = folder;
        if (made != null) {
            try (Stream<Path> files = Files.walk(made)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    /** Returns the name in test reports. */
    @Override
    public String toString() {
        return kind.toString();
    }
}
