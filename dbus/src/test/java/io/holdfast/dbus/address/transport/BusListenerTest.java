package io.holdfast.dbus.address.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.LockHog;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.address.BusAddressException;
import io.holdfast.dbus.stream.ConnectedSocket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(value = 120, unit = TimeUnit.SECONDS)
class BusListenerTest {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    @TempDir Path folder;

    private static void assertConnects(BusListener listener) throws InterruptedException {
        try (ConnectedSocket connected = ConnectedSocket.connect(listener.address(), LIMIT);
                UnixSocket accepted = listener.listener().accept()) {
            connected.socket().sendFully(ByteBuffer.wrap(new byte[] {42}));
            assertThat(accepted.receive(ByteBuffer.allocate(1))).isEqualTo(1);
        }
    }

    @Test
    void aSocketFileIsOpenToOthersAndRemovedInTheEnd() throws Exception {
        Path file = folder.resolve("bus");
        List<BusListener> listeners = BusListener.listen(BusAddress.ofPath(file.toString()));
        try (BusListener listener = listeners.getFirst()) {
            assertThat(listener.address()).isEqualTo(BusAddress.ofPath(file.toString()));
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                    .isEqualTo("rw-rw-rw-");
            assertConnects(listener);
        }
        assertThat(listeners).hasSize(1);
        assertThat(file).doesNotExist();
    }

    @Test
    void aDeadSocketFileIsReplacedAndALivingOneIsNot() throws Exception {
        Path file = folder.resolve("bus");
        BusAddress address = BusAddress.ofPath(file.toString());
        UnixListener dead = UnixListener.listen(UnixAddress.path(file), SocketType.STREAM, 1);
        dead.fd().close(); // its file stays
        assertThat(file).exists();
        try (BusListener listener = BusListener.listen(address).getFirst()) {
            assertConnects(listener);
            assertThatExceptionOfType(ErrnoException.class)
                    .isThrownBy(() -> BusListener.listen(address))
                    .withMessageContaining("EADDRINUSE");
        }
        assertThat(file).doesNotExist();
    }

    @Test
    @Needs(
            root = true,
            programs = {"setpriv", "python3"})
    void whoKeepsTheLockOfTheFolderKeepsNoBusFromListening() throws Exception {
        Files.setAttribute(folder, "unix:mode", 0755);
        Path file = folder.resolve("bus");
        UnixListener dead = UnixListener.listen(UnixAddress.path(file), SocketType.STREAM, 1);
        dead.fd().close(); // its file stays
        try (LockHog hog = LockHog.of(folder)) {
            assertThat(hog.taken()).hasSize(1);
            try (BusListener listener =
                    BusListener.listen(BusAddress.ofPath(file.toString())).getFirst()) {
                assertConnects(listener);
            }
        }
    }

    @Test
    void aFolderInWhichOthersCouldReplaceTheSocketIsRefused() throws Exception {
        BusAddress file = BusAddress.ofPath(folder.resolve("bus").toString());
        BusAddress random = BusAddress.parse("unix:dir=" + AddressText.escape("" + folder));
        for (int mode : new int[] {0777, 0770, 0702}) {
            Files.setAttribute(folder, "unix:mode", mode);
            for (BusAddress address : List.of(file, random)) {
                assertThatExceptionOfType(ErrnoException.class)
                        .isThrownBy(() -> BusListener.listen(address))
                        .withMessageContaining("other users may replace what is in " + folder)
                        .withMessageContaining("chmod go-w " + folder);
            }
        }
        Files.setAttribute(folder, "unix:mode", 01777); // the mode of /tmp
        BusListener.listen(file).getFirst().close();
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void aFileThatIsNoSocketIsKept() throws Exception {
        Path file = Files.writeString(folder.resolve("bus"), "precious");
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() -> BusListener.listen(BusAddress.ofPath(file.toString())))
                .withMessageContaining("EADDRINUSE");
        assertThat(file).hasContent("precious");
    }

    @Test
    void anAbstractSocketIsListenedOn() throws Exception {
        BusAddress address = BusAddress.parse("unix:abstract=/holdfast/" + UUID.randomUUID());
        try (BusListener listener = BusListener.listen(address).getFirst()) {
            assertThat(listener.address()).isEqualTo(address);
            assertConnects(listener);
        }
    }

