package io.holdfast.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.journal.format.Bytes;
import io.holdfast.journal.format.Layout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which file a writer continues, and when it begins a new one. */
class WriterTest {
    private static final Id128 BOOT = Id128.random();

    @TempDir Path folder;
    private final List<RotationReason> reasons = new ArrayList<>();
    private final WriterOptions options =
            WriterOptions.standard().onRotation((_, reason) -> reasons.add(reason));
    private Path file = Path.of("");

    @BeforeEach
    void nameFile() {
        file = folder.resolve("system.journal");
    }

    private static List<Field> message(String text) {
        return List.of(Field.of("MESSAGE", text));
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    private List<String> allMessages() {
        try (JournalReader reader = JournalReader.openFolders(List.of(folder))) {
            return Entries.messages(Entries.rest(reader));
        }
    }

    @Test
    void aClosedFileIsContinued() throws IOException {
        for (int i = 0; i < 3; i++) {
            try (JournalWriter writer = JournalWriter.open(file, options)) {
                assertThat(writer.append(message("m" + i))).isEqualTo(i + 1);
                assertThat(FileHeader.read(file).state()).isEqualTo(FileState.ONLINE);
            }
            assertThat(FileHeader.read(file).state()).isEqualTo(FileState.OFFLINE);
        }
        assertThat(Entries.messages(Entries.of(file))).containsExactly("m0", "m1", "m2");
        assertThat(JournalVerifier.verify(file).problems()).isEmpty();
        assertThat(reasons).isEmpty();
    }

    @Test
    void namesOfAFileThatIsContinuedAreNotStoredAgain() throws IOException {
        List<Field> many = new ArrayList<>();
        for (int i = 0; i < 1500; i++) { // several in each chain of the table
            many.add(Field.of("NAME" + i, "1"));
        }
        for (int i = 0; i < 2; i++) {
            try (JournalWriter writer = JournalWriter.open(file, options)) {
                var _ = writer.append(many.subList(0, 900));
                var _ = writer.append(many.subList(600, 1500));
            }
        }
        assertThat(JournalVerifier.verify(file).problems()).isEmpty();
        try (JournalReader reader = JournalReader.openFile(file)) {
            assertThat(reader.fieldNames()).hasSize(1500 + 1); // and _BOOT_ID
        }
        assertThat(reasons).isEmpty();
    }

    /** The file is several times as large as what a writer has mapped of it at once. */
    @Test
    void anEntryMayReferToFieldsAllOverAFile() throws IOException {
        int fields = 60;
        int values = 1500;
        String long200 = "x".repeat(200);
        Random random = new Random(1);
        List<List<Field>> written = new ArrayList<>();
        try (JournalWriter writer = JournalWriter.open(file, options)) {
            for (int i = 0; i < 2 * values; i++) {
                List<Field> entry = new ArrayList<>();
                for (int k = 0; k < fields; k++) {
                    int value = i < values ? i : random.nextInt(values);
                    entry.add(Field.of("F" + k, long200 + value));
                }
                var _ = writer.append(entry);
                written.add(entry);
            }
        }
        assertThat(reasons).isEmpty();
        assertThat(Files.size(file))
                .isGreaterThan((2L * MappedFile.MAX_RESIDENT) << MappedFile.WINDOW_SHIFT);
        assertThat(JournalVerifier.verify(file).problems()).isEmpty();
        Field one = written.get(2 * values - 1).getFirst();
        try (JournalReader reader = JournalReader.openFile(file)) {
            reader.filter(Match.field("F0", one.text()));
            assertThat(Entries.rest(reader))
                    .hasSameSizeAs(written.stream().filter(entry -> entry.contains(one)).toList());
        }
    }

    @Test
    void aFileThatWasNotClosedIsArchivedAndTheNumbersGoOn() throws IOException {
        try (JournalWriter writer = JournalWriter.open(file, options)) {
            var _ = writer.append(message("before"));
        }
        byte[] bytes = Files.readAllBytes(file);
        bytes[Layout.STATE] = Layout.STATE_ONLINE;
        var _ = Files.write(file, bytes);

        try (JournalWriter writer = JournalWriter.open(file, options)) {
            assertThat(writer.append(message("after"))).isEqualTo(2);
        }

        assertThat(reasons).containsExactly(RotationReason.UNCLEAN);
        assertThat(names())
                .hasSize(2)
                .anyMatch(name -> name.matches("system@[0-9a-f]{16}-[0-9a-f]{16}\\.journal~"));
        assertThat(allMessages()).containsExactly("before", "after");
    }

    @Test
    void theNumbersGoOnBehindAFileWithoutEntries() throws IOException {
        try (JournalWriter writer = JournalWriter.open(file, options)) {
            assertThat(writer.append(message("a"))).isEqualTo(1);
            assertThat(writer.rotate()).isPresent();
        }
        JournalWriter.open(file, options).close();
        try (JournalWriter writer = JournalWriter.open(file, options)) {
            assertThat(writer.append(message("b"))).isEqualTo(2);
        }
    }

    @Test
    void aFileThatIsNoJournalIsSetAside() throws IOException {
        Files.writeString(file, "not a journal");
        try (JournalWriter writer = JournalWriter.open(file, options)) {
            var _ = writer.append(message("first"));
        }
        assertThat(reasons).containsExactly(RotationReason.UNCLEAN);
        assertThat(Entries.messages(Entries.of(file))).containsExactly("first");
        assertThat(names()).hasSize(2);
    }

    @Test
    void aFileOfAnotherMachineOrFormatIsArchived() throws IOException {
        List<WriterOptions> writers =
                List.of(options, options.machineId(Id128.random()), options.compact(false));
        for (WriterOptions each : writers) {
            try (JournalWriter writer = JournalWriter.open(file, each)) {
                var _ = writer.append(message("m"));
            }
        }
        assertThat(reasons).containsExactly(RotationReason.FOREIGN, RotationReason.FOREIGN);
    }

    @Test
    void aSecondWriterIsRefused() throws IOException {
        try (JournalWriter _ = JournalWriter.open(file, options)) {
            assertThatThrownBy(() -> JournalWriter.open(file, options))
                    .isInstanceOf(JournalException.class)
                    .hasMessage(file + ": another writer has the file open");
        }
        assertThat(names()).containsExactly("system.journal");
    }

    @Test
    void aFullFileIsRotatedAndNothingIsLost() throws IOException {
        int count = 2000;
        List<String> expected = new ArrayList<>();
        WriterOptions small =
                options.maxFileSize(WriterOptions.SMALLEST_FILE).compressFrom(Integer.MAX_VALUE);
        try (JournalWriter writer = JournalWriter.open(file, small)) {
            for (int i = 0; i < count; i++) {
                expected.add(("message " + i + " ").repeat(100));
                var _ = writer.append(message(expected.getLast()));
            }
        }
        assertThat(reasons).isNotEmpty().allMatch(RotationReason.SIZE::equals);
        assertThat(allMessages().equals(expected)).isTrue();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path each : (Iterable<Path>) files::iterator) {
                assertThat(Files.size(each)).isLessThanOrEqualTo(WriterOptions.SMALLEST_FILE);
                assertThat(JournalVerifier.verify(each).problems()).as("%s", each).isEmpty();
            }
        }
    }

    @Test
    void aFullHashTableIsRotated() throws IOException {
        WriterOptions small = options.maxFileSize(WriterOptions.SMALLEST_FILE);
        try (JournalWriter writer = JournalWriter.open(file, small)) {
            for (int i = 0; i < 2000; i++) {
                var _ = writer.append(message("m" + i));
            }
        }
        assertThat(reasons).containsExactly(RotationReason.HASH_TABLE);
        assertThat(allMessages()).hasSize(2000);
    }

    @Test
    void anEntryWithManyFieldNamesRotatesNothing() throws IOException {
        List<Field> fields = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            fields.add(Field.of("NAME" + i, "1"));
        }
        try (JournalWriter writer = JournalWriter.open(file, options)) {
            var _ = writer.append(fields);
            var _ = writer.append(message("m0"));
            var _ = writer.append(fields);
        }
        assertThat(reasons).isEmpty();
        assertThat(JournalVerifier.verify(file).problems()).isEmpty();
    }

    @Test
    void anOldFileAndClocksThatGoBackRotate() throws IOException {
        long now = 1_700_000_000_000_000L;
        WriterOptions daily = options.maxAge(Duration.ofDays(1));
        try (JournalWriter writer = JournalWriter.open(file, daily)) {
            var _ = writer.append(now, 1000, BOOT, message("first"));
            var _ = writer.append(now + 86_400_000_000L, 1001, BOOT, message("a day later"));
            var _ = writer.append(now, 1002, BOOT, message("the time of day went back"));
            var _ = writer.append(now + 1, 1001, BOOT, message("the time since boot went back"));
            var _ = writer.append(now + 2, 1, Id128.random(), message("another boot"));
        }
        assertThat(reasons)
                .containsExactly(
                        RotationReason.AGE,
                        RotationReason.CLOCK_BACKWARDS,
                        RotationReason.CLOCK_BACKWARDS);
        assertThat(allMessages()).hasSize(5);
    }

    @Test
    void anEntryThatFitsIntoNoFileIsRefusedAndTheWriterContinues() throws IOException {
        WriterOptions small =
                options.maxFileSize(WriterOptions.SMALLEST_FILE).compressFrom(Integer.MAX_VALUE);
        try (JournalWriter writer = JournalWriter.open(file, small)) {
            byte[] large = new byte[2 << 20];
            assertThatThrownBy(() -> writer.append(List.of(Field.of("DATA", large))))
                    .isInstanceOf(JournalException.class)
                    .hasMessageContaining("raise maxFileSize");
            var _ = writer.append(message("next"));
        }
        assertThat(allMessages()).containsExactly("next");
        assertThat(JournalVerifier.verify(file).problems()).isEmpty();
    }

    @Test
    void equalFieldsAreStoredOnce() throws IOException {
        try (JournalWriter writer = JournalWriter.open(file, options)) {
            for (int i = 0; i < 1000; i++) {
                var _ = writer.append(List.of(Field.of("MESSAGE", "same"), Field.of("A", "1")));
            }
        }
        FileHeader header = FileHeader.read(file);
        assertThat(header.entries()).isEqualTo(1000);
        assertThat(header.data()).isEqualTo(3); // with _BOOT_ID
        assertThat(header.fields()).isEqualTo(3);
    }

    @Test
    void aFieldThatOccursTwiceInAnEntryIsStoredOnce() throws IOException {
        try (JournalWriter writer = JournalWriter.open(file, options)) {
            var _ = writer.append(List.of(Field.of("A", "1"), Field.of("A", "1")));
        }
        assertThat(Entries.of(file).getFirst().fields()).contains(Field.of("A", "1")).hasSize(2);
        assertThat(JournalVerifier.verify(file).problems()).isEmpty();
    }

    @Test
    void aSyncIsDueAtOnceAfterACriticalEntry() throws IOException {
        try (JournalWriter writer = JournalWriter.open(file, options)) {
            assertThat(writer.syncDueIn()).isEmpty();
            var _ = writer.append(List.of(Field.of("PRIORITY", "3")));
            assertThat(writer.syncDueIn().orElseThrow()).isPositive();
            var _ = writer.append(List.of(Field.of("PRIORITY", "2")));
            assertThat(writer.syncDueIn()).hasValue(Duration.ZERO);
            writer.sync();
            assertThat(writer.syncDueIn()).isEmpty();
        }
    }

    @Test
    void anArchivedFileHasNoSpaceBehindItsTail() throws IOException {
        try (JournalWriter writer = JournalWriter.open(file, options)) {
            assertThat(writer.rotate()).isEmpty(); // no entries
            var _ = writer.append(message("m"));
            Path archived = writer.rotate().orElseThrow();
            assertThat(archived.getFileName().toString())
                    .startsWith("system@" + writer.sequence().id() + "-0000000000000001-");
            FileHeader header = FileHeader.read(archived);
            assertThat(header.state()).isEqualTo(FileState.ARCHIVED);
            assertThat(header.headerSize() + header.arenaSize()).isEqualTo(Files.size(archived));
            byte[] bytes = Files.readAllBytes(archived);
            int tail = Math.toIntExact(header.tailObjectOffset());
            assertThat(Layout.aligned(tail + Bytes.getLong(bytes, tail + Layout.OBJECT_SIZE)))
                    .isEqualTo(bytes.length);
        }
    }
}
