package io.holdfast.manager.systemd1;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.limit.Charge;
import io.holdfast.core.limit.FairShare;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.manager.access.AuthorityPermission;
import io.holdfast.manager.access.Permission;
import io.holdfast.manager.systemd1.caller.Client;
import io.holdfast.manager.unit.UnitName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The limits for clients of a bus, and for the wait for an authority, each tested at the limit. */
@Timeout(60)
class LimitsOfClientsTest {
    @TempDir private Path folder;
    private Bus bus;
    private BusConnection connection;

    @BeforeEach
    void open() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        bus =
                Bus.open(
                        BusAddress.parse("unix:path=" + folder.resolve("bus")),
                        BusConfig.permissive());
        connection = BusConnection.connect(bus.addresses().getFirst().toString());
    }

    @AfterEach
    void close() {
        connection.close();
        bus.close();
    }

    private final FairShare<Long> held = FairShare.of("units", 4, "raise it");

    private void refer(Client client, String caller, String unit) {
        Charge<Long> charge = Objects.requireNonNull(held.charge(1000L, 1));
        client.refer(caller, unit, charge);
    }

    @Test
    void aReferenceIsChargedUntilTheLastOneOfItsCallerToTheUnitIsGone() {
        Client client = new Client(connection, true, (_, _) -> {});
        refer(client, ":1.1", "a.service");
        refer(client, ":1.1", "a.service");
        refer(client, ":1.2", "a.service");
        assertThat(held.total()).isEqualTo(2);
        assertThat(client.unrefer(":1.1", "a.service")).isTrue();
        assertThat(held.total()).isEqualTo(2);
        assertThat(client.unrefer(":1.1", "a.service")).isTrue();
        assertThat(client.unrefer(":1.1", "a.service")).isFalse();
        assertThat(held.total()).isEqualTo(1);
        assertThat(client.left(":1.2")).containsExactly(UnitName.of("a.service"));
        assertThat(held.total()).isZero();
    }

    @Test
    void aLostConnectionGivesBackAllThatItsCallersHold() {
        Client client = new Client(connection, true, (_, _) -> {});
        refer(client, ":1.1", "a.service");
        assertThat(client.close()).containsExactly(UnitName.of("a.service"));
        refer(client, ":1.2", "b.service"); // its unit was still being read
        assertThat(client.refers(UnitName.of("b.service"))).isFalse();
        assertThat(held.total()).isZero();
    }

    @Test
    void whoHoldsAReferenceIsToldOfChanges() {
        Client client = new Client(connection, true, (_, _) -> {});
        assertThat(client.listens()).isFalse();
        refer(client, ":1.1", "a.service");
        assertThat(client.listens()).isTrue();
        assertThat(client.unrefer(":1.1", "a.service")).isTrue();
        assertThat(client.listens()).isFalse();
    }

    /** An authority that takes longer than the manager waits. */
    @Test
    @Needs(root = true)
    void anAuthorityThatDoesNotAnswerInTimeRefuses() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        BlockingQueue<String> log = new LinkedBlockingQueue<>();
        BusInterface slow =
                BusInterface.named("org.freedesktop.PolicyKit1.Authority")
                        .method(
                                "CheckAuthorization",
                                "(sa{sv})sa{ss}us",
                                "(bba{ss})",
                                _ -> {
                                    end.await();
                                    return List.of(List.of(true, false, Map.of()));
                                })
                        .concurrent()
                        .build();
        UnixAddress at = UnixAddress.path(folder.resolve("peers"));
        BlockingQueue<UnixSocket> clients = new LinkedBlockingQueue<>();
        UnixListener listener = UnixListener.listen(at, SocketType.STREAM, 1, 0666);
        try (BusConnection polkit = BusConnection.connect(bus.addresses().getFirst().toString());
                var _ = polkit.export("/org/freedesktop/PolicyKit1/Authority", slow)) {
            polkit.requestName("org.freedesktop.PolicyKit1");
            AuthorityPermission permission =
                    new AuthorityPermission(
                            () -> Optional.of(connection),
                            (line, _) -> log.add(line),
                            Duration.ofMillis(50));
            AsUser.nobody(() -> clients.add(UnixSocket.connect(at, SocketType.STREAM)));
            try (UnixSocket _ = clients.take();
                    UnixSocket accepted = listener.accept();
                    Peer peer = accepted.peer()) {
                Permission.Question question =
                        new Permission.Question(
                                Permission.MANAGE_UNITS,
                                Permission.Verb.STOP.details(UnitName.of("a.service")),
                                false);
                assertThat(permission.isGranted(peer, question)).isFalse();
            }
            assertThat(log.take())
                    .startsWith(
                            "user 65534: org.freedesktop.systemd1.manage-units"
                                    + " (stop a.service) denied: the authority does not answer: ");
        } finally {
            end.countDown();
            listener.close();
        }
    }
}
