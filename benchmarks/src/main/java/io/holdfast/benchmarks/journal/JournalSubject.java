package io.holdfast.benchmarks.journal;

import io.holdfast.journal.Entry;
import io.holdfast.journal.Field;
import io.holdfast.journal.Id128;
import io.holdfast.journal.JournalReader;
import io.holdfast.journal.JournalWriter;
import io.holdfast.journal.Match;
import io.holdfast.journal.WriterOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The library in a JVM of its own, on command:
 *
 * <pre>
 *   fill FOLDER ENTRIES      writes entries of 1,000 units; answers 0
 *   copy FROM TO             writes the entries of a folder into another one; answers their number
 *   last FOLDER UNIT LINES   opens the folder and reads the last entries of a unit; nanoseconds
 * </pre>
 */
final class JournalSubject {
    static final int UNITS = 1_000;

    private static final int HOSTS = 4;
    private static final long BEGIN = 1_764_547_200_000_000L; // in µs since 1970
    private static final long BETWEEN = 1_000;

    private JournalSubject() {}

    public static void main(String[] args) throws IOException {
        BufferedReader commands =
                new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            String[] words = line.split(" ");
            System.out.println(
                    switch (words[0]) {
                        case "fill" -> fill(Path.of(words[1]), Integer.parseInt(words[2]));
                        case "copy" -> copy(Path.of(words[1]), Path.of(words[2]));
                        case "last" ->
                                last(Path.of(words[1]), words[2], Integer.parseInt(words[3]));
                        default -> throw new IllegalArgumentException(line);
                    });
        }
    }

    private static JournalWriter writer(Path folder) throws IOException {
        return JournalWriter.open(folder.resolve("system.journal"), WriterOptions.standard());
    }

    private static long fill(Path folder, int entries) throws IOException {
        Id128 boot = Id128.boot();
        try (JournalWriter writer = writer(folder)) {
            for (int i = 0; i < entries; i++) {
                int unit = Math.floorMod((i * 2654435761L) >>> 7, UNITS);
                List<Field> fields =
                        List.of(
                                Field.of("MESSAGE", "request " + i + " was answered"),
                                Field.of("PRIORITY", "6"),
                                Field.of("_SYSTEMD_UNIT", "unit-" + unit + ".service"),
                                Field.of("_UID", "0"),
                                Field.of("_PID", Integer.toString(1000 + unit)),
                                Field.of("_HOSTNAME", "host" + unit % HOSTS));
                long _ = writer.appendQuietly(BEGIN + i * BETWEEN, i * BETWEEN + 1, boot, fields);
            }
        }
        return 0;
    }

    private static long copy(Path from, Path to) throws IOException {
        long count = 0;
        try (JournalReader reader = JournalReader.openFolders(List.of(from));
                JournalWriter writer = writer(to)) {
            reader.seekHead();
            for (Entry entry = reader.next(); entry != null; entry = reader.next()) {
                long _ = writer.append(entry);
                count++;
            }
        }
        return count;
    }

    private static long last(Path folder, String unit, int lines) {
        long begin = System.nanoTime();
        List<Entry> found = new ArrayList<>();
        try (JournalReader reader = JournalReader.openFolders(List.of(folder))) {
            reader.filter(Match.field("_SYSTEMD_UNIT", unit));
            reader.seekTail();
            for (Entry entry = reader.previous();
                    entry != null && found.size() < lines;
                    entry = reader.previous()) {
                found.add(entry);
            }
        }
        long nanos = System.nanoTime() - begin;
        if (found.size() != lines) {
            throw new IllegalStateException(unit + ": " + found.size() + " entries");
        }
        return nanos;
    }
}
