package io.holdfast.journal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.journal.format.Bytes;
import io.holdfast.journal.format.Layout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever a file contains, reading it ends, says what is wrong, and returns what is whole. */
@SameOnEveryKernel
class DamagedFileTest {
    private static final int ENTRIES = 20;

    @TempDir Path folder;
    private byte[] whole = new byte[0];
    private List<Entry> entries = List.of();

    @BeforeEach
    void makeFile() throws IOException {
        Path file = folder.resolve("whole.journal");
        WriterOptions options = WriterOptions.standard().maxFileSize(WriterOptions.SMALLEST_FILE);
        try (JournalWriter writer = JournalWriter.open(file, options)) {
            for (int i = 0; i < ENTRIES; i++) {
                List<Field> fields =
                        List.of(
                                Field.of("MESSAGE", "message " + i),
                                Field.of("PRIORITY", Integer.toString(i % 3)),
                                Field.of("TEXT", "x".repeat(i % 5 == 0 ? 1000 : 10)));
                var _ = writer.append(fields);
            }
            Path archived = writer.rotate().orElseThrow();
            whole = Files.readAllBytes(archived);
            entries = Entries.of(archived);
        }
    }

    private Path fileOf(byte[] bytes) throws IOException {
        return Files.write(folder.resolve("damaged.journal"), bytes);
    }

    /** Reads in all ways; returns the entries of the way forwards. */
    private static List<Entry> readAll(Path file) throws IOException {
        try (JournalReader reader = JournalReader.openFile(file)) {
            List<Entry> forwards = Entries.rest(reader);
            reader.seekTail();
            while (reader.previous() != null) {
                // only that it ends
            }
            reader.seekRealtime(Instant.EPOCH.plusSeconds(1_700_000_000));
            reader.filter(
                    Match.of(
                            List.of(
                                    Field.of("PRIORITY", "1"),
                                    Field.of("PRIORITY", "2"),
                                    Field.of("TEXT", "xxxxxxxxxx"))));
            reader.seekHead();
            var _ = Entries.rest(reader);
            reader.uniqueValues("MESSAGE", _ -> {});
            var _ = reader.fieldNames();
            var _ = reader.boots();
            return forwards;
        }
    }

    @Test
    void aFileThatEndsAtAnyByteHasTheEntriesBeforeIt() throws IOException {
        // the hash tables are the same from one byte to the next
        int tables = whole.length - 6000;
        int before = 0;
        for (int length = 0;
                length < whole.length;
                length += length < 400 ? 1 : step(length, tables)) {
            Path file = fileOf(Arrays.copyOf(whole, length));
            if (length < Layout.OLDEST_HEADER) {
                assertThatThrownBy(() -> Entries.of(file))
                        .isInstanceOf(JournalException.class)
                        .hasMessageContaining(file + ": offset ");
                continue;
            }
            List<Entry> read = readAll(file);
            assertThat(read.size()).isBetween(before, ENTRIES);
            before = read.size();
        }
        assertThat(readAll(fileOf(whole))).isEqualTo(entries);
    }

    private static int step(int length, int tables) {
        return length < tables ? Math.min(997, tables - length) : 7;
    }

    static Stream<Gen> gens() {
        return Gen.cases(60);
    }

    @ParameterizedTest
    @MethodSource("gens")
    void changedBytesEndNoReaderAndInventNoField(Gen gen) throws IOException {
        byte[] bytes = whole.clone();
        int objects = firstObject();
        for (int i = gen.between(1, 8); i > 0; i--) {
            int at = gen.chance(0.2) ? gen.between(8, 271) : gen.between(objects, bytes.length - 9);
            switch (gen.between(0, 3)) {
                case 0 -> bytes[at] ^= (byte) (1 << gen.between(0, 7));
                case 1 -> Bytes.putLong(bytes, at & ~7, 8L * gen.between(0, bytes.length / 8));
                case 2 -> Bytes.putLong(bytes, at & ~7, gen.anyLong());
                default -> Bytes.putInt(bytes, at & ~3, 8 * gen.between(0, bytes.length / 8));
            }
        }
        Path file = fileOf(bytes);
        try {
            var _ = readAll(file);
            var _ = JournalVerifier.verify(file);
        } catch (JournalException e) {
            assertThat(e).hasMessageStartingWith(file + ":");
        }
    }

