package io.holdfast.receiver.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.run.Run;
import io.holdfast.core.testkit.Needs;
import io.holdfast.journal.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests a store with real files. */
@Timeout(120)
class StoreTest {
    private static final long USER = 60_000;

    @TempDir private Path folder;

    @Test
    @Needs(
            root = true,
            programs = {"setpriv", "cat"})
    void aUserCanReadTheOwnFileAlsoAfterARotation() throws Exception {
        var _ = Run.of("chmod", "755", folder.toString()).run();
        StorePlace place =
                new StorePlace(
                        folder, true, 1L << 30, 0, 100, Duration.ofDays(1), 1 << 20, 8 << 20, 4);
        List<String> warnings = new CopyOnWriteArrayList<>();
        try (Store store = Store.open(place, warnings::add)) {
            for (int i = 0; i < 20; i++) {
                byte[] data = new byte[100_000];
                new java.util.Random(i).nextBytes(data);
                List<Field> fields = List.of(Field.of("DATA", data));
                assertThat(store.offer(StoredEntry.now(USER, fields))).isTrue();
            }
            store.flush();
        }
        assertThat(warnings).isEmpty();
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> ofUser =
                    files.filter(path -> path.toString().contains("/user-" + USER)).toList();
            assertThat(ofUser).hasSizeGreaterThan(1);
            for (Path file : ofUser) {
                Run read =
                        Run.of(
                                "setpriv",
                                "--reuid=" + USER,
                                "--clear-groups",
                                "cat",
                                file.toString());
                assertThat(read.run().exit().isSuccess()).as("%s", file).isTrue();
            }
        }
    }
}
