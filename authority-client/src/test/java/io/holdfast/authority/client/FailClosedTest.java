package io.holdfast.authority.client;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.address.BusAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every failure between the client and an authority is a refusal that says why. */
@Timeout(120)
class FailClosedTest {
    @TempDir Path folder;
    private PidFd self;
    private Path socket;

    @BeforeEach
    void open() {
        self = PidFd.self();
        socket = folder.resolve("socket");
    }

    @AfterEach
    void close() {
        self.close();
    }

    private BusAddress address() {
        return BusAddress.parse("unix:path=" + folder.resolve("bus"));
    }

    private Decision check(Authority authority, String action) {
        return authority.check(self, 4711, action, Map.of()).join();
    }

    private void assertRefused(Decision decision) {
        assertThat(decision.isAuthorized()).isFalse();
        assertThat(decision.isChallenge()).isFalse();
        assertThat(decision.failure()).isPresent();
    }

    @Test
    void whatIsNoAddressIsRefusedAtOnce() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Authority.overVarlink("io.holdfast.Authority"))
                .withMessageContaining("not a Varlink address");
        try (Authority authority = Authority.overVarlink("unix:" + socket)) {
            assertThat(authority).hasToString("io.holdfast.Authority at " + socket);
        }
    }

    @Test
    void withoutAnAuthorityNobodyMay() throws Exception {
        try (Authority varlink = Authority.overVarlink(socket.toString());
                Authority bus = Authority.overBus(List.of(address()))) {
            assertRefused(check(varlink, "a.yes"));
            assertRefused(check(bus, "a.yes"));
            try (Bus empty = Bus.open(address(), BusConfig.permissive())) {
                assertThat(empty.addresses()).hasSize(1);
                assertRefused(check(bus, "a.yes"));
            }
            assertRefused(check(bus, "a.yes"));
        }
    }

    @Test
    void anErrorOfTheClientIsARefusalToo() {
        RemoteAuthority broken =
                new RemoteAuthority(RemoteAuthority.TIMEOUT) {
                    @Override
                    Decision sendCheck(Check check) {
                        throw new StackOverflowError("on purpose");
                    }

                    @Override
                    public void close() {}
                };
        assertRefused(check(broken, "a.yes"));
    }

    @Test
    void repliesThatAreNoneAreRefusalsAndLeaveNoConnection() throws Exception {
        byte[] nonsense = "{\"parameters\":{\"isAuthorized\":\"yes\"}}\0".getBytes(UTF_8);
        OpenDescriptors before = OpenDescriptors.now();
        try (UnixListener listener =
                        UnixListener.listen(UnixAddress.path(socket), SocketType.STREAM, 8);
                Authority authority = Authority.overVarlink(socket.toString())) {
            Thread serving =
                    Thread.ofVirtual()
                            .start(() -> {
                                try {
                                    for (int i = 0; i < 5; i++) {
                                        try (var connection = listener.accept()) {
                                            connection.sendFully(ByteBuffer.wrap(nonsense));
                                        }
                                    }
                                } catch (InterruptedException e) {
                                    Thread.currentThread().interrupt();
                                }
                            });
            for (int i = 0; i < 5; i++) {
                assertRefused(check(authority, "a.yes"));
            }
            serving.join();
        }
        before.awaitSameNumber();
    }

    @Test
    void anAuthorityThatDiesInACheckHasRefused() throws Exception {
        CompletableFuture<Boolean> received = new CompletableFuture<>();
        try (Bus bus = Bus.open(address(), BusConfig.permissive());
                Authority authority = Authority.overBus(List.of(address()))) {
            assertThat(bus.addresses()).hasSize(1);
            BusConnection dying = BusConnection.connect(address().toString());
            BusInterface face =
                    BusInterface.named(Authority.BUS_INTERFACE)
                            .concurrent()
                            .method(
                                    "CheckAuthorization",
                                    "(sa{sv})sa{ss}us",
                                    "(bba{ss})",
                                    _ -> {
                                        received.complete(true);
                                        new CountDownLatch(1).await();
                                        return List.of();
                                    })
                            .build();
            dying.export(Authority.OBJECT_PATH, face);
            var _ = dying.requestName(Authority.BUS_NAME);
            CompletableFuture<Decision> answer = authority.check(self, 4711, "a.yes", Map.of());
            assertThat(received.join()).isTrue();
            dying.close();
            assertRefused(answer.join());
            assertRefused(check(authority, "a.yes"));
        }
        try (UnixListener listener =
                        UnixListener.listen(UnixAddress.path(socket), SocketType.STREAM, 8);
                Authority authority = Authority.overVarlink(socket.toString())) {
            CompletableFuture<Decision> answer = authority.check(self, 4711, "a.yes", Map.of());
            try (var connection = listener.accept()) {
                assertThat(connection.receive(ByteBuffer.allocate(1))).isPositive();
            }
            assertRefused(answer.join());
        }
    }
}
