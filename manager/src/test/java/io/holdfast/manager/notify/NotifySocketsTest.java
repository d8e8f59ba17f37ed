package io.holdfast.manager.notify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.wait.FdCloser;
import io.holdfast.manager.loop.ManagerCounters;
import io.holdfast.manager.survival.Survival;
import io.holdfast.manager.unit.UnitName;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class NotifySocketsTest {
    private static final UnitName UNIT = UnitName.of("x.service");

    @TempDir private Path folder;

    /**
     * A service that goes on to send would otherwise fill the queue of the socket again, and the
     * close of the socket closes what is in it: descriptors whose close may block the loop.
     */
    @Test
    void nothingCanBeSentToASocketThatIsBeingClosed() throws Exception {
        List<String> complaints = new ArrayList<>();
        try (EventLoop loop = EventLoop.open();
                TrustedFolder runtime = TrustedFolder.make(folder);
                NotifySockets sockets =
                        new NotifySockets(
                                runtime,
                                loop,
                                new FdCloser<>("test"),
                                (_, _, _, _) -> {},
                                Survival.none(),
                                new ManagerCounters(),
                                complaints::add)) {
            NotifySocket socket = sockets.open(UNIT);
            UnixAddress address = new UnixAddress.PathName(socket.path().toString());
            try (UnixSocket sender = UnixSocket.connect(address, SocketType.DATAGRAM);
                    Fd other = socket.socket.fd().duplicate()) {
                sender.send(ByteBuffer.wrap(new byte[1]));
                socket.close();

                assertThat(other.isOpen()).as("the socket itself is still there").isTrue();
                assertThatExceptionOfType(ErrnoException.class)
                        .isThrownBy(() -> sender.trySend(ByteBuffer.wrap(new byte[1])))
                        .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EPIPE));
            }
        }
        assertThat(complaints).isEmpty();
    }
}
