package io.holdfast.interop.authority;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.wire.Struct;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * An authority in a separate process, on its own {@code dbus-daemon}, with a connection of root.
 */
final class AuthorityUnderTest implements AutoCloseable {
    static final String NAME = "org.freedesktop.PolicyKit1";
    static final String PATH = "/org/freedesktop/PolicyKit1/Authority";
    static final String INTERFACE = NAME + ".Authority";

    @SuppressWarnings("InlineFormatString") // a file
    private static final String CONFIG =
            """
            <busconfig>
              <listen>%s</listen>
              <auth>EXTERNAL</auth>
              <policy context="default">
                <allow send_destination="*" eavesdrop="true"/>
                <allow eavesdrop="true"/><allow own="*"/><allow user="*"/>
              </policy>
            </busconfig>
            """;

    private final String name;
    private final Path socket;
    private final String address;
    private final Child bus;
    private final BusConnection connection;
    private final BusConnection units;
    private final Child daemon;

    /**
     * Starts it, and waits until it serves.
     *
     * @param folder the folder of its bus, which every user can reach
     * @param stage starts programs on the stage
     * @param command the command of the authority
     * @param root the cgroup that contains the units of processes
     */
    AuthorityUnderTest(
            String name,
            Path folder,
            Function<List<String>, Spawn> stage,
            List<String> command,
            CgroupPath root)
            throws IOException, InterruptedException {
        this.name = name;
        this.socket = folder.resolve("bus");
        this.address = "unix:path=" + socket;
        Path config = folder.resolve("bus.conf");
        Path _ = Files.writeString(config, CONFIG.formatted(address));
        // started on the stage, because it refuses users that it does not know
        bus =
                stage.apply(
                                List.of(
                                        "dbus-daemon",
                                        "--nofork",
                                        "--nopidfile",
                                        "--print-address=1",
                                        "--config-file=" + config))
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.to(folder.resolve("bus.log")))
                        .start();
        String said = new BufferedReader(new InputStreamReader(bus.stdout(), UTF_8)).readLine();
        assertThat(said).as(() -> "see " + folder).startsWith(address);
        connection = BusConnection.connect(address);
        units = BusConnection.connect(address);
        new UnitsOnBus(root).serve(units);
        daemon =
                stage.apply(command)
                        .environment("DBUS_SYSTEM_BUS_ADDRESS", address)
                        .environment("LC_ALL", "C.UTF-8")
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.devNull())
                        .stderr(Stdio.to(folder.resolve("log")))
                        .start();
        var _ = daemon.onExit().thenRun(connection::close); // no call waits for a dead authority
        try (Subscription owners =
                connection.subscribe(
                        "type='signal',member='NameOwnerChanged',arg0='" + NAME + "'")) {
            while (connection.owner(NAME).isEmpty()) {
                owners.take().close();
            }
        }
    }

    String address() {
        return address;
    }

    /** Returns the socket of its bus. */
    Path socket() {
        return socket;
    }

    /** Returns the connection of root. */
    BusConnection connection() {
        return connection;
    }

    /** Checks an authorization as root. */
    Answer checkAuthorization(Struct subject, String action, Map<String, String> details, int flags)
            throws InterruptedException {
        return checkAuthorization(connection, subject, action, details, flags);
    }

    /** Checks an authorization as the owner of a connection to its bus. */
    static Answer checkAuthorization(
            BusConnection caller,
            Struct subject,
            String action,
            Map<String, String> details,
            int flags)
            throws InterruptedException {
        return Answer.to(() -> check(caller, subject, action, details, flags));
    }

    /** Returns the reply as it arrives. */
    static Struct check(
            BusConnection caller,
            Struct subject,
            String action,
            Map<String, String> details,
            int flags)
            throws InterruptedException {
        return (Struct)
                caller.object(NAME, PATH)
                        .call(
                                INTERFACE,
                                "CheckAuthorization",
                                "(sa{sv})sa{ss}us",
                                subject,
                                action,
                                details,
                                flags,
                                "")
                        .getFirst();
    }

    /** Returns everything that it reports about actions, ordered by id. */
    List<?> actions(String locale) throws InterruptedException {
        return (List<?>)
                connection
                        .object(NAME, PATH)
                        .call(INTERFACE, "EnumerateActions", "s", locale)
                        .getFirst();
    }

    /** Ends the authority; its bus stays. */
    void end() {
        boolean ignored = daemon.signal(Signal.KILL);
        var _ = daemon.onExit().join();
    }

    @Override
    public void close() {
        connection.close();
        units.close();
        for (Child each : List.of(daemon, bus)) {
            boolean ignored = each.signal(Signal.TERM);
            var _ = each.onExit().join();
            each.close();
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
