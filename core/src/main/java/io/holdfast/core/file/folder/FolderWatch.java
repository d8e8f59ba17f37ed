package io.holdfast.core.file.folder;

import static java.nio.file.StandardWatchEventKinds.ENTRY_CREATE;
import static java.nio.file.StandardWatchEventKinds.ENTRY_DELETE;
import static java.nio.file.StandardWatchEventKinds.ENTRY_MODIFY;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A watch that reports changes in folders: a file was made, written, renamed or removed, or its
 * mode changed (inotify(7)). The folders may appear later, vanish and replace each other: the watch
 * covers all folders above them, too. It does not cover the targets of symbolic links.
 *
 * <p>The callback runs at most {@link #GATHER_LIMIT} after a change. It learns only that something
 * has changed, and reads everything again. If something changes while it reads, it runs again, so
 * its last read sees the final state. In the same way a file that was read half-written is read
 * again once it is complete.
 *
 * <p>If the kernel refuses a watch (no permission, {@code max_user_watches} reached), the callback
 * runs every {@link #LOOK_AGAIN}, whether or not something has changed.
 */
public final class FolderWatch implements AutoCloseable {
    /** The maximum time that changes are gathered for one call of the callback: 100 ms. */
    public static final Duration GATHER_LIMIT = Duration.ofMillis(100);

    /** The pause between changes that ends the gathering: 20 ms. */
    public static final Duration QUIET = Duration.ofMillis(20);

    /** The interval of calls if the kernel refuses a watch: 2 s. */
    public static final Duration LOOK_AGAIN = Duration.ofSeconds(2);

    private static final System.Logger LOG = System.getLogger("io.holdfast.core");

    private final List<Interest> interests;
    private final Predicate<String> name;
    private final Runnable changed;
    private final WatchService service;
    private Map<WatchKey, List<Interest>> watched = Map.of(); // owned by the thread once it runs
    private boolean complete; // likewise

    /**
     * Begins to watch.
     *
     * @param folders the folders, which need not exist
     * @param name selects the names of files that matter
     * @param changed called by the thread of this watch after each change, one call after the
     *     other; an exception of it is logged. It may still run when {@link #close} returns
     * @throws IOException if the kernel refuses an inotify instance: no descriptor is left, or the
     *     user has reached {@code fs.inotify.max_user_instances}
     */
    public FolderWatch(List<Path> folders, Predicate<String> name, Runnable changed)
            throws IOException {
        this.interests = interests(folders);
        this.name = name;
        this.changed = changed;
        this.service = Path.of("/").getFileSystem().newWatchService();
        try {
            register();
            var _ = Thread.ofPlatform().daemon().name("holdfast-folder-watch").start(this::watch);
        } catch (RuntimeException | Error e) { // another file system provider, or no thread
            service.close();
            throw e;
        }
    }

    /**
     * The reason to watch a folder.
     *
     * @param step the name in it that leads to a folder of the caller; null if it is one itself
     */
    private record Interest(Path folder, @Nullable String step) {}

    /**
     * In order from the root down: the folder above reports one that appears meanwhile. The
     * caller's folders are last: one may be, by a link, a folder above another, and the kernel
     * keeps the kinds of events that were registered last.
     */
    private static List<Interest> interests(List<Path> folders) {
        Set<Interest> interests = new HashSet<>();
        for (Path folder : folders) {
            @Nullable String step = null;
            for (Path at = folder.toAbsolutePath().normalize(); at != null; at = at.getParent()) {
                interests.add(new Interest(at, step));
                Path last = at.getFileName();
                step = last == null ? null : last.toString();
            }
        }
        List<Interest> ordered = new ArrayList<>(interests);
        ordered.sort(
                Comparator.comparing((Interest interest) -> interest.step == null)
                        .thenComparingInt(interest -> interest.folder.getNameCount()));
        return ordered;
    }

    private void register() {
        Map<WatchKey, List<Interest>> fresh = new HashMap<>();
        complete = true;
        for (Interest interest : interests) {
            try {
                WatchKey key = interest.folder.register(service, kinds(interest));
                fresh.computeIfAbsent(key, _ -> new ArrayList<>()).add(interest);
            } catch (NoSuchFileException | NotDirectoryException e) {
                // the folder above reports when it appears
            } catch (IOException e) {
                complete = false;
                LOG.log(Level.DEBUG, () -> "cannot watch " + interest.folder, e);
            }
        }
        for (WatchKey key : watched.keySet()) {
            if (!fresh.containsKey(key)) {
                key.cancel(); // another folder has its path now
            }
        }
        watched = fresh;
    }

    /** Writes to files in the folders above, such as {@code /tmp}, wake nobody. */
    private static WatchEvent.Kind<?>[] kinds(Interest interest) {
        return interest.step == null
                ? new WatchEvent.Kind<?>[] {ENTRY_CREATE, ENTRY_DELETE, ENTRY_MODIFY}
                : new WatchEvent.Kind<?>[] {ENTRY_CREATE, ENTRY_DELETE};
    }

    private void watch() {
        try {
            while (true) {
                awaitChange();
                gather();
                register();
                notifyChanged();
            }
        } catch (ClosedWatchServiceException e) {
            // close() was called
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Waits until something matters, or for {@link #LOOK_AGAIN} if a watch is missing. */
    private void awaitChange() throws InterruptedException {
        long start = System.nanoTime();
        while (true) {
            WatchKey key;
            if (complete) {
                key = service.take();
            } else {
                long left = LOOK_AGAIN.toNanos() - (System.nanoTime() - start);
                key = service.poll(left, NANOSECONDS);
            }
            if (key == null || matters(key)) {
                return;
            }
        }
    }

    /** Takes the events of a folder; returns whether one of them matters. */
    private boolean matters(WatchKey key) {
        List<Interest> reasons = watched.getOrDefault(key, List.of());
        boolean matters = false;
        for (WatchEvent<?> event : key.pollEvents()) {
            String file = event.context() instanceof Path path ? path.toString() : null;
            for (Interest reason : reasons) {
                matters |=
                        file == null // OVERFLOW: the kernel dropped events
                                || (reason.step == null
                                        ? name.test(file)
                                        : reason.step.equals(file));
            }
        }
        boolean isThere = key.reset();
        return matters || (!isThere && !reasons.isEmpty());
    }

    private void gather() throws InterruptedException {
        long start = System.nanoTime();
        while (true) {
            long left = GATHER_LIMIT.toNanos() - (System.nanoTime() - start);
            WatchKey key =
                    left <= 0 ? null : service.poll(Math.min(left, QUIET.toNanos()), NANOSECONDS);
            if (key == null) {
                return;
            }
            var _ = matters(key);
        }
    }

    private void notifyChanged() {
        try {
            changed.run();
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, this + ": the callback failed", e);
        }
    }

    private List<Path> folders() {
        return interests.stream()
                .filter(interest -> interest.step == null)
                .map(Interest::folder)
                .toList();
    }

    /** Ends the watch. Does not wait for a running call. */
    @Override
    public void close() {
        try {
            service.close();
        } catch (IOException e) {
            throw new AssertionError(e); // it closes descriptors only
        }
    }

    @Override
    public String toString() {
        return "watch of " + folders();
    }
}
