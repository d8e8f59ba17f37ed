package io.holdfast.journal;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.SameOnEveryKernel;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** journalctl reads and verifies the files that we write. */
@SameOnEveryKernel
@Needs(programs = Journalctl.PROGRAM)
class WriteDifferenceTest {
    @TempDir Path folder;

    static Stream<Arguments> formats() {
        return Stream.of(
                        WriterOptions.standard(),
                        WriterOptions.standard().compact(false),
                        WriterOptions.standard().compressFrom(Integer.MAX_VALUE),
                        WriterOptions.standard().compressFrom(8))
                .flatMap(options -> Gen.cases(1).map(gen -> Arguments.of(options, gen)));
    }

    @ParameterizedTest
    @MethodSource("formats")
    void journalctlReadsAndVerifiesEveryFormat(WriterOptions options, Gen gen) throws Exception {
        Path file = folder.resolve("system.journal");
        List<Entry> entries = Entries.random(gen, 300);
        Entries.write(file, entries, options);

        byte[] export = Journalctl.read(file, "-o", "export").output();

        assertThat(withoutNumbers(export)).isEqualTo(Journalctl.export(entries));
        assertThat(Journalctl.export(Entries.of(file))).isEqualTo(export);
        assertThat(Journalctl.run("--verify", "--file", file.toString()).status()).isZero();
        assertThat(JournalVerifier.verify(file).problems()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void journalctlReadsAFileWithoutEntries(boolean isFirst) throws Exception {
        Path file = folder.resolve("system.journal");
        try (JournalWriter writer = JournalWriter.open(file, WriterOptions.standard())) {
            if (!isFirst) {
                long _ = writer.append(List.of(Field.of("MESSAGE", "in the archived file")));
                var _ = writer.rotate();
            }
            Journalctl.Result result = Journalctl.read(file, "-q");
            assertThat(result.errors()).isEmpty();
            assertThat(result.text()).isEmpty();
        }
        assertThat(Journalctl.run("--verify", "--file", file.toString()).status()).isZero();
    }

    /** Reads entries and forgets their numbers and the order of their fields. */
    private static byte[] withoutNumbers(byte[] export) throws IOException {
        List<Entry> entries = new ArrayList<>();
        try (ExportReader reader = new ExportReader(new ByteArrayInputStream(export))) {
            for (Entry entry = reader.next(); entry != null; entry = reader.next()) {
                Field[] fields = entry.fieldArray().clone();
                Arrays.sort(fields, Comparator.comparingInt(WriteDifferenceTest::rank));
                entries.add(
                        new Entry(
                                Id128.NULL,
                                0,
                                entry.bootId(),
                                entry.monotonicMicros(),
                                entry.realtimeMicros(),
                                0,
                                fields));
            }
        }
        return Journalctl.export(entries);
    }

    /** The order in which {@link Entries} makes fields, which files do not keep. */
    private static int rank(Field field) {
        List<String> names =
                List.of("_SYSTEMD_UNIT", "PRIORITY", "_PID", "MESSAGE", "TAGS", "EMPTY");
        int tag = field.hasName("TAGS") && field.text().equals("2") ? 1 : 0;
        return 2 * names.indexOf(field.name()) + tag;
    }

    @Test
    void journalctlFindsUnitsTimesTextsBootsAndValues() throws Exception {
        Path file = folder.resolve("system.journal");
        Entries.write(file, Entries.random(new Gen(7), 300), WriterOptions.standard());
        List<Entry> all = Entries.of(file);
        try (JournalReader reader = JournalReader.openFile(file)) {
            reader.filter(Match.field("_SYSTEMD_UNIT", "unit2.service"));
            assertThat(Journalctl.read(file, "-u", "unit2.service", "-o", "export").output())
                    .isEqualTo(Journalctl.export(Entries.rest(reader)));

            reader.filter(null);
            Entry middle = all.get(200);
            reader.seek(middle.cursor());
            String cursor = middle.cursor().toString();
            assertThat(Journalctl.read(file, "--cursor", cursor, "-o", "export").output())
                    .isEqualTo(Journalctl.export(Entries.rest(reader)))
                    .isEqualTo(Journalctl.export(all.subList(200, 300)));

            assertThat(Journalctl.read(file, "-g", "two", "-o", "export").output())
                    .isEqualTo(
                            Journalctl.export(
                                    all.stream()
                                            .filter(entry ->
                                                    entry.text("MESSAGE")
                                                            .orElse("")
                                                            .contains("two"))
                                            .toList()));

            List<String> values = new ArrayList<>();
            reader.uniqueValues("_PID", field -> values.add(field.text()));
            assertThat(Journalctl.read(file, "-F", "_PID").text().lines())
                    .containsExactlyInAnyOrderElementsOf(values);

            assertThat(reader.boots()).hasSize(2);
            assertThat(Journalctl.read(file, "--list-boots", "-q").text())
                    .contains(reader.boots().getFirst().id().toString())
                    .contains(reader.boots().getLast().id().toString());
        }
    }

    @Test
    void jsonHasTheMembersOfJournalctl() throws Exception {
        Path file = folder.resolve("system.journal");
        Entries.write(file, Entries.random(new Gen(8), 100), WriterOptions.standard());
        ByteArrayOutputStream ours = new ByteArrayOutputStream();
        try (JsonWriter writer = new JsonWriter(ours)) {
            for (Entry entry : Entries.of(file)) {
                writer.write(entry);
            }
        }
        String theirs = Journalctl.read(file, "-o", "json").text();
        assertThat(JsonLines.parse(ours.toString(UTF_8))).isEqualTo(JsonLines.parse(theirs));
    }
}