    /** Returns the offset behind the hash tables. */
    private int firstObject() {
        long table = Bytes.getLong(whole, Layout.DATA_HASH_TABLE_OFFSET);
        return (int) (table + Bytes.getLong(whole, Layout.DATA_HASH_TABLE_SIZE));
    }

    @Test
    void aDamagedFieldIsLeftOutAndTheRestIsRead() throws IOException {
        int at = offsetOf(whole, "MESSAGE=message 7");
        byte[] bytes = whole.clone();
        bytes[at - Layout.DATA_PAYLOAD_COMPACT] = 99; // the type of its object
        Path file = fileOf(bytes);

        try (JournalReader reader = JournalReader.openFile(file)) {
            List<Entry> read = Entries.rest(reader);

            assertThat(read).hasSize(ENTRIES);
            assertThat(read.get(7).field("MESSAGE")).isEmpty();
            assertThat(read.get(7).text("PRIORITY")).hasValue("1");
            assertThat(reader.problems()).hasSize(1);
            assertThat(reader.problems().getFirst())
                    .hasMessage(
                            "%s: offset %d: a DATA object is expected, and this is type 99",
                            file, at - Layout.DATA_PAYLOAD_COMPACT);
        }
        assertThat(JournalVerifier.verify(file).isValid()).isFalse();
    }

    @Test
    void aChainThatIsACycleEnds() throws IOException {
        byte[] bytes = whole.clone();
        Set<Integer> data = new HashSet<>();
        for (int i = 0; i < ENTRIES; i++) {
            data.add(offsetOf(whole, "MESSAGE=message " + i) - Layout.DATA_PAYLOAD_COMPACT);
        }
        for (int object : data) { // each follows itself, in its bucket and among the values
            Bytes.putLong(bytes, object + Layout.DATA_NEXT_HASH, object);
            Bytes.putLong(bytes, object + Layout.DATA_NEXT_FIELD, object);
        }
        int array = (int) Bytes.getLong(bytes, Layout.ENTRY_ARRAY_OFFSET);
        Bytes.putLong(bytes, array + Layout.ARRAY_NEXT, array);
        Path file = fileOf(bytes);

        List<Entry> read = readAll(file);

        assertThat(read.size()).isBetween(1, ENTRIES);
        assertThat(read).isEqualTo(entries.subList(0, read.size()));
        assertThat(JournalVerifier.verify(file).isValid()).isFalse();
    }

    @Test
    void aDecompressionBombIsLeftOut() throws Exception {
        Path file = folder.resolve("bomb.journal");
        int size = JournalLimits.FIELD_SIZE.intValue();
        try (JournalWriter writer = JournalWriter.open(file, WriterOptions.standard())) {
            var _ = writer.append(List.of(Field.of("BOMB", new byte[size]), Field.of("A", "1")));
        }
        try (JournalReader reader = JournalReader.openFile(file)) {
            List<Entry> read = Entries.rest(reader);
            assertThat(read).hasSize(1);
            assertThat(read.getFirst().fields()).extracting(Field::name).contains("A");
            assertThat(read.getFirst().field("BOMB")).isEmpty();
            assertThat(reader.problems().getFirst())
                    .hasMessageContaining("-Dio.holdfast.journal.fieldSize=NUMBER");
        }
    }

    private static int offsetOf(byte[] bytes, String text) {
        byte[] wanted = text.getBytes(UTF_8);
        for (int at = 0; at < bytes.length - wanted.length; at += 8) {
            if (Arrays.equals(bytes, at, at + wanted.length, wanted, 0, wanted.length)) {
                return at;
            }
        }
        throw new AssertionError("no " + text);
    }
}
