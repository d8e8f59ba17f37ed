package io.holdfast.core.sys.socket;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.socket.SysSockDiag.UnixConnection;
import io.holdfast.core.testkit.OpenDescriptors;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which sockets are connected to which, as the kernel tells it. */
@Timeout(60)
class SysSockDiagTest {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final OpenDescriptors before = OpenDescriptors.now();

    @AfterEach
    void nothingStaysOpen() {
        before.awaitSameNumber();
    }

    private static Map<Long, UnixConnection> all() {
        try {
            return SysSockDiag.unixConnections().stream()
                    .collect(Collectors.toMap(UnixConnection::inode, Function.identity()));
        } catch (ErrnoException e) {
            assumeTrue(e.errno() != Errno.ENOENT, "the kernel has no unix_diag");
            throw e;
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 108})
    void bothEndsKnowEachOtherAndTheAcceptedOneHasTheNameOfTheListener(
            int bytes, @TempDir Path folder) throws InterruptedException {
        int left = Math.max(1, bytes - folder.toString().length() - 1);
        Path path = folder.resolve("s".repeat(left));
        UnixAddress address = UnixAddress.path(path);
        try (UnixListener listener = UnixListener.listen(address, SocketType.STREAM, 1);
                UnixSocket client = UnixSocket.connect(address, SocketType.STREAM, LIMIT);
                UnixSocket server = listener.accept()) {
            long ofClient = SysStat.inode(client.fd());
            long ofServer = SysStat.inode(server.fd());
            Map<Long, UnixConnection> all = all();
            UnixConnection seenClient = requireNonNull(all.get(ofClient));
            UnixConnection seenServer = requireNonNull(all.get(ofServer));
            assertThat(seenClient.peer()).isEqualTo(ofServer);
            assertThat(seenServer.peer()).isEqualTo(ofClient);
            assertThat(seenServer.name().text()).isEqualTo(path.toString());
            assertThat(seenClient.name().bytes()).isEmpty();
            assertThat(all).doesNotContainKey(SysStat.inode(listener.fd()));
        }
    }

    @Test
    void manyAreReturnedInSeveralPartsOfTheAnswer() {
        List<UnixSocket> open = new ArrayList<>();
        try {
            for (int i = 0; i < 1_000; i++) {
                open.addAll(List.of(UnixSocket.pair(SocketType.SEQPACKET)));
            }
            Map<Long, UnixConnection> all = all();
            for (int i = 0; i < open.size(); i += 2) {
                long one = SysStat.inode(open.get(i).fd());
                long other = SysStat.inode(open.get(i + 1).fd());
                assertThat(requireNonNull(all.get(one)).peer()).isEqualTo(other);
            }
        } finally {
            open.forEach(UnixSocket::close);
        }
    }
}
