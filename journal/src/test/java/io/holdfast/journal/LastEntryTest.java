package io.holdfast.journal;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.journal.format.Layout;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Undoes links of the last entry, as if its writer had been killed before them. */
class LastEntryTest {
    @TempDir Path folder;

    /** Both formats, entries that need no new array and such that do, and each number of links. */
    @ParameterizedTest
    @CsvSource({
        "true, 9, 0", "true, 9, 1", "true, 9, 3", "true, 10, 2", "true, 5, 1", "true, 2, 1",
        "true, 1, 1", "false, 9, 0", "false, 9, 1", "false, 10, 2", "false, 5, 1", "false, 1, 1"
    })
    void anEntryIsFoundByEachFieldOrNotAtAll(boolean isCompact, int count, int links)
            throws IOException {
        WriterOptions options = WriterOptions.standard().maxFileSize(1 << 20).compact(isCompact);
        Path file = folder.resolve("system.journal");
        Path killed = Files.createDirectory(folder.resolve("killed")).resolve("system.journal");
        try (JournalWriter writer = JournalWriter.open(file, options)) {
            for (int i = 0; i < count; i++) {
                var _ =
                        writer.append(
                                List.of(
                                        Field.of("A", "1"),
                                        Field.of("B", "1"),
                                        Field.of("C", "1"),
                                        Field.of("NUMBER", Integer.toString(i))));
            }
            Files.copy(file, killed);
        }
        unlink(killed, links, isCompact);
        try (JournalWriter writer = JournalWriter.open(killed, options)) {
            var _ = writer.append(List.of(Field.of("A", "1"), Field.of("NUMBER", "next")));
        }
        try (JournalReader reader = JournalReader.openFolders(List.of(folder.resolve("killed")))) {
            List<String> all = numbers(reader, null);
            List<String> expected = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                expected.add(Integer.toString(i));
            }
            if (links == 0) {
                expected.removeLast();
            }
            assertThat(numbers(reader, "B")).isEqualTo(expected);
            assertThat(numbers(reader, "C")).isEqualTo(expected);
            expected.add("next");
            assertThat(all).isEqualTo(expected);
            assertThat(numbers(reader, "A")).isEqualTo(expected);
            assertThat(reader.problems()).isEmpty();
        }
        if (links > 0) { // else an entry stays that no reader finds
            try (Stream<Path> files = Files.list(folder.resolve("killed"))) {
                for (Path each : (Iterable<Path>) files::iterator) {
                    assertThat(JournalVerifier.verify(each).problems()).isEmpty();
                }
            }
        }
    }

    private static List<String> numbers(JournalReader reader, @Nullable String name) {
        reader.filter(name == null ? null : Match.field(name, "1"));
        reader.seekHead();
        List<String> found = new ArrayList<>();
        List<String> back = new ArrayList<>();
        for (Entry entry = reader.next(); entry != null; entry = reader.next()) {
            found.add(entry.text("NUMBER").orElse(""));
        }
        for (Entry entry = reader.previous(); entry != null; entry = reader.previous()) {
            back.addFirst(entry.text("NUMBER").orElse(""));
        }
        assertThat(back).isEqualTo(found);
        return found;
    }

    /** Leaves so many links of the last entry to its fields, and none to the file. */
    private static void unlink(Path path, int links, boolean isCompact) throws IOException {
        try (FileChannel channel =
                FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer file =
                    channel.map(FileChannel.MapMode.READ_WRITE, 0, channel.size())
                            .order(ByteOrder.LITTLE_ENDIAN);
            int entry = (int) file.getLong(Layout.TAIL_ENTRY_OFFSET);
            file.putLong(Layout.N_ENTRIES, file.getLong(Layout.N_ENTRIES) - 1);
            int step = isCompact ? 4 : 16;
            int items =
                    (int) (file.getLong(entry + Layout.OBJECT_SIZE) - Layout.ENTRY_ITEMS) / step;
            for (int i = links; i < items; i++) {
                int data = file.getInt(entry + Layout.ENTRY_ITEMS + i * step);
                file.putLong(
                        data + Layout.DATA_N_ENTRIES,
                        file.getLong(data + Layout.DATA_N_ENTRIES) - 1);
            }
            file.putLong(Layout.TAIL_ENTRY_SEQNUM, file.getLong(Layout.TAIL_ENTRY_SEQNUM) - 1);
        }
    }
}
