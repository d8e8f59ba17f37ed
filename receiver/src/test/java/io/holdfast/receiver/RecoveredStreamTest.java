package io.holdfast.receiver;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.socket.ListenFds;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.journal.Entry;
import io.holdfast.journal.JournalReader;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Passes what a killed receiver has left in its windows to the next one. */
@Timeout(120)
class RecoveredStreamTest {
    private static final int LINES = 12_000; // as entries, far more than may wait for the disk

    @TempDir private Path folder;

    @Test
    void manyLinesOfAKilledReceiverAreStoredBeforeTheNextOneRuns() throws Exception {
        List<String> lines = IntStream.range(0, LINES).mapToObj(Integer::toString).toList();
        List<String> warnings = new CopyOnWriteArrayList<>();
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket writer = pair[0];
                UnixSocket stream = pair[1];
                StreamWindows windows = StreamWindows.make(1)) {
            StreamWindow window = Objects.requireNonNull(windows.open(stream));
            String text = "me\n\n30\n0\n0\n0\n0\n" + String.join("\n", lines) + "\n";
            writer.sendFully(ByteBuffer.wrap(text.getBytes(UTF_8)));
            while (window.total() < text.length()) {
                window.received(stream.tryReceive(window.room("x.service")));
            }
            List<ListenFds.Named> passed =
                    List.of(
                            new ListenFds.Named(PassedSockets.WINDOWS, windows.file().duplicate()),
                            new ListenFds.Named(
                                    PassedSockets.nameOf(window), stream.fd().duplicate()));
            try (Receiver receiver =
                    Receiver.open(
                            new ReceiverOptions(
                                            folder.resolve("run"),
                                            folder.resolve("log"),
                                            false,
                                            warnings::add)
                                    .withPassed(passed))) {
                receiver.flush();
                List<String> stored = stored();
                assertThat(stored.size()).isEqualTo(LINES); // the lists are too long to be printed
                assertThat(stored.equals(lines)).isTrue();
            }
        }
        assertThat(warnings).isEmpty();
    }

    private List<String> stored() {
        List<String> found = new ArrayList<>();
        try (JournalReader reader = JournalReader.openFolders(List.of(folder.resolve("log")))) {
            for (Entry entry = reader.next(); entry != null; entry = reader.next()) {
                found.add(entry.text("MESSAGE").orElse(""));
            }
        }
        return found;
    }
}
