package io.holdfast.journal;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.SameOnEveryKernel;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Seeks and conditions return what a plain search through all entries returns. */
@SameOnEveryKernel
class SeekTest {
    @TempDir Path folder;

    static Stream<Gen> gens() {
        return Gen.cases(5);
    }

    /** Spreads the entries over several files, as rotation and users do. */
    private JournalReader reader(Gen gen, List<Entry> entries) throws IOException {
        SequenceNumbers numbers = SequenceNumbers.fresh();
        WriterOptions options =
                WriterOptions.standard()
                        .sequence(numbers)
                        .compact(gen.chance(0.5))
                        .maxFileSize(WriterOptions.SMALLEST_FILE);
        try (JournalWriter system = JournalWriter.open(folder.resolve("system.journal"), options);
                JournalWriter user =
                        JournalWriter.open(folder.resolve("user-1000.journal"), options)) {
            for (Entry entry : entries) {
                var _ = (gen.chance(0.3) ? user : system).append(entry);
                if (gen.chance(0.01)) {
                    var _ = system.rotate();
                }
            }
        }
        return JournalReader.openFolders(List.of(folder));
    }

    @ParameterizedTest
    @MethodSource("gens")
    void severalFilesAreOneStreamInBothDirections(Gen gen) throws IOException {
        List<Entry> entries = Entries.random(gen, 400);
        try (JournalReader reader = reader(gen, entries)) {
            List<Entry> forwards = Entries.rest(reader);
            assertThat(reader.problems()).isEmpty();
            assertThat(forwards)
                    .extracting(Entry::seqnum)
                    .containsExactlyElementsOf(LongStream.rangeClosed(1, 400).boxed().toList());
            assertThat(Entries.messages(forwards).equals(Entries.messages(entries))).isTrue();

            List<Entry> backwards = new ArrayList<>();
            for (Entry entry = reader.previous(); entry != null; entry = reader.previous()) {
                backwards.add(entry);
            }
            Collections.reverse(backwards);
            assertThat(backwards).isEqualTo(forwards);
        }
    }

    @ParameterizedTest
    @MethodSource("gens")
    void everySeekFindsTheEntryThatAPlainSearchFinds(Gen gen) throws IOException {
        try (JournalReader reader = reader(gen, Entries.random(gen, 300))) {
            List<Entry> all = Entries.rest(reader);
            for (int i = 0; i < 20; i++) {
                Entry sought = gen.oneOf(all);
                reader.seek(sought.cursor());
                assertThat(reader.next()).isEqualTo(sought);
                reader.seekAfter(sought.cursor());
                assertThat(reader.previous()).isEqualTo(sought);

                Instant time = sought.realtime().plusNanos(1000L * gen.between(-2000, 2000));
                reader.seekRealtime(time);
                assertThat(reader.next())
                        .isEqualTo(first(all, entry -> !entry.realtime().isBefore(time)));

                reader.seekMonotonic(
                        sought.bootId(), Duration.ofNanos(sought.monotonicMicros() * 1000));
                assertThat(reader.next()).isEqualTo(sought);
            }
            reader.seekTail();
            assertThat(reader.next()).isNull();
            assertThat(reader.previous()).isEqualTo(all.getLast());
            reader.seekHead();
            assertThat(reader.previous()).isNull();
            assertThat(reader.next()).isEqualTo(all.getFirst());
        }
    }

    private static @Nullable Entry first(List<Entry> all, Predicate<Entry> test) {
        return all.stream().filter(test).findFirst().orElse(null);
    }

    @ParameterizedTest
    @MethodSource("gens")
    void conditionsSelectTheEntriesThatMatch(Gen gen) throws IOException {
        try (JournalReader reader = reader(gen, Entries.random(gen, 300))) {
            List<Entry> all = Entries.rest(reader);
            for (int i = 0; i < 20; i++) {
                Match match = match(gen, 3);
                reader.filter(match);
                reader.seekHead();
                assertThat(Entries.rest(reader))
                        .as("%s", match)
                        .isEqualTo(all.stream().filter(entry -> holds(match, entry)).toList());
            }
        }
    }

    private static Match match(Gen gen, int depth) {
        int kind = depth == 0 ? 0 : gen.between(0, 2);
        if (kind == 0) {
            return gen.oneOf(
                    Match.field("_SYSTEMD_UNIT", "unit" + gen.between(0, 4) + ".service"),
                    Match.field("PRIORITY", Integer.toString(gen.between(0, 8))),
                    Match.field("TAGS", "2"),
                    Match.field("MESSAGE", "message " + gen.between(0, 300)));
        }
        List<Match> terms = new ArrayList<>();
        for (int i = gen.between(1, 3); i > 0; i--) {
            terms.add(match(gen, depth - 1));
        }
        return kind == 1 ? Match.all(terms) : Match.any(terms);
    }

    private static boolean holds(Match match, Entry entry) {
        return switch (match) {
            case Match.Equal(Field field) -> entry.fields().contains(field);
            case Match.All(List<Match> terms) ->
                    terms.stream().allMatch(term -> holds(term, entry));
            case Match.Any(List<Match> terms) ->
                    terms.stream().anyMatch(term -> holds(term, entry));
        };
    }
}
