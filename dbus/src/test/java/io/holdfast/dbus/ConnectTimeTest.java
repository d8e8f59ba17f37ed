package io.holdfast.dbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.ConnectionLostException.Reason;
import io.holdfast.dbus.address.BusAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The time limit for connecting ends every step. */
@Timeout(60)
class ConnectTimeTest {
    private static final String GUID = "0123456789abcdef0123456789abcdef";

    /** Long enough for the steps before the one that never ends. */
    private static final ConnectionOptions SOON =
            ConnectionOptions.standard().withConnectTimeout(Duration.ofSeconds(2));

    @TempDir private Path folder;

    private UnixAddress address() {
        return UnixAddress.path(folder.resolve("bus"));
    }

    private void connect() throws InterruptedException {
        BusConnection.connect(BusAddress.parseList("unix:path=" + folder.resolve("bus")), SOON)
                .close();
    }

    @Test
    void aListenerThatAcceptsNothingIsGivenUp() throws Exception {
        List<UnixSocket> waiting = new ArrayList<>();
        try (UnixListener listener = UnixListener.listen(address(), SocketType.STREAM, 1)) {
            assertThat(listener).isNotNull();
            assertThatExceptionOfType(ErrnoException.class)
                    .as("the backlog is full")
                    .isThrownBy(() -> {
                        for (; ; ) {
                            waiting.add(
                                    UnixSocket.connect(
                                            address(), SocketType.STREAM, Duration.ZERO));
                        }
                    });
            assertThatExceptionOfType(ConnectionLostException.class)
                    .isThrownBy(this::connect)
                    .withMessageContaining("does not accept")
                    .matches(e -> e.reason() == Reason.DISCONNECTED);
        } finally {
            waiting.forEach(UnixSocket::close);
        }
    }

    @Test
    void aBusThatDoesNotReplyToHelloIsGivenUp() throws Exception {
        try (UnixListener listener = UnixListener.listen(address(), SocketType.STREAM, 1)) {
            FutureTask<BusConnection> accepting =
                    new FutureTask<>(() ->
                            BusConnection.accept(
                                    listener.accept(),
                                    GUID,
                                    ConnectionOptions.standard(),
                                    ConnectTimeTest::exportSilentBus));
            Thread.ofVirtual().start(accepting);
            assertThatExceptionOfType(ConnectionLostException.class)
                    .isThrownBy(this::connect)
                    .withMessageContaining("no reply to Hello within PT2S")
                    .matches(e -> e.reason() == Reason.REFUSED);
            endOf(accepting);
        }
    }

    /** Closes the accepted connection, unless the client gave up before it was accepted. */
    private static void endOf(FutureTask<BusConnection> accepting) throws InterruptedException {
        try {
            accepting.get().close();
        } catch (ExecutionException e) {
            assertThat(e).hasCauseInstanceOf(ConnectionLostException.class);
        }
    }

    private static void exportSilentBus(BusConnection bus) {
        ExportedObject _ =
                bus.export(
                        "/org/freedesktop/DBus",
                        BusInterface.named("org.freedesktop.DBus")
                                .asyncMethod("Hello", "", "s", (_, _) -> {})
                                .build());
    }
}
