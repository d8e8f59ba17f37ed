package io.holdfast.receiver.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.run.Run;
import io.holdfast.core.run.RunResult;
import io.holdfast.core.testkit.Needs;
import io.holdfast.journal.Entry;
import io.holdfast.journal.Field;
import io.holdfast.journal.JournalReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests a store with real files. */
@Timeout(120)
class StoreTest {
    private static final long USER = 60_000;

    @TempDir private Path folder;

    private StorePlace place(boolean splitUsers) {
        return new StorePlace(
                folder, splitUsers, 1L << 30, 0, 100, Duration.ofDays(1), 1 << 20, 8 << 20, 4);
    }

    /** A receiver is killed between open(2) and the first write; recovery compares the numbers. */
    @ParameterizedTest
    @ValueSource(ints = {0, 4096})
    void theNumbersContinueAfterAFileThatWasNotBegun(int size) throws Exception {
        store("one", "two");
        Path file = folder.resolve("system.journal");
        var _ = Files.move(file, folder.resolve("system@1.journal"));
        var _ = Files.write(file, new byte[size]);
        store("three");
        try (JournalReader reader = JournalReader.openFolders(List.of(folder))) {
            Entry one = Objects.requireNonNull(reader.next());
            var _ = Objects.requireNonNull(reader.next());
            Entry three = Objects.requireNonNull(reader.next());
            assertThat(three.text("MESSAGE")).contains("three");
            assertThat(three.seqnumId()).isEqualTo(one.seqnumId());
            assertThat(three.seqnum()).isEqualTo(one.seqnum() + 2);
        }
    }

    private void store(String... messages) throws Exception {
        List<String> warnings = new CopyOnWriteArrayList<>();
        try (Store store = Store.open(place(false), warnings::add)) {
            for (String message : messages) {
                List<Field> fields = List.of(Field.of("MESSAGE", message));
                assertThat(store.offer(StoredEntry.now(0, fields))).isTrue();
            }
            store.flush();
        }
        assertThat(warnings).isEmpty();
    }

    @Test
    @Needs(
            root = true,
            programs = {"setpriv", "cat"})
    void aUserCanReadTheOwnFileAlsoAfterARotation() throws Exception {
        var _ = Run.of("chmod", "755", folder.toString()).run();
        List<String> warnings = new CopyOnWriteArrayList<>();
        try (Store store = Store.open(place(true), warnings::add)) {
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

    @Test
    @Needs(
            root = true,
            programs = {"setpriv", "cat"})
    void membersOfTheGroupsOfReadersCanReadAllFiles() throws Exception {
        var _ = Run.of("chmod", "755", folder.toString()).run();
        assumeTrue(Files.readString(Path.of("/etc/group")).contains("\nadm:x:4:"), "needs adm");
        List<Field> fields = List.of(Field.of("MESSAGE", "a"));
        try (Store store = Store.open(place(true), _ -> {})) {
            assertThat(store.offer(StoredEntry.now(0, fields))).isTrue();
            assertThat(store.offer(StoredEntry.now(USER, fields))).isTrue();
            store.flush();
        }
        for (String name : List.of("system.journal", "user-" + USER + ".journal")) {
            assertThat(read(name, "--groups=4").exit().isSuccess()).as(name).isTrue();
            assertThat(read(name, "--clear-groups").exit().isSuccess()).as(name).isFalse();
        }
    }

    private RunResult read(String name, String groups) throws InterruptedException {
        String file = folder.resolve(name).toString();
        return Run.of("setpriv", "--reuid=60001", "--regid=60001", groups, "cat", file).run();
    }
}
