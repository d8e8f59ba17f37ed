package io.holdfast.journal;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A reader that follows returns each new entry once, also after rotations. */
@Timeout(60)
class FollowTest {
    private static final Duration LONG = Duration.ofSeconds(30);

    @TempDir Path folder;

    private static List<Field> message(int number) {
        return List.of(Field.of("MESSAGE", "message " + number));
    }

    @Test
    void anEntryIsReturnedWhenItIsAppended() throws Exception {
        Path file = folder.resolve("system.journal");
        try (JournalWriter writer = JournalWriter.open(file, WriterOptions.standard());
                JournalReader reader = JournalReader.openFile(file)) {
            assertThat(reader.next(Duration.ZERO)).isNull();
            for (int i = 0; i < 5; i++) {
                int number = i;
                Thread appender =
                        Thread.startVirtualThread(() -> {
                            try {
                                var _ = writer.append(message(number));
                            } catch (IOException e) {
                                throw new AssertionError(e);
                            }
                        });
                Entry entry = requireNonNull(reader.next(LONG));
                appender.join();
                assertThat(entry.text("MESSAGE")).hasValue("message " + number);
            }
        }
    }

    @Test
    void rotationsAndNewFilesLoseAndDoubleNothing() throws Exception {
        int count = 300;
        Path machine = Files.createDirectory(folder.resolve("0123456789abcdef0123456789abcdef"));
        SequenceNumbers numbers = SequenceNumbers.fresh();
        WriterOptions options = WriterOptions.standard().sequence(numbers);
        try (JournalReader reader = JournalReader.openFolders(List.of(folder))) {
            assertThat(reader.next(Duration.ZERO)).isNull();
            Thread appender =
                    Thread.ofPlatform()
                            .start(() -> {
                                try {
                                    appendWithRotations(machine, options, count);
                                } catch (IOException e) {
                                    throw new AssertionError(e);
                                }
                            });
            List<String> read = new ArrayList<>();
            while (read.size() < count) {
                Entry entry = requireNonNull(reader.next(LONG), "after entries: " + read.size());
                read.add(entry.text("MESSAGE").orElse(""));
            }
            appender.join();
            assertThat(reader.next(Duration.ZERO)).isNull();
            List<String> expected = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                expected.add("message " + i);
            }
            // entries of two files may arrive in another order than that of their numbers
            assertThat(read).containsExactlyInAnyOrderElementsOf(expected);
            assertThat(reader.problems()).isEmpty();
        }
    }

    @Test
    void aFolderThatAppearsIsFollowed() throws Exception {
        Path journals = folder.resolve("journal");
        Path machine = journals.resolve("0123456789abcdef0123456789abcdef");
        try (JournalReader reader = JournalReader.openFolders(List.of(journals))) {
            assertThat(reader.next(Duration.ZERO)).isNull(); // it watches from now on
            Files.createDirectories(machine);
            Thread appender =
                    Thread.ofPlatform()
                            .start(() -> {
                                try {
                                    appendWithRotations(machine, WriterOptions.standard(), 60);
                                } catch (IOException e) {
                                    throw new AssertionError(e);
                                }
                            });
            List<Entry> read = new ArrayList<>();
            while (read.size() < 60) {
                read.add(requireNonNull(reader.next(LONG), "after entries: " + read.size()));
            }
            appender.join();
            assertThat(reader.next(Duration.ZERO)).isNull();
        }
    }

    private static void appendWithRotations(Path machine, WriterOptions options, int count)
            throws IOException {
        try (JournalWriter system = JournalWriter.open(machine.resolve("system.journal"), options);
                JournalWriter user =
                        JournalWriter.open(machine.resolve("user-1000.journal"), options)) {
            for (int i = 0; i < count; i++) {
                var _ = (i % 7 == 0 ? user : system).append(message(i));
                if (i % 50 == 49) {
                    var _ = system.rotate();
                }
            }
        }
    }

    @Test
    void aReaderAtTheTailReturnsOnlyNewEntries() throws Exception {
        Path file = folder.resolve("system.journal");
        try (JournalWriter writer = JournalWriter.open(file, WriterOptions.standard())) {
            var _ = writer.append(message(1));
            try (JournalReader reader = JournalReader.openFolders(List.of(folder))) {
                reader.seekTail();
                assertThat(reader.next(Duration.ZERO)).isNull();
                var _ = writer.append(message(2));
                var _ = writer.rotate();
                var _ = writer.append(message(3));
                List<Entry> read = new ArrayList<>();
                read.add(requireNonNull(reader.next(LONG)));
                read.add(requireNonNull(reader.next(LONG)));
                assertThat(Entries.messages(read)).containsExactly("message 2", "message 3");
            }
        }
    }

    @Test
    void aFilterAppliesToNewEntries() throws Exception {
        Path file = folder.resolve("system.journal");
        try (JournalWriter writer = JournalWriter.open(file, WriterOptions.standard());
                JournalReader reader = JournalReader.openFile(file)) {
            reader.filter(Match.field("_SYSTEMD_UNIT", "web.service"));
            assertThat(reader.next(Duration.ZERO)).isNull();
            for (String unit : List.of("db", "web", "db", "web")) {
                Field name = Field.of("_SYSTEMD_UNIT", unit + ".service");
                var _ = writer.append(List.of(name, Field.of("MESSAGE", unit)));
            }
            List<Entry> read = new ArrayList<>();
            read.add(requireNonNull(reader.next(LONG)));
            read.add(requireNonNull(reader.next(LONG)));
            assertThat(Entries.messages(read)).containsExactly("web", "web");
            assertThat(reader.next(Duration.ZERO)).isNull();
        }
    }
}
