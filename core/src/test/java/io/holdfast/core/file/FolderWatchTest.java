package io.holdfast.core.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.OpenDescriptors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class FolderWatchTest {
    private final Semaphore told = new Semaphore(0);

    @TempDir private Path top;
    private Path near;
    private Path far;
    private FolderWatch watch;

    @BeforeEach
    void begin() throws IOException {
        near = Files.createDirectories(top.resolve("near"));
        far = top.resolve("a/b/far");
        watch = new FolderWatch(List.of(near, far), name -> name.endsWith(".x"), told::release);
    }

    @AfterEach
    void end() {
        watch.close();
    }

    /** Makes a change, and waits for a call of the watch after it. */
    private void isTold(Change change) throws Exception {
        told.drainPermits();
        change.make();
        told.acquire();
    }

    private interface Change {
        void make() throws IOException;
    }

    @Test
    void everyChangeOfAFileIsTold() throws Exception {
        Path file = near.resolve("1.x");
        isTold(() -> Files.createFile(file));
        isTold(() -> Files.writeString(file, "text"));
        isTold(() -> Files.move(file, near.resolve("2.x")));
        isTold(() -> Files.move(near.resolve("2.x"), near.resolve("2.y")));
        isTold(() -> Files.move(near.resolve("2.y"), near.resolve("2.x")));
        isTold(() -> Files.setPosixFilePermissions(near.resolve("2.x"), Set.of()));
        isTold(() -> Files.delete(near.resolve("2.x")));
    }

    @Test
    void otherFilesDoNotMatter() throws Exception {
        Files.writeString(near.resolve("1.y"), "text");
        Files.writeString(top.resolve("1.x"), "text");
        Files.createDirectories(top.resolve("b/far"));
        Files.delete(near.resolve("1.y"));
        isTold(() -> Files.createFile(near.resolve("1.x"))); // events arrive in order
        assertThat(told.availablePermits()).isZero();
    }

    @Test
    void aFolderMayComeLaterAndGoAndComeAgain() throws Exception {
        for (int i = 0; i < 3; i++) {
            isTold(() -> Files.createDirectories(far));
            isTold(() -> Files.createFile(far.resolve("1.x")));
            isTold(() -> Files.delete(far.resolve("1.x")));
            isTold(() -> Files.delete(far));
            isTold(() -> Files.delete(far.getParent()));
        }
    }

    @Test
    void aFolderMayTakeThePlaceOfAnother() throws Exception {
        Path other = Files.createDirectories(top.resolve("other/b/far"));
        isTold(() -> Files.createDirectories(far));
        isTold(() -> Files.move(top.resolve("a"), top.resolve("old")));
        isTold(() -> Files.move(top.resolve("other"), top.resolve("a")));
        assertThat(other).doesNotExist();
        Files.createFile(top.resolve("old/b/far/1.x"));
        isTold(() -> Files.createFile(far.resolve("1.x")));
    }

    @Test
    void aFolderBehindALinkIsWatched() throws Exception {
        Path real = Files.createDirectories(top.resolve("real/b/far"));
        isTold(() -> Files.createSymbolicLink(top.resolve("a"), Path.of("real")));
        isTold(() -> Files.createFile(real.resolve("1.x")));
        isTold(() -> Files.delete(top.resolve("a")));
    }

    @Test
    void whatChangesWhileItIsReadIsToldAgain() throws Exception {
        AtomicInteger calls = new AtomicInteger();
        Path file = near.resolve("1.x");
        try (FolderWatch own =
                new FolderWatch(
                        List.of(near),
                        name -> name.endsWith(".x"),
                        () -> {
                            if (calls.incrementAndGet() == 1) {
                                assertThatCode(() -> Files.writeString(file, "more"))
                                        .doesNotThrowAnyException();
                            }
                        })) {
            assertThat(own.toString()).contains(near.toString());
            Files.createFile(file);
            Await.until(() -> calls.get() == 2);
        }
    }

    @Test
    void manyChangesAreToldOnce() throws Exception {
        for (int i = 0; i < 2000; i++) { // more events than a WatchKey keeps
            Files.writeString(near.resolve(i + ".x"), "text");
        }
        told.acquire();
        isTold(() -> Files.createFile(near.resolve("last.x")));
        assertThat(told.availablePermits()).isLessThan(100);
    }

    @Test
    void whoeverThrowsIsToldAgain() throws Exception {
        CountDownLatch calls = new CountDownLatch(2);
        try (FolderWatch own =
                new FolderWatch(
                        List.of(near),
                        _ -> true,
                        () -> {
                            calls.countDown();
                            throw new IllegalStateException("on purpose");
                        })) {
            assertThat(own).isNotNull();
            Files.createFile(near.resolve("1"));
            Await.until(() -> calls.getCount() < 2);
            Files.createFile(near.resolve("2"));
            calls.await();
        }
    }

    @Test
    void whereNothingCanBeWatchedItIsToldNowAndThen() throws Exception {
        Path loop = Files.createSymbolicLink(top.resolve("loop"), Path.of("loop"));
        Semaphore looks = new Semaphore(0);
        try (FolderWatch own =
                new FolderWatch(List.of(loop.resolve("in")), _ -> true, looks::release)) {
            assertThat(own).isNotNull();
            looks.acquire();
            Files.createFile(top.resolve("other")); // does not matter, and does not delay the call
            Files.delete(loop);
            looks.acquire();
            looks.drainPermits();
            Files.createDirectories(loop.resolve("in"));
            looks.acquire();
        }
    }

    @Test
    void nothingIsLeftOfAWatchThatWasClosed() throws IOException {
        OpenDescriptors before = OpenDescriptors.now();
        for (int i = 0; i < 10; i++) {
            new FolderWatch(List.of(near, far), _ -> true, () -> {}).close();
        }
        before.awaitSameNumber();
        watch.close();
        watch.close();
    }
}
