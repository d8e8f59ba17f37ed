package io.holdfast.journal;

import io.holdfast.core.file.folder.FolderWatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** Wakes a reader when a journal file in its folders has changed. */
final class FolderNotice implements AutoCloseable {
    private final Set<Path> folders;
    private final Semaphore changes = new Semaphore(0);
    private final FolderWatch watch;

    FolderNotice(Set<Path> folders) throws IOException {
        this.folders = folders;
        watch =
                new FolderWatch(
                        List.copyOf(folders), JournalFiles::isJournalOrMachine, changes::release);
    }

    Set<Path> folders() {
        return folders;
    }

    /** Waits for a change; returns whether there was one. Several changes are taken as one. */
    boolean await(long nanos) throws InterruptedException {
        if (nanos <= 0 || !changes.tryAcquire(nanos, TimeUnit.NANOSECONDS)) {
            return false;
        }
        var _ = changes.drainPermits();
        return true;
    }

    @Override
    public void close() {
        watch.close();
    }
}
