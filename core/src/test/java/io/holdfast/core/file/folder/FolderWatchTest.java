package io.holdfast.core.file.folder;

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
    private final Semaphore changes = new Semaphore(0);

    @TempDir private Path top;
    private Path near;
    private Path far;
    private FolderWatch watch;

    @BeforeEach
    void begin() throws IOException {
        near = Files.createDirectories(top.resolve("near"));
        far = top.resolve("a/b/far");
        watch = new FolderWatch(List.of(near, far), name -> name.endsWith(".x"), changes::release);
    }

    @AfterEach
    void end() {
        watch.close();
    }

    /** Makes a change, and waits for a call of the watch after it. */
    private void assertReported(Change change) throws Exception {
        changes.drainPermits();
        change.make();
        changes.acquire();
    }

    private interface Change {
        void make() throws IOException;
    }

    @Test
    void everyChangeOfAFileIsReported() throws Exception {
        Path file = near.resolve("1.x");
        assertReported(() -> Files.createFile(file));
        assertReported(() -> Files.writeString(file, "text"));
        assertReported(() -> Files.move(file, near.resolve("2.x")));
        assertReported(() -> Files.move(near.resolve("2.x"), near.resolve("2.y")));
        assertReported(() -> Files.move(near.resolve("2.y"), near.resolve("2.x")));
        assertReported(() -> Files.setPosixFilePermissions(near.resolve("2.x"), Set.of()));
        assertReported(() -> Files.delete(near.resolve("2.x")));
    }

    @Test
    void otherFilesDoNotMatter() throws Exception {
        Files.writeString(near.resolve("1.y"), "text");
        Files.writeString(top.resolve("1.x"), "text");
        Files.createDirectories(top.resolve("b/far"));
        Files.delete(near.resolve("1.y"));
        assertReported(() -> Files.createFile(near.resolve("1.x"))); // events arrive in order
        assertThat(changes.availablePermits()).isZero();
    }

    @Test
    void aFolderMayComeLaterAndGoAndComeAgain() throws Exception {
        for (int i = 0; i < 3; i++) {
            assertReported(() -> Files.createDirectories(far));
            assertReported(() -> Files.createFile(far.resolve("1.x")));
            assertReported(() -> Files.delete(far.resolve("1.x")));
            assertReported(() -> Files.delete(far));
            assertReported(() -> Files.delete(far.getParent()));
        }
    }

    @Test
    void aFolderMayTakeThePlaceOfAnother() throws Exception {
        Path other = Files.createDirectories(top.resolve("other/b/far"));
        assertReported(() -> Files.createDirectories(far));
        assertReported(() -> Files.move(top.resolve("a"), top.resolve("old")));
        assertReported(() -> Files.move(top.resolve("other"), top.resolve("a")));
        assertThat(other).doesNotExist();
        Files.createFile(top.resolve("old/b/far/1.x"));
        assertReported(() -> Files.createFile(far.resolve("1.x")));
    }

    @Test
    void aFolderBehindALinkIsWatched() throws Exception {
        Path real = Files.createDirectories(top.resolve("real/b/far"));
        assertReported(() -> Files.createSymbolicLink(top.resolve("a"), Path.of("real")));
        assertReported(() -> Files.createFile(real.resolve("1.x")));
        assertReported(() -> Files.delete(top.resolve("a")));
    }

    @Test
    void aWriteIsReportedInAFolderThatIsAlsoAboveAnotherByALink() throws Exception {
        Path file = Files.createFile(near.resolve("1.x"));
        Path link = Files.createDirectory(top.resolve("deeper")).resolve("link");
        Files.createSymbolicLink(link, near);
        Semaphore writes = new Semaphore(0);
        try (FolderWatch own =
                new FolderWatch(
                        List.of(near, link.resolve("far")), "1.x"::equals, writes::release)) {
            assertThat(own).isNotNull();
            Files.writeString(file, "text");
            writes.acquire();
        }
    }

    @Test
    void aChangeDuringTheCallbackIsReportedAgain() throws Exception {
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
    void manyChangesAreReportedOnce() throws Exception {
        for (int i = 0; i < 2000; i++) { // more events than a WatchKey keeps
            Files.writeString(near.resolve(i + ".x"), "text");
        }
        changes.acquire();
        assertReported(() -> Files.createFile(near.resolve("last.x")));
        assertThat(changes.availablePermits()).isLessThan(100);
    }

    @Test
    void aCallbackThatThrowsIsCalledAgain() throws Exception {
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
    void withoutAWatchItIsReportedAtIntervals() throws Exception {
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
