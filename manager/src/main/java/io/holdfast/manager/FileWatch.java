package io.holdfast.manager;

import io.holdfast.core.linux.EventLoop;
import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;

/**
 * Waits for a file to come or to change, in folders that may come later themselves (inotify(7), by
 * a thread of its own while it waits). Its owner is told on the loop.
 */
final class FileWatch implements AutoCloseable {
    private final EventLoop loop;
    private final Path file;
    private final WatchService service;
    private Runnable changed = () -> {};
    private boolean closed; // of the loop

    private FileWatch(EventLoop loop, Path file, WatchService service) {
        this.loop = loop;
        this.file = file;
        this.service = service;
    }

    /**
     * @param file absolute; need not be there
     */
    static FileWatch of(EventLoop loop, Path file) throws IOException {
        return new FileWatch(loop, file, file.getFileSystem().newWatchService());
    }

    /** Calls now, when it may be there already, and after every change near it. */
    void each(Runnable changed) {
        this.changed = changed;
        Thread ignored =
                Thread.ofPlatform().daemon().name("holdfast-file-watch").start(this::watch);
    }

    private void watch() {
        try {
            while (true) {
                WatchKey key = register();
                loop.postEnding(this::tell); // only after the watch has begun: nothing is missed
                WatchKey woken = service.take();
                woken.pollEvents();
                key.cancel();
            }
        } catch (ClosedWatchServiceException | IOException e) {
            // nobody waits any more, or nothing can be watched
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private WatchKey register() throws IOException {
        while (true) {
            Path folder = nearestFolder();
            WatchKey key =
                    folder.register(
                            service,
                            StandardWatchEventKinds.ENTRY_CREATE,
                            StandardWatchEventKinds.ENTRY_MODIFY);
            if (nearestFolder().equals(folder)) {
                return key;
            }
            key.cancel(); // one nearer has come meanwhile
        }
    }

    private Path nearestFolder() {
        Path folder = file;
        do {
            Path above = folder.getParent();
            if (above == null) {
                return folder; // the root
            }
            folder = above;
        } while (!Files.isDirectory(folder));
        return folder;
    }

    private void tell() {
        if (!closed) {
            changed.run();
        }
    }

    boolean isClosed() {
        return closed;
    }

    @Override
    public void close() {
        closed = true;
        try {
            service.close();
        } catch (IOException e) {
            throw new AssertionError(e); // it closes descriptors only
        }
    }
}
