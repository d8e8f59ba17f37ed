package io.holdfast.core.file;

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
 * Tells of changes in folders: a file made, written, renamed or removed, or one whose mode changed
 * (inotify(7)). Folders may come later, go, and be put in each other's place: all that is above
 * them is watched too. What a symbolic link in a folder points to is not.
 *
 * <p>Told is only that something has changed, at most {@link #GATHER_LIMIT} after it: whoever is
 * told reads all anew. A change while it reads is told again, so that what it reads last is how
 * things are. In the same way a file that was read half-written is read again once it is whole.
 *
 * <p>Where the kernel does not lend a watch (no permission, {@code max_user_watches} reached), the
 * change is told every {@link #LOOK_AGAIN}, whether there was one or not.
 */
public final class FolderWatch implements AutoCloseable {
    /** How long changes are gathered at most, so that many of them are told once: 100 ms. */
    public static final Duration GATHER_LIMIT = Duration.ofMillis(100);

    /** A pause after which no more changes are waited for: 20 ms. */
    public static final Duration QUIET = Duration.ofMillis(20);

    /** How often is told where changes cannot be seen: every 2 s. */
    public static final Duration LOOK_AGAIN = Duration.ofSeconds(2);

    private static final System.Logger LOG = System.getLogger("io.holdfast.core");

    private final List<Interest> interests;
    private final Predicate<String> name;
    private final Runnable changed;
    private final WatchService service;
    private Map<WatchKey, List<Interest>> watched = Map.of(); // of the thread, once that runs
    private boolean complete; // likewise

    /**
     * Begins to watch: what changes from now on is told.
     *
     * @param folders need not be there
     * @param name which files in them matter
     * @param changed called by a thread of this watch, one call after the other; what it throws is
     *     logged. It may still run when {@link #close} returns
     * @throws IOException if the kernel lends no inotify instance: no descriptor is left, or the
     *     user has {@code fs.inotify.max_user_instances}
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
        } catch (RuntimeException | Error e) { // a folder elsewhere; no thread to be had
            service.close();
            throw e;
        }
    }

    /**
     * Why a folder is watched.
     *
     * @param step the name in it that leads to what we look for; null if it is that itself
     */
    private record Interest(Path folder, @Nullable String step) {}

    /** From the root down: what comes while we register is told by the folder above it. */
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
        ordered.sort(Comparator.comparingInt(interest -> interest.folder.getNameCount()));
        return ordered;
    }

    private void register() {
        Map<WatchKey, List<Interest>> fresh = new HashMap<>();
        complete = true;
        for (Interest interest : interests) {
            try {
                WatchKey key =
                        interest.folder.register(service, ENTRY_CREATE, ENTRY_DELETE, ENTRY_MODIFY);
                fresh.computeIfAbsent(key, _ -> new ArrayList<>()).add(interest);
            } catch (NoSuchFileException | NotDirectoryException e) {
                // the folder above tells when it comes
            } catch (IOException e) {
                complete = false;
                LOG.log(Level.DEBUG, () -> "cannot watch " + interest.folder, e);
            }
        }
        for (WatchKey key : watched.keySet()) {
            if (!fresh.containsKey(key)) {
                key.cancel(); // another is in its place now
            }
        }
        watched = fresh;
    }

    private void watch() {
        try {
            while (true) {
                awaitChange();
                gather();
                register();
                tell();
            }
        } catch (ClosedWatchServiceException e) {
            // nobody wants to know any more
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Until something matters, or it is time to look again. */
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

    /** Takes the events of a folder. */
    private boolean matters(WatchKey key) {
        List<Interest> reasons = watched.getOrDefault(key, List.of());
        boolean matters = false;
        for (WatchEvent<?> event : key.pollEvents()) {
            String file = event.context() instanceof Path path ? path.toString() : null;
            for (Interest reason : reasons) {
                matters |=
                        file == null // some were lost
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

    private void tell() {
        try {
            changed.run();
        } catch (RuntimeException e) {
            LOG.log(Level.ERROR, "could not follow a change of " + folders(), e);
        }
    }

    private List<Path> folders() {
        return interests.stream()
                .filter(interest -> interest.step == null)
                .map(Interest::folder)
                .toList();
    }

    /** Ends the watch; a call that runs already is not waited for. */
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
