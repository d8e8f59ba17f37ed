package io.holdfast.cli.service;

import io.holdfast.cli.up.JournalPlace;
import io.holdfast.cli.up.UnitMessages;
import io.holdfast.journal.Entry;
import io.holdfast.journal.Field;
import io.holdfast.journal.JournalReader;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;

/**
 * The last lines of a unit, and those about it, in journal files: those of the manager's own
 * receiver, or of systemd-journald.
 */
final class JournaledLines {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("MMM dd HH:mm:ss", Locale.ENGLISH);

    private JournaledLines() {}

    /**
     * Returns the last lines, the oldest first, as journalctl(1) prints them; those that this user
     * may read.
     */
    static List<String> last(JournalPlace place, String unit, int count) {
        try (JournalReader reader = JournalReader.openFolders(place.folders())) {
            reader.filter(UnitMessages.of(unit));
            reader.seekTail();
            Deque<String> lines = new ArrayDeque<>();
            for (Entry entry = reader.previous();
                    entry != null && lines.size() < count;
                    entry = reader.previous()) {
                lines.addFirst(line(entry));
            }
            return List.copyOf(lines);
        }
    }

    private static String line(Entry entry) {
        String who =
                entry.text("SYSLOG_IDENTIFIER").or(() -> entry.text("_COMM")).orElse("unknown");
        return TIME.format(ZonedDateTime.ofInstant(entry.realtime(), ZoneId.systemDefault()))
                + " "
                + who
                + entry.text("_PID").map(pid -> "[" + pid + "]").orElse("")
                + ": "
                + entry.field("MESSAGE").map(Field::text).orElse("");
    }
}
