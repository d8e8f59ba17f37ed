package io.holdfast.receiver.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.run.Run;
import io.holdfast.core.testkit.Needs;
import io.holdfast.journal.Field;
import io.holdfast.journal.JournalReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests a store whose file system is full. */
@Timeout(60)
@Needs(
        root = true,
        programs = {"mount", "umount"})
class FullDiskTest {
    @TempDir private Path folder;

    private final List<String> warnings = new CopyOnWriteArrayList<>();

    @BeforeEach
    void mount() throws Exception {
        run("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder.toString());
    }

    @AfterEach
    void unmount() throws Exception {
        run("umount", folder.toString());
    }

    private static void run(String... command) throws Exception {
        assertThat(Run.of(command).run().exit().isSuccess()).isTrue();
    }

    private StorePlace place() {
        return new StorePlace(
                folder, true, 1L << 30, 0, 100, Duration.ofDays(1), 1 << 20, 8 << 20, 4);
    }

    private void fill() throws IOException {
        try (OutputStream file = Files.newOutputStream(folder.resolve("others"))) {
            byte[] page = new byte[4096];
            while (true) {
                file.write(page);
            }
        } catch (IOException e) {
            assertThat(e).hasMessageContaining("No space");
        }
    }

    private static boolean offer(Store store, String message) {
        return store.offer(StoredEntry.now(0, List.of(Field.of("MESSAGE", message))));
    }

    private List<String> messages() throws IOException {
        List<String> messages = new ArrayList<>();
        try (JournalReader reader = JournalReader.openFolders(List.of(folder))) {
            for (var entry = reader.next(); entry != null; entry = reader.next()) {
                messages.add(entry.text("MESSAGE").orElse(""));
            }
        }
        return messages;
    }

    @Test
    void aStoreBeginsOnAFullDisk() throws Exception {
        fill();
        try (Store store = Store.open(place(), warnings::add)) {
            assertThat(offer(store, "lost")).isTrue();
            store.flush();
            assertThat(store.lost()).isEqualTo(1);
        }
    }

    @Test
    void aStoreContinuesOnAFullDisk() throws Exception {
        try (Store store = Store.open(place(), warnings::add)) {
            assertThat(offer(store, "first")).isTrue();
        }
        fill();
        try (Store store = Store.open(place(), warnings::add)) {
            store.flush();
        }
        assertThat(messages()).containsExactly("first");
    }

    @Test
    void aRotationThatTheDiskRefusesStopsNobody() throws Exception {
        try (Store store = Store.open(place(), warnings::add)) {
            assertThat(offer(store, "first")).isTrue();
            store.flush();
            fill();
            store.rotate();
            store.rotate();
            assertThat(offer(store, "lost")).isTrue();
            store.flush();
            assertThat(warnings).isNotEmpty();
        }
        assertThat(messages()).containsExactly("first");
    }
}
