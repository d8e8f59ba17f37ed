package io.holdfast.receiver.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests which files are removed when there are too many. */
class VacuumTest {
    private static final long FILE = 1 << 20;
    private static final long ALL_OF_IT = Long.MAX_VALUE / 2; // no disk has so much free
    private final Instant begin = Instant.now().minus(Duration.ofHours(10));

    @TempDir private Path folder;

    private int made;

    private Vacuum vacuum(long mostBytes, long keepFree, int mostFiles) {
        return new Vacuum(
                new StorePlace(
                        folder,
                        true,
                        mostBytes,
                        keepFree,
                        mostFiles,
                        Duration.ofDays(1),
                        FILE,
                        8 << 20,
                        4));
    }

    /** Makes files, each newer than the one before. */
    private void make(String... names) throws IOException {
        for (String name : names) {
            Path path = folder.resolve(name);
            try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
                file.setLength(FILE);
            }
            Instant time = begin.plusSeconds(made++);
            var _ = Files.setLastModifiedTime(path, FileTime.from(time));
        }
    }

    private static String[] ofUser(int count) {
        return IntStream.range(0, count)
                .mapToObj("user-1000@%d.journal"::formatted)
                .toArray(String[]::new);
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> String.valueOf(file.getFileName())).sorted().toList();
        }
    }

    @Test
    void aUserWhoLogsMuchLosesOwnFilesOnly() throws IOException {
        make("system@1.journal", "system.journal", "user-1001@1.journal~", "user-1000.journal");
        make(ofUser(6));
        assertThat(vacuum(6 * FILE, 0, 100).run()).isEqualTo(4);
        assertThat(names())
                .containsExactly(
                        "system.journal",
                        "system@1.journal",
                        "user-1000.journal",
                        "user-1000@4.journal",
                        "user-1000@5.journal",
                        "user-1001@1.journal~");
    }

    @Test
    void aUserWhoFillsManySmallFilesLosesOwnFilesOnly() throws IOException {
        make("system@1.journal", "user-1001@1.journal");
        make(ofUser(6));
        assertThat(vacuum(1 << 30, 0, 4).run()).isEqualTo(4);
        assertThat(names())
                .containsExactly(
                        "system@1.journal",
                        "user-1000@4.journal",
                        "user-1000@5.journal",
                        "user-1001@1.journal");
    }

    @Test
    void whoeverFillsTheDiskDestroysNoMessage() throws IOException {
        make("system@1.journal", "system@2.journal", "system.journal");
        Vacuum vacuum = vacuum(1 << 30, ALL_OF_IT, 100);
        assertThat(vacuum.run()).isZero();
        assertThat(vacuum.run()).isZero();
    }

    @Test
    void theFilesDoNotGrowWhileTheDiskIsFull() throws IOException {
        make("system@1.journal", "system@2.journal", "system.journal");
        Vacuum vacuum = vacuum(1 << 30, ALL_OF_IT, 100);
        assertThat(vacuum.run()).isZero();
        make("system@3.journal");
        assertThat(vacuum.run()).isEqualTo(1);
        make("system@4.journal");
        assertThat(vacuum.run()).isEqualTo(1);
        assertThat(names())
                .containsExactly("system.journal", "system@3.journal", "system@4.journal");
    }

    @Test
    void filesThatAreTooOldAreRemoved() throws IOException {
        make("system@1.journal", "user-1000@1.journal");
        var _ =
                Files.setLastModifiedTime(
                        folder.resolve("system@1.journal"),
                        FileTime.from(Instant.now().minus(Duration.ofDays(2))));
        assertThat(vacuum(1 << 30, 0, 100).run()).isEqualTo(1);
        assertThat(names()).containsExactly("user-1000@1.journal");
    }
}