    @ParameterizedTest
    @CsvSource({"dir", "tmpdir"})
    void aFolderGetsASocketOfARandomName(String key) throws Exception {
        BusAddress address =
                BusAddress.parse("unix:" + key + "=" + AddressText.escape("" + folder));
        try (BusListener one = BusListener.listen(address).getFirst();
                BusListener other = BusListener.listen(address).getFirst()) {
            assertThat(one.address()).isNotEqualTo(other.address());
            assertThat(one.address().toString()).contains("/dbus-");
            assertConnects(one);
            assertConnects(other);
        }
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void theRuntimeFolderHasTheUsersBus() throws Exception {
        BusAddress address = BusAddress.parse("unix:runtime=yes");
        Map<String, String> environment = Map.of("XDG_RUNTIME_DIR", folder.toString());
        try (BusListener listener = BusListener.listen(address, environment).getFirst()) {
            assertThat(listener.address())
                    .isEqualTo(BusAddress.ofPath(folder.resolve("bus").toString()));
            assertConnects(listener);
        }
        assertThatExceptionOfType(BusAddressException.class)
                .isThrownBy(() -> BusListener.listen(address, Map.of()))
                .withMessageContaining("XDG_RUNTIME_DIR");
    }

    @Test
    void aProgramIsConnectedToOverItsStandardStreams() throws Exception {
        BusAddress address = BusAddress.parse("unixexec:path=cat,argv0=purr,argv1=-");
        try (ConnectedSocket connected = ConnectedSocket.connect(address, LIMIT)) {
            connected.socket().sendFully(ByteBuffer.wrap(new byte[] {7, 8}));
            ByteBuffer echo = ByteBuffer.allocate(2);
            while (echo.hasRemaining()) {
                assertThat(connected.socket().receive(echo)).isPositive();
            }
            assertThat(echo.array()).containsExactly(7, 8);
            connected.socket().shutdownOutput();
            assertThat(connected.program().orElseThrow().await()).isEqualTo(new Exit.Exited(0));
        }
    }

    @Test
    void aProgramThatIsNotThereIsAnError() {
        assertThatExceptionOfType(ErrnoException.class)
                .isThrownBy(() ->
                        ConnectedSocket.connect(BusAddress.parse("unixexec:path=/no/such"), LIMIT)
                                .close())
                .withMessageContaining("/no/such");
    }

    @Test
    void socketsOfAServiceManagerAreTakenOnlyIfTheyAreForUs() {
        BusAddress systemd = BusAddress.parse("systemd:");
        String other = Long.toString(ProcessHandle.current().pid() + 1);
        for (Map<String, String> environment :
                List.of(
                        Map.<String, String>of(),
                        Map.of("LISTEN_FDS", "1"),
                        Map.of("LISTEN_PID", other, "LISTEN_FDS", "1"))) {
            assertThatExceptionOfType(BusAddressException.class)
                    .isThrownBy(() -> BusListener.listen(systemd, environment))
                    .withMessageContaining("systemd:")
                    .withMessageContaining("no sockets were passed");
        }
    }

    /** A service that is started by socket activation. */
    static final class Activated {
        private Activated() {}

        public static void main(String[] arguments) throws InterruptedException {
            BusAddress systemd = BusAddress.parse("systemd:");
            try {
                List<BusListener> listeners = BusListener.listen(systemd);
                for (BusListener listener : listeners) {
                    assertConnects(listener);
                    System.out.println(listener.address());
                }
                BusListener.listen(systemd);
            } catch (BusAddressException e) {
                System.out.println(e.getMessage());
            }
        }
    }

    private String outputOfActivated(Spawn spawn) throws Exception {
        try (Child child =
                spawn.environmentOfPid("LISTEN_PID")
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.merged())
                        .start()) {
            String output = new String(child.stdout().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(child.await()).as(output).isEqualTo(new Exit.Exited(0));
            return output;
        }
    }

    @Test
    void socketsOfAServiceManagerAreListenedOnOnce() throws Exception {
        Path one = folder.resolve("one");
        Path two = folder.resolve("two");
        try (UnixListener first = UnixListener.listen(UnixAddress.path(one), SocketType.STREAM, 5);
                UnixListener second =
                        UnixListener.listen(UnixAddress.path(two), SocketType.STREAM, 5)) {
            Spawn spawn =
                    Spawn.of(ChildJvm.command(List.of(), Activated.class))
                            .environment("LISTEN_FDS", "2")
                            .descriptor(3, first.fd())
                            .descriptor(4, second.fd());
            assertThat(outputOfActivated(spawn).lines())
                    .containsExactly(
                            "unix:path=" + AddressText.escape(one.toString()),
                            "unix:path=" + AddressText.escape(two.toString()),
                            "\"systemd:\": LISTEN_FDS: the descriptors were taken before");
        }
        assertThat(one).doesNotExist();
    }

    @Test
    void aSocketThatDoesNotListenIsRefusedByNumberAndName() throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket ours = pair[0];
                UnixSocket theirs = pair[1]) {
            Spawn spawn =
                    Spawn.of(ChildJvm.command(List.of(), Activated.class))
                            .environment("LISTEN_FDS", "1")
                            .environment("LISTEN_FDNAMES", "bus")
                            .descriptor(3, theirs.fd());
            assertThat(outputOfActivated(spawn))
                    .contains("descriptor 3 (bus)")
                    .contains("does not listen");
            assertThat(ours.fd().isOpen()).isTrue();
        }
    }
}
