package io.holdfast.journal;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.ChildJvm;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A writer that is killed at any instruction loses no entry whose append has returned. */
class KilledWriterTest {
    private static final int KILLS = Boolean.getBoolean("holdfast.long") ? 500 : 10;

    @TempDir Path folder;

    /** Appends numbered entries and reports each number once it is appended. */
    static final class Appender {
        private Appender() {}

        public static void main(String[] arguments) throws IOException {
            Path file = Path.of(arguments[0]);
            long number = Long.parseLong(arguments[1]);
            WriterOptions options = WriterOptions.standard().maxFileSize(8 << 20);
            DataOutputStream out = new DataOutputStream(System.out);
            try (JournalWriter writer = JournalWriter.open(file, options)) {
                while (true) {
                    List<Field> fields =
                            List.of(
                                    Field.of("NUMBER", Long.toString(number)),
                                    Field.of("COMMON", "1"),
                                    Field.of("TEXT", "x".repeat((int) (number % 900))),
                                    Field.of("PRIORITY", Long.toString(number % 8)));
                    var _ = writer.append(fields);
                    out.writeLong(number++);
                    out.flush();
                }
            }
        }
    }

    @Test
    void everyAppendedEntryIsReadAndNoneTwice() throws Exception {
        SplittableRandom random = new SplittableRandom();
        Path file = folder.resolve("system.journal");
        long next = 0;
        for (int kill = 0; kill < KILLS; kill++) {
            next = runAndKill(file, next, random.nextInt(1, 3000)) + 1;
            JournalWriter.open(file, WriterOptions.standard()).close(); // the next writer
            next = requireAll(next);
        }
    }

    /** Returns the last number that the process reported. */
    private static long runAndKill(Path file, long first, int count) throws IOException {
        List<String> command =
                ChildJvm.command(List.of(), Appender.class, file.toString(), Long.toString(first));
        Process process =
                new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        long last = first - 1;
        try (DataInputStream in = new DataInputStream(process.getInputStream())) {
            for (int i = 0; i < count; i++) {
                last = in.readLong();
            }
            var _ = process.toHandle().destroyForcibly(); // that of Process closes the stream
            while (true) {
                last = in.readLong(); // what it had appended before the kill reached it
            }
        } catch (EOFException e) {
            return last;
        } finally {
            var _ = process.destroyForcibly();
        }
    }

    /** Requires every step-th number below a bound, in order, found by a field. */
    private static void requireAllBy(
            JournalReader reader, Field field, long first, long step, long bound) {
        reader.filter(new Match.Equal(field));
        reader.seekHead();
        long expected = first;
        for (Entry entry = reader.next(); entry != null; entry = reader.next()) {
            assertThat(entry.text("NUMBER")).hasValue(Long.toString(expected));
            expected += step;
        }
        assertThat(expected).isGreaterThanOrEqualTo(bound);
    }

    /** Requires the numbers below a bound, in order; returns the next number to append. */
    private long requireAll(long bound) {
        try (JournalReader reader = JournalReader.openFolders(List.of(folder))) {
            long expected = 0;
            for (Entry entry = reader.next(); entry != null; entry = reader.next()) {
                assertThat(entry.text("NUMBER")).hasValue(Long.toString(expected));
                assertThat(entry.text("PRIORITY")).hasValue(Long.toString(expected % 8));
                assertThat(entry.text("TEXT").orElse("")).hasSize((int) (expected % 900));
                expected++;
            }
            assertThat(reader.problems()).isEmpty();
            assertThat(expected).isGreaterThanOrEqualTo(bound);
            requireAllBy(reader, Field.of("COMMON", "1"), 0, 1, expected);
            requireAllBy(reader, Field.of("PRIORITY", "3"), 3, 8, expected);
            return expected;
        }
    }
}
