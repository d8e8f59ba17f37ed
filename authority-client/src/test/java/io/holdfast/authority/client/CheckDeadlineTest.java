package io.holdfast.authority.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.client.Authority.Option;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.varlink.VarlinkAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A check is refused at the end of its time limit, whatever it waits for. */
@Timeout(60)
class CheckDeadlineTest {
    private static final Duration SHORT = Duration.ofMillis(100);
    private static final Duration LONG = Duration.ofDays(1);

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

    private UnixListener listen(int backlog) {
        return UnixListener.listen(UnixAddress.path(socket), SocketType.STREAM, backlog);
    }

    private Authority overVarlink() {
        return new VarlinkAuthority(VarlinkAddress.parse("unix:" + socket), SHORT);
    }

    private Authority overBus(Duration timeout) {
        return new BusAuthority(
                List.of(BusAddress.parse("unix:path=" + socket)),
                ConnectionOptions.standard().withConnectTimeout(LONG),
                timeout);
    }

    private CompletableFuture<Decision> check(Authority authority, Option... options) {
        return authority.check(self, 4711, "a.yes", Map.of(), options);
    }

    private static void assertRefused(CompletableFuture<Decision> answer, String why)
            throws Exception {
        Decision decision = answer.get();
        assertThat(decision.isAuthorized()).isFalse();
        assertThat(decision.isChallenge()).isFalse();
        assertThat(decision.failure()).get().asString().contains(why);
    }

    @Test
    void anAuthorityThatAcceptsNoConnectionRefuses() throws Exception {
        try (UnixListener listener = listen(0);
                UnixSocket first = UnixSocket.connect(listener.address(), SocketType.STREAM);
                Authority authority = overVarlink()) {
            assertThat(first.remoteAddress()).isEqualTo(listener.address());
            assertRefused(check(authority), "does not accept connections");
            assertRefused(check(authority, Option.INTERACTIVE), "does not accept connections");
        }
    }

    @Test
    void anAuthorityThatDoesNotAnswerRefuses() throws Exception {
        try (UnixListener listener = listen(8);
                Authority authority = overVarlink()) {
            assertThat(listener.fd().isOpen()).isTrue();
            assertRefused(check(authority), "no reply came in time");
        }
    }

    @Test
    void aCheckBehindTooManyOthersIsRefused() throws Exception {
        List<CompletableFuture<Decision>> dialogs = new ArrayList<>();
        List<UnixSocket> accepted = new ArrayList<>();
        try (UnixListener listener = listen(VarlinkAuthority.MAX_CONNECTIONS)) {
            try (Authority authority = overVarlink()) {
                for (int i = 0; i < VarlinkAuthority.MAX_CONNECTIONS; i++) {
                    dialogs.add(check(authority, Option.INTERACTIVE));
                    accepted.add(listener.accept());
                }
                assertRefused(check(authority), "earlier checks");
                assertRefused(check(authority, Option.INTERACTIVE), "earlier checks");
                assertThat(dialogs).noneMatch(CompletableFuture::isDone);
            }
            for (CompletableFuture<Decision> dialog : dialogs) {
                assertRefused(dialog, "");
            }
        } finally {
            accepted.forEach(UnixSocket::close);
        }
    }

    @Test
    void aBusThatDoesNotAuthenticateRefuses() throws Exception {
        try (Authority authority = overBus(SHORT);
                UnixListener listener = listen(8)) {
            assertThat(listener.fd().isOpen()).isTrue();
            CompletableFuture<Decision> first = check(authority);
            CompletableFuture<Decision> second = check(authority, Option.INTERACTIVE);
            assertRefused(first, "");
            assertRefused(second, "");
        }
    }

    @Test
    void closeDoesNotWaitForAConnectToTheBus() throws Exception {
        CompletableFuture<Decision> answer;
        try (Authority authority = overBus(LONG);
                UnixListener listener = listen(8)) {
            answer = check(authority);
            try (UnixSocket connection = listener.accept()) {
                assertThat(connection.receive(ByteBuffer.allocate(1))).isPositive();
                Thread.ofVirtual().start(authority::close).join();
                assertThat(answer).isNotDone();
            }
        }
        assertRefused(answer, "");
    }
}
