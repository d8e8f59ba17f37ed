package io.holdfast.cli.up;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.manager.log.ManagerListener.Level;
import io.holdfast.manager.unit.UnitName;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests what a receiver gets of the messages of a manager while it is busy, or starts. */
@Timeout(60)
class EventJournalTest {
    private static final int MORE_THAN_A_SOCKET_HOLDS = 200; // at 10 datagrams, the usual limit

    @TempDir private Path folder;
    private UnixSocket receiver;
    private EventJournal journal;

    @BeforeEach
    void open() {
        Path path = folder.resolve("socket");
        receiver = UnixSocket.bind(new UnixAddress.PathName(path.toString()), 0600);
        journal = new EventJournal(path, false);
    }

    @AfterEach
    void close() {
        receiver.close();
    }

    private void send(int from, int to) {
        for (int i = from; i < to; i++) {
            journal.send(Optional.of(UnitName.of("a.service")), "", Level.INFO, "event " + i);
        }
    }

    /** Receives until a message with this text has come. */
    private List<String> receiveUntil(String last) throws InterruptedException {
        List<String> all = new ArrayList<>();
        do {
            ByteBuffer buffer = ByteBuffer.allocate(4096);
            int _ = receiver.receive(buffer);
            String message =
                    new String(buffer.array(), 0, buffer.position(), UTF_8).stripTrailing();
            all.add(message.substring(message.lastIndexOf('\0') + 1));
        } while (!all.getLast().equals(last));
        return all;
    }

    private static List<String> events(int from, int to) {
        return IntStream.range(from, to).mapToObj(i -> "event " + i).toList();
    }

    @Test
    void aReceiverThatStartsGetsAllMessagesInTheirOrder() throws Exception {
        int count = MORE_THAN_A_SOCKET_HOLDS;
        send(0, count / 2);
        journal.received();
        send(count / 2, count);
        assertThat(receiveUntil("event " + (count - 1))).isEqualTo(events(0, count));
    }

    @Test
    void messagesThatAreDroppedAreCounted() throws Exception {
        send(0, 300);
        journal.received();
        List<String> received = receiveUntil("event 299");
        assertThat(received.getFirst())
                .isEqualTo("44 messages of the manager were dropped: the receiver took none");
        assertThat(received.subList(1, received.size())).isEqualTo(events(44, 300));
    }
}
