package io.holdfast.core.sys;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SysInotifyTest {
    /** More events than one read takes, fewer than fs.inotify.max_queued_events has by default. */
    private static final int FILES = 3000;

    @TempDir private Path folder;

    @Test
    void oneReadTakesABoundedNumberOfEvents() throws Exception {
        try (SysInotify changes = new SysInotify()) {
            int watch =
                    changes.watch(
                            folder.toString(), SysInotify.IN_CREATE | SysInotify.IN_CLOSE_WRITE);
            for (int i = 0; i < FILES; i++) {
                Files.createFile(folder.resolve("file" + i));
            }
            assertThat(changes.read()).containsExactly(watch);
            assertThat(changes.read()).as("what the first read has left").containsExactly(watch);
            changes.drain();
            assertThat(changes.read()).isEmpty();
        }
    }
}
