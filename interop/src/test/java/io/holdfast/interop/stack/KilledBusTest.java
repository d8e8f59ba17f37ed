package io.holdfast.interop.stack;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.address.BusAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The bus of the stack is killed repeatedly, while clients of every kind call it. All tests have
 * one stack, which survives each of them.
 */
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {
            "unshare",
            "nsenter",
            "openssl",
            "systemctl",
            "busctl",
            "gdbus",
            "dbus-send",
            "dbus-test-tool"
        })
class KilledBusTest {
    private static final int KILLS = Boolean.getBoolean("holdfast.long") ? 100 : 5;

    /** The time of a call that is never answered. */
    private static final Duration TIME_OUT = Duration.ofSeconds(90);

    /** The time that a call must not take if it is answered or fails at once. */
    private static final Duration HANG = Duration.ofSeconds(60);

    private static final String BUS = "org.freedesktop.DBus";
    private static final String POLKIT = "org.freedesktop.PolicyKit1";

    private static @Nullable StackStage started;
    private static @Nullable RunningProgram running;

    private final StackStage stage = Objects.requireNonNull(started);
    private final RunningProgram up = Objects.requireNonNull(running);
    private final AtomicBoolean done = new AtomicBoolean();
    private final AtomicInteger answered = new AtomicInteger();
    private final ConcurrentLinkedQueue<String> hung = new ConcurrentLinkedQueue<>();
    private final Set<String> names = new HashSet<>();

    @BeforeAll
    static void start() throws Exception {
        StackStage stage = StackStage.open(StackStage.Accounts.WITH);
        started = stage;
        activatable(
                stage,
                "org.example.CutOff",
                "",
                "Type=exec\nExecStart=/bin/sh -c '"
                        + "dbus-test-tool echo --system --name=org.example.CutOff; exec sleep 1000'");
        activatable(
                stage,
                "org.example.Slow",
                "<limit name=\"service_manager_return_timeout\">90000</limit>"
                        + "<limit name=\"service_start_timeout\">90000</limit>",
                """
                Type=dbus
                ExecStartPre=/bin/sh -c 'echo begun >/run/begun; read line </run/go'
                ExecStart=dbus-test-tool echo --system --name=org.example.Slow\
                """);
        assertThat(stage.output("mkfifo", "/run/begun", "/run/go")).isEmpty();
        running = stage.ready();
    }

    @AfterAll
    static void end() {
        StackStage stage = started;
        if (stage != null) {
            stage.close();
            assertThat(stage.hasCgroup()).isFalse();
        }
    }

    private String address() {
        return "unix:path=" + stage.file(StackStage.RUNTIME + "/bus");
    }

    private BusConnection connect() throws InterruptedException {
        return BusConnection.connect(
                BusAddress.parseList(address()),
                ConnectionOptions.standard()
                        .withConnectTimeout(TIME_OUT)
                        .withCallTimeout(TIME_OUT));
    }

    /** Measures how long a call takes, whatever its result. */
    private void timed(String what, Callable<?> call) throws Exception {
        long begin = System.nanoTime();
        try {
            var _ = call.call();
            answered.incrementAndGet();
        } catch (ConnectionLostException | DBusException e) {
            // failed at once, as promised
        } finally {
            Duration taken = Duration.ofNanos(System.nanoTime() - begin);
            if (taken.compareTo(HANG) > 0) {
                hung.add(what + " took " + taken);
            }
        }
    }

    /** Calls the bus and a service on it, and connects again whenever the connection is lost. */
    private Void callByOurLibrary() throws Exception {
        while (!done.get()) {
            try (BusConnection connection = connect()) {
                synchronized (names) {
                    assertThat(names.add(connection.uniqueName()))
                            .as("given twice: " + connection.uniqueName())
                            .isTrue();
                }
                while (!done.get() && connection.isOpen()) {
                    timed("a call to the bus", () -> connection.bus().call(BUS, "GetId"));
                    timed(
                            "a call to the authority",
                            () -> {
                                var authority =
                                        connection.object(
                                                POLKIT, "/org/freedesktop/PolicyKit1/Authority");
                                return authority.call(BUS + ".Peer", "Ping");
                            });
                    Await.pause();
                }
            } catch (ConnectionLostException e) {
                Thread.onSpinWait(); // the next connect waits in the backlog
            }
        }
        return null;
    }

    private Void callBy(String... command) throws Exception {
        while (!done.get()) {
            try (RunningProgram program = stage.start(List.of(command))) {
                timed(
                        command[0],
                        () -> {
                            var exit = program.end();
                            if (!exit.isSuccess()) {
                                throw new DBusException(DBusException.FAILED, program.written());
                            }
                            return exit;
                        });
            }
            Await.pause();
        }
        return null;
    }

