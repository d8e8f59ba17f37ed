package io.holdfast.journal;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.testkit.Gen;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Random entries, and all entries of files. */
final class Entries {
    private static final long START = 1_700_000_000_000_000L;
    private static final String TEXT = "abc äß€\uD83D\uDE00\t=";

    private Entries() {}

    /** Makes entries of two boots, with all kinds of fields. */
    static List<Entry> random(Gen gen, int count) {
        List<Entry> entries = new ArrayList<>();
        Id128 boot = new Id128(gen.anyLong(), gen.anyLong());
        long realtime = START;
        long monotonic = 1000;
        for (int i = 0; i < count; i++) {
            if (i == count / 2) {
                boot = new Id128(gen.anyLong(), gen.anyLong());
                monotonic = 500;
            }
            realtime += gen.between(0, 5000);
            monotonic += gen.between(1, 5000);
            Field[] fields = fields(gen, i).toArray(Field[]::new);
            entries.add(new Entry(Id128.NULL, 0, boot, monotonic, realtime, 0, fields));
        }
        return entries;
    }

    private static List<Field> fields(Gen gen, int number) {
        List<Field> fields = new ArrayList<>();
        int unit = gen.between(0, 3);
        fields.add(Field.of("_SYSTEMD_UNIT", "unit" + unit + ".service"));
        fields.add(Field.of("PRIORITY", Integer.toString(gen.between(0, 7))));
        fields.add(Field.of("_PID", Integer.toString(gen.between(1, 50))));
        fields.add(Field.of("MESSAGE", message(gen, number)));
        if (gen.chance(0.2)) {
            fields.add(Field.of("TAGS", "1"));
            fields.add(Field.of("TAGS", "2"));
        }
        if (gen.chance(0.1)) {
            fields.add(Field.of("EMPTY", ""));
        }
        return fields;
    }

    private static byte[] message(Gen gen, int number) {
        return switch (gen.between(0, 9)) {
            case 0 -> gen.bytes(40);
            case 1 -> gen.bytes(3000);
            case 2 -> gen.string(TEXT, 40).getBytes(UTF_8);
            case 3 -> "long text ".repeat(gen.between(50, 5000)).getBytes(UTF_8);
            case 4 -> "two\nlines".getBytes(UTF_8);
            default -> ("message " + number).getBytes(UTF_8);
        };
    }

    /** Reads all entries of a file from the head on. */
    static List<Entry> of(Path file) throws IOException {
        try (JournalReader reader = JournalReader.openFile(file)) {
            return rest(reader);
        }
    }

    /** Reads all entries behind the place of a reader. */
    static List<Entry> rest(JournalReader reader) {
        List<Entry> entries = new ArrayList<>();
        for (Entry entry = reader.next(); entry != null; entry = reader.next()) {
            entries.add(entry);
        }
        return entries;
    }

    /** Writes entries to a file. */
    static void write(Path file, List<Entry> entries, WriterOptions options) throws IOException {
        try (JournalWriter writer = JournalWriter.open(file, options)) {
            for (Entry entry : entries) {
                var _ = writer.append(entry);
            }
        }
    }

    /** Returns the texts of the field MESSAGE. */
    static List<String> messages(List<Entry> entries) {
        return entries.stream().map(entry -> entry.text("MESSAGE").orElse("")).toList();
    }
}
