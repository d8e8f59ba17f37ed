package io.holdfast.journal;

import static io.holdfast.fuzz.Inputs.require;

import io.holdfast.fuzz.Bounds;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Journal files: whatever they contain, every way of reading ends within the bounds, and names the
 * file and the offset of each problem.
 *
 * <p>In an input, the byte 0xff and a number of two bytes stand for that many zeros, since most of
 * a small file is an empty hash table; 0 of them for the byte 0xff itself.
 */
public final class JournalFileTarget {
    private static final int ZEROS = 0xff;
    private static final int MAX_FILE = 128 << 10;

    private static final Path FILE = newFile();

    private JournalFileTarget() {}

    private static Path newFile() {
        try {
            Path file = Files.createTempFile("fuzz", ".journal");
            file.toFile().deleteOnExit();
            return file;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, JournalFileTarget::check);
    }

    private static void check(byte[] input) throws IOException {
        byte[] bytes = expand(input);
        var _ = Files.write(FILE, bytes);
        try (JournalReader reader = JournalReader.openFile(FILE)) {
            int most = bytes.length / 8;
            count(most, reader::next);
            count(most, reader::previous);
            reader.seekRealtime(Instant.ofEpochSecond(1_700_000_000));
            count(most, reader::next);
            reader.filter(
                    Match.of(
                            List.of(
                                    Field.of("PRIORITY", "1"),
                                    Field.of("PRIORITY", "2"),
                                    Field.of("MESSAGE", "m1"))));
            reader.seekTail();
            count(most, reader::previous);
            reader.uniqueValues("MESSAGE", _ -> {});
            require(reader.fieldNames().size() <= most, "a name of a field takes bytes");
            require(reader.boots().size() <= most, "a boot takes bytes");
            requireNamed(reader.problems());
            requireNamed(JournalVerifier.verify(FILE).problems());
        } catch (JournalException e) {
            requireNamed(List.of(e));
        }
    }

    /** A step of a reader. */
    private interface Step {
        @Nullable Entry next();
    }

    private static void count(int most, Step step) {
        int count = 0;
        while (step.next() != null) {
            require(++count <= most, "an entry takes bytes");
        }
    }

    private static void requireNamed(List<JournalException> problems) {
        for (JournalException problem : problems) {
            String message = String.valueOf(problem.getMessage());
            require(message.startsWith(FILE + ": "), "a problem names its file: " + message);
        }
    }

    private static byte[] expand(byte[] input) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int at = 0; at < input.length && bytes.size() < MAX_FILE; at++) {
            int b = input[at] & 0xff;
            if (b == ZEROS && at + 2 < input.length) {
                int zeros = (input[at + 1] & 0xff) | ((input[at + 2] & 0xff) << 8);
                bytes.writeBytes(zeros == 0 ? new byte[] {(byte) ZEROS} : new byte[zeros]);
                at += 2;
            } else {
                bytes.write(b);
            }
        }
        return bytes.toByteArray();
    }
}
