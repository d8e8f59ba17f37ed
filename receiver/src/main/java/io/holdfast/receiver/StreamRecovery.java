package io.holdfast.receiver;

import io.holdfast.journal.Entry;
import io.holdfast.journal.Field;
import io.holdfast.journal.JournalReader;
import io.holdfast.journal.Match;
import io.holdfast.receiver.input.StreamLines.Break;
import io.holdfast.receiver.input.StreamLines.Line;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Finds out which lines of a stream are in the journal already, after a receiver was killed.
 *
 * <p>The lines of the stream's {@link StreamWindow} were offered to the store in their order, and
 * the store writes in that order. So the entries of the stream with larger sequence numbers than
 * the window's are those of a part of these lines, from the first on; some lines have none, as the
 * rate limit dropped them. What follows the line of the last entry is missing. Used before the loop
 * runs.
 */
final class StreamRecovery implements AutoCloseable {
    private final JournalReader journal;

    StreamRecovery(Path folder) {
        journal = JournalReader.openFolders(List.of(folder));
    }

    /**
     * What an entry says about its line.
     *
     * @param message as it was stored
     * @param atEnd whether the stream ended with it
     */
    @SuppressWarnings("ArrayRecordComponent") // is used once, and never compared
    record Stored(byte[] message, boolean atEnd) {}

    /** Returns the entries of a stream that may be of lines in its window, in their order. */
    List<Stored> stored(StreamWindow window) {
        journal.filter(Match.field("_STREAM_ID", window.id().toString()));
        journal.seekTail();
        List<Stored> found = new ArrayList<>();
        for (Entry entry = journal.previous();
                entry != null && entry.seqnum() > window.sequence();
                entry = journal.previous()) {
            byte[] message = entry.field("MESSAGE").map(Field::value).orElse(new byte[0]);
            boolean atEnd = entry.text("_LINE_BREAK").filter(Break.END.word()::equals).isPresent();
            found.add(new Stored(message, atEnd));
        }
        return found.reversed();
    }

    /** Returns whether the last line of a stream, which had no end, was stored. */
    static boolean hasEnded(List<Stored> stored) {
        return !stored.isEmpty() && stored.getLast().atEnd();
    }

    /** Returns the lines that follow that of the last entry. */
    static List<Line> missing(List<Line> received, List<Stored> stored) {
        int after = 0;
        int from = 0;
        for (Stored entry : stored) {
            for (int i = from; i < received.size(); i++) {
                if (Arrays.equals(received.get(i).text(), entry.message())) {
                    from = i + 1;
                    after = from;
                    break;
                }
            }
        }
        return received.subList(after, received.size());
    }

    @Override
    public void close() {
        journal.close();
    }
}
