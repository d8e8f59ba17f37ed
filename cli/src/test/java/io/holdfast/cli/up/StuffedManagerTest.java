package io.holdfast.cli.up;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.manager.varlink.ManagerInterface;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Tests that clients without privileges cannot exhaust the heap that the launcher gives to a
 * manager.
 */
@Timeout(180)
class StuffedManagerTest {
    private static final String MANAGER = "org.freedesktop.systemd1";
    private static final List<String> AS_THE_LAUNCHER =
            List.of("env", "JDK_JAVA_OPTIONS=-XX:+UseSerialGC -Xmx64m -XX:+ExitOnOutOfMemoryError");

    @TempDir private Path folder;
    private Path runtime;
    private String address;
    private Bus bus;
    private CommandProcess up;

    @BeforeEach
    void start() throws Exception {
        Path units = Files.createDirectory(folder.resolve("units"));
        Files.writeString(
                units.resolve("a.service"),
                "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep 1000\n");
        runtime = folder.resolve("run");
        address = "unix:path=" + folder.resolve("bus");
        bus = Bus.open(BusAddress.parse(address), BusConfig.permissive());
        up =
                CommandProcess.start(
                        AS_THE_LAUNCHER,
                        "up",
                        "--runtime-dir",
                        runtime.toString(),
                        "--bus",
                        address,
                        "--slice",
                        "hfstuffed" + ProcessHandle.current().pid() + ".slice",
                        "--units",
                        units.toString(),
                        "a");
        up.await("holdfast: ready");
    }

    @AfterEach
    void itStillServesAndEndsAsAsked() throws Exception {
        try {
            Invocation status = Invocation.of("status", "--runtime-dir", runtime.toString(), "a");
            assertThat(status.out()).as(String.join("\n", up.lines())).contains("active (running)");
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        } finally {
            up.close();
            bus.close();
        }
    }

    private UnixSocket connect() throws InterruptedException {
        return UnixSocket.connect(
                UnixAddress.path(runtime.resolve(ManagerInterface.SOCKET)), SocketType.STREAM);
    }

    /** Returns whether all bytes were sent. */
    private static boolean send(UnixSocket socket, byte[] bytes) throws InterruptedException {
        try {
            socket.sendFully(ByteBuffer.wrap(bytes));
            return true;
        } catch (ErrnoException e) {
            assertThat(e.errno()).isIn(Errno.EPIPE, Errno.ECONNRESET);
            return false;
        }
    }

    @Test
    void callsWithManyValuesAreRefused() throws Exception {
        byte[] call =
                ("{\"method\":\"org.varlink.service.GetInfo\",\"parameters\":{\"x\":["
                                + "{\"a\":1},".repeat(330_000)
                                + "1]}}\0")
                        .getBytes(UTF_8);
        for (int i = 0; i < 3; i++) {
            try (UnixSocket socket = connect()) {
                assertThat(send(socket, call)).isFalse();
            }
        }
    }

    @Test
    void messagesWithoutAnEndAreRefused() throws Exception {
        byte[] endless = "x".repeat(1 << 20).getBytes(UTF_8);
        List<UnixSocket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < 40; i++) {
                sockets.add(connect());
                assertThat(send(sockets.getLast(), endless)).isFalse();
            }
        } finally {
            sockets.forEach(UnixSocket::close);
        }
    }

    @Test
    void longCallsOverTheBusAreRefused() throws Exception {
        try (BusConnection client = BusConnection.connect(address)) {
            RemoteObject manager = client.object(MANAGER, "/org/freedesktop/systemd1");
            for (int i = 0; i < 3; i++) {
                assertThatExceptionOfType(DBusException.class)
                        .isThrownBy(() ->
                                manager.call(
                                        MANAGER + ".Manager",
                                        "GetUnit",
                                        "s",
                                        "x".repeat(20_000_000)))
                        .satisfies(
                                e -> assertThat(e.name()).isEqualTo(DBusException.LIMITS_EXCEEDED));
            }
            assertThat(manager.call(MANAGER + ".Manager", "GetUnit", "s", "a.service"))
                    .containsExactly(new ObjectPath("/org/freedesktop/systemd1/unit/a_2eservice"));
        }
    }
}