    @Test
    void noCallHangsAndNoUniqueNameIsGivenTwice() throws Exception {
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Void>> running = new ArrayList<>();
            running.add(clients.submit(this::callByOurLibrary));
            running.add(clients.submit(this::callByOurLibrary));
            running.add(
                    clients.submit(() ->
                            callBy(
                                    "busctl",
                                    "--timeout=" + TIME_OUT.toSeconds(),
                                    "call",
                                    BUS,
                                    "/",
                                    BUS + ".Peer",
                                    "Ping")));
            running.add(
                    clients.submit(() ->
                            callBy(
                                    "gdbus",
                                    "call",
                                    "--system",
                                    "--timeout=" + TIME_OUT.toSeconds(),
                                    "--dest=" + POLKIT,
                                    "--object-path=/",
                                    "--method=" + BUS + ".Peer.Ping")));
            running.add(
                    clients.submit(() ->
                            callBy(
                                    "dbus-send",
                                    "--system",
                                    "--print-reply",
                                    "--reply-timeout=" + TIME_OUT.toMillis(),
                                    "--dest=" + BUS,
                                    "/",
                                    BUS + ".ListNames")));
            try {
                for (int i = 0; i < KILLS; i++) {
                    killAndAwaitTheNext();
                }
            } finally {
                done.set(true);
            }
            for (Future<Void> each : running) {
                each.get();
            }
        }
        assertThat(hung).isEmpty();
        assertThat(names).hasSizeGreaterThan(KILLS);
        assertThat(answered.get()).isGreaterThan(KILLS);
        assertThat(stage.output("busctl", "list", "--no-pager", "--no-legend"))
                .contains(POLKIT + " ");
    }

    private void killAndAwaitTheNext() throws Exception {
        int before = answered.get();
        try (PidFd bus = stage.mainProcess("dbus.service")) {
            assertThat(bus.signal(Signal.KILL)).isTrue();
        }
        try (BusConnection next = connect()) { // as soon as there is a bus
            synchronized (names) {
                assertThat(names.add(next.uniqueName())).isTrue();
            }
            while (next.owner(POLKIT).isEmpty() || answered.get() == before) {
                Await.pause();
            }
        }
    }

    @Test
    @Needs(programs = "hostnamectl")
    void aServiceThatWasCutOffIsActivatedByTheNextCall() throws Exception {
        String[] ping = {
            "busctl",
            "--timeout=" + TIME_OUT.toSeconds(),
            "call",
            "org.freedesktop.hostname1",
            "/org/freedesktop/hostname1",
            BUS + ".Peer",
            "Ping"
        };
        assertThat(stage.output(ping)).isEmpty();
        try (PidFd bus = stage.mainProcess("dbus.service")) {
            assertThat(bus.signal(Signal.KILL)).isTrue();
        }
        timed(
                "a call to a service that was cut off",
                () -> {
                    assertThat(stage.output(ping)).isEmpty();
                    return null;
                });
        assertThat(hung).isEmpty();
        assertThat(stage.output("busctl", "list", "--activatable", "--no-pager", "--no-legend"))
                .contains("org.freedesktop.hostname1 ");
    }

    /** Writes a service of the bus, whose unit has its name, and more configuration. */
    private static void activatable(StackStage stage, String name, String limits, String unit)
            throws Exception {
        stage.write(
                "/etc/dbus-1/system.d/" + name + ".conf",
                """
                <busconfig>%s<policy user="root"><allow own="%s"/></policy>
                <policy context="default"><allow send_destination="%s"/></policy></busconfig>
                """
                        .formatted(limits, name, name));
        stage.write(
                "/run/dbus-1/system-services/" + name + ".service",
                """
                [D-BUS Service]
                Name=%s
                Exec=/bin/false
                User=root
                SystemdService=%s.service
                """
                        .formatted(name, name));
        stage.write(
                "/etc/systemd/system/" + name + ".service",
                "[Unit]\nDefaultDependencies=no\n[Service]\nBusName=%s\n%s\n"
                        .formatted(name, unit));
    }

    /** Returns the call of a method that dbus-test-tool answers. */
    private static String[] call(String name) {
        return new String[] {
            "busctl",
            "--timeout=" + TIME_OUT.toSeconds(),
            "call",
            name,
            "/",
            "org.example.Any",
            "Any"
        };
    }

    /** The unit is active all the time, so that a start would do nothing. */
    @Test
    void aServiceThatNeverComesBackToTheBusIsRestartedByTheNextCall() throws Exception {
        String[] call = call("org.example.CutOff");
        assertThat(stage.output(call)).isEmpty();
        try (PidFd service = stage.mainProcess("org.example.CutOff.service");
                PidFd bus = stage.mainProcess("dbus.service")) {
            assertThat(bus.signal(Signal.KILL)).isTrue();
            timed(
                    "a call to a service that is cut off",
                    () -> {
                        assertThat(stage.output(call)).isEmpty();
                        return null;
                    });
            assertThat(hung).isEmpty();
            try (PidFd again = stage.mainProcess("org.example.CutOff.service")) {
                assertThat(again).isNotEqualTo(service);
            }
        }
    }

    @Test
    void aManagerThatIsKilledWhileItActivatesIsAskedAgain() throws Exception {
        try (RunningProgram call = stage.start(List.of(call("org.example.Slow")))) {
            assertThat(stage.output("cat", "/run/begun")).isEqualTo("begun");
            try (PidFd manager = StackStage.managerBelow(up.process())) {
                assertThat(manager.signal(Signal.KILL)).isTrue();
            }
            assertThat(stage.output("sh", "-c", "echo >/run/go")).isEmpty();
            assertThat(call.end().isSuccess()).as(() -> call.written() + up.written()).isTrue();
        }
    }
}
