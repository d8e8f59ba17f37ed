package io.holdfast.manager.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.EventLoop;
import io.holdfast.core.sys.SysInotify;
import io.holdfast.manager.loop.Workers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A PID file in a folder of a user who changes it at will. */
@Timeout(60)
class PidFileTest {
    @TempDir private Path folder;
    private final EventLoop loop = EventLoop.open();
    private final Workers workers = new Workers(loop, _ -> {});
    private final List<PidFile.Content> contents = new ArrayList<>();

    @AfterEach
    void close() {
        workers.close();
        loop.close();
    }

    private PidFile open(String path) {
        return new PidFile(
                loop, workers.ownLane("a"), folder.resolve(path).toString(), contents::add);
    }

    private void turnUntil(BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            int _ = loop.step(Duration.ofMillis(20));
        }
    }

    /** Returns how many directories this process watches. */
    private static long watches() throws IOException {
        long count = 0;
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fdinfo"))) {
            for (Path each : descriptors.toList()) {
                try {
                    count += Files.readString(each).lines().filter(PidFileTest::isWatch).count();
                } catch (IOException e) {
                    // closed meanwhile
                }
            }
        }
        return count;
    }

    private static boolean isWatch(String line) {
        return line.startsWith("inotify wd:");
    }

    @Test
    void renamedFoldersLeaveNoWatches() throws Exception {
        Path inner = Files.createDirectory(folder.resolve("inner"));
        long before = watches();
        try (PidFile _ = open("inner/a.pid")) {
            turnUntil(() -> !contents.isEmpty());
            for (int i = 0; i < 20; i++) {
                int looks = contents.size();
                Files.move(inner, folder.resolve("old" + i));
                Files.createDirectory(inner);
                Files.createFile(folder.resolve("old" + i).resolve("x")); // it is still watched
                turnUntil(() -> contents.size() > looks);
            }
            assertThat(watches() - before).isEqualTo(1);
            Files.writeString(inner.resolve("a.pid"), "42\n");
            turnUntil(() -> contents.getLast().number().equals(OptionalInt.of(42)));
        }
    }

    @Test
    void manyChangesAreFewLooks() throws Exception {
        Path file = folder.resolve("a.pid");
        try (PidFile _ = open("a.pid")) {
            turnUntil(() -> !contents.isEmpty());
            long start = System.nanoTime();
            for (int i = 1; i <= 2000; i++) {
                Files.writeString(file, i + "\n");
                int _ = loop.step(Duration.ZERO);
            }
            long millis = (System.nanoTime() - start) / 1_000_000;
            turnUntil(() -> contents.getLast().number().equals(OptionalInt.of(2000)));
            assertThat(contents.size()).isLessThan((int) (millis / 10) + 10);
        }
    }

    @Test
    void aWatchThatIsForgottenIsGone() throws Exception {
        long before = watches();
        try (SysInotify changes = new SysInotify();
                io.holdfast.core.file.folder.Directory directory =
                        io.holdfast.core.file.folder.Directory.open(folder.toString())) {
            int watch = changes.watchAppearances(directory.fd());
            assertThat(changes.watchAppearances(directory.fd())).isEqualTo(watch);
            assertThat(watches() - before).isEqualTo(1);
            changes.forget(watch);
            changes.forget(watch);
            assertThat(watches()).isEqualTo(before);
        }
    }
}
