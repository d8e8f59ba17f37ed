package io.holdfast.manager.path;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Readiness;
import io.holdfast.core.sys.SysInotify;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.unit.condition.ConditionTable;
import io.holdfast.manager.unit.condition.MachineFacts;
import io.holdfast.manager.unit.section.PathUnit.Kind;
import io.holdfast.manager.unit.section.PathUnit.Watched;
import io.holdfast.manager.unit.value.Glob;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The wait for the files of a path unit, by inotify(7).
 *
 * <p>It watches each file that exists, and above it the folders as far as they exist, so that
 * folders may come and go. After every event a worker looks at the files and sets the watches
 * again; the events that come meanwhile are kept by the kernel. Used on the event loop.
 */
final class PathWatch implements AutoCloseable {
    /** The fewest pause between two looks: other programs can cause any number of events. */
    private static final Duration PAUSE = Duration.ofMillis(10);

    private static final int MAX_MATCHES = 10_000;

    private static final int GONE =
            SysInotify.IN_DELETE_SELF | SysInotify.IN_MOVE_SELF | SysInotify.IN_ATTRIB;
    private static final int APPEARS = SysInotify.IN_CREATE | SysInotify.IN_MOVED_TO;
    private static final int CHANGES =
            GONE
                    | APPEARS
                    | SysInotify.IN_CLOSE_WRITE
                    | SysInotify.IN_DELETE
                    | SysInotify.IN_MOVED_FROM;

    /** Who waits. */
    interface Listener {
        /** Called once when a file is as the unit waits for; then the watch is closed. */
        void found(String path);

        /** Called when no file was found and each change from now on is noticed. */
        void watching();

        /** Called once when the files cannot be watched; then the watch is closed. */
        void failed(String why);
    }

    private final EventLoop loop;
    private final Lane lane;
    private final List<Watched> watched;
    private final MachineFacts machine;
    private final Listener listener;
    private final SysInotify changes = new SysInotify();
    private final EventLoop.Watch watch;
    private @Nullable Work<Optional<String>> look;
    private boolean closed;

    /** Used in the lane alone: an earlier watch may still look while this one begins. */
    private final Map<Watched, Boolean> existed;

    // used by the worker while it looks, by the loop otherwise
    private final Map<Integer, String> ofChanges = new HashMap<>();
    private Map<Integer, Integer> present = Map.of(); // the events of each watch

    /**
     * Begins to wait.
     *
     * @param existed which of the files whose change matters existed when they were last looked at;
     *     kept up to date in the lane
     * @throws ErrnoException EMFILE: no descriptor is left, or the user has as many instances as
     *     fs.inotify.max_user_instances allows
     */
    PathWatch(
            EventLoop loop,
            Lane lane,
            List<Watched> watched,
            MachineFacts machine,
            Map<Watched, Boolean> existed,
            Listener listener) {
        this.loop = loop;
        this.lane = lane;
        this.watched = watched;
        this.machine = machine;
        this.existed = existed;
        this.listener = listener;
        try {
            watch = loop.watch(changes.fd(), 0, _ -> happened());
        } catch (ErrnoException e) {
            changes.close();
            throw e;
        }
        look();
    }

    private void look() {
        if (closed) {
            return;
        }
        look = lane.work("a look at its paths", this::find).begin(this::looked);
    }

    @SuppressWarnings("NullableOptional") // null: there is a failure
    private void looked(@Nullable Optional<String> found, @Nullable Exception failure) {
        look = null;
        if (closed) {
            return;
        }
        if (found == null) {
            close();
            listener.failed(Work.reason(failure));
        } else if (found.isPresent()) {
            close();
            listener.found(found.get());
        } else {
            listener.watching();
            EventLoop.Timer _ = loop.after(PAUSE, this::await);
        }
    }

    private void await() {
        if (!closed) {
            watch.events(Readiness.IN);
        }
    }

    private void happened() {
        watch.events(0);
        Set<Integer> events = changes.read();
        Optional<String> changed =
                events.stream().filter(ofChanges::containsKey).map(ofChanges::get).findFirst();
        if (changed.isPresent()) {
            close();
            listener.found(changed.get());
        } else {
            look();
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            if (look != null) {
                look.cancel();
                look = null;
            }
            changes.close();
        }
    }

    // ---- on the worker

    /** Sets the watches, then looks: later changes cause another look. */
    private Optional<String> find() throws IOException {
        Map<Integer, Wanted> wanted = new HashMap<>();
        Map<Integer, String> changing = new HashMap<>();
        for (Watched one : watched) {
            watch(one, wanted, changing);
        }
        present.keySet().stream().filter(old -> !wanted.containsKey(old)).forEach(changes::forget);
        Map<Integer, Integer> now = new HashMap<>();
        wanted.forEach((number, one) -> {
            int before = present.getOrDefault(number, 0);
            boolean isLess = (before | one.events()) != one.events();
            if (isLess && changes.watch(one.path().toString(), one.events()) != number) {
                now.put(number, before | one.events()); // another file has come: the next look
            } else {
                now.put(number, one.events());
            }
        });
        present = now;
        ofChanges.clear();
        ofChanges.putAll(changing);
        for (Watched one : watched) {
            if (isGood(one)) {
                return Optional.of(one.kind() == Kind.EXISTS_GLOB ? match(one.path()) : one.path());
            }
        }
        return Optional.empty();
    }

    /** Returns the first file that matches a pattern; the pattern if there is none any more. */
    private static String match(String pattern) {
        try {
            for (String each : Glob.alternatives(pattern, MAX_MATCHES)) {
                List<Path> files = Glob.expand(each, MAX_MATCHES);
                if (!files.isEmpty()) {
                    return files.getFirst().toString();
                }
            }
        } catch (IOException e) {
            // too many
        }
        return pattern;
    }

    private boolean isGood(Watched one) throws IOException {
        if (one.kind().isChange()) {
            boolean exists = Files.exists(Path.of(one.path()), LinkOption.NOFOLLOW_LINKS);
            Boolean before = existed.put(one, exists);
            return before != null && before != exists;
        }
        return ConditionTable.evaluate(one.kind().directive(), one.path(), machine);
    }

    /** Watches one path, and the folders above it. */
    private void watch(Watched one, Map<Integer, Wanted> wanted, Map<Integer, String> changing)
            throws IOException {
        Path path = Path.of(one.kind() == Kind.EXISTS_GLOB ? fixedPart(one.path()) : one.path());
        int own =
                switch (one.kind()) {
                    case EXISTS -> GONE;
                    case EXISTS_GLOB, NOT_EMPTY -> GONE | APPEARS;
                    case CHANGED -> CHANGES;
                    case MODIFIED -> CHANGES | SysInotify.IN_MODIFY;
                };
        int last = add(path, own, wanted);
        if (last >= 0 && one.kind().isChange()) {
            changing.putIfAbsent(last, one.path());
        }
        boolean below = last >= 0;
        for (Path at = path.getParent(); at != null; at = at.getParent()) {
            boolean isThere =
                    add(at, below ? SysInotify.IN_MOVE_SELF : GONE | APPEARS, wanted) >= 0;
            below |= isThere;
        }
    }

    /** Returns the folder of a pattern, whose new files may match. */
    private static String fixedPart(String pattern) {
        int wildcard = pattern.length();
        for (int i = 0; i < pattern.length(); i++) {
            if ("*?[{\\".indexOf(pattern.charAt(i)) >= 0) {
                wildcard = i;
                break;
            }
        }
        int slash = pattern.lastIndexOf('/', wildcard - 1);
        return slash <= 0 ? "/" : pattern.substring(0, slash);
    }

    /** The events of a watch that the lines want together. */
    private record Wanted(Path path, int events) {}

    /**
     * Adds events of a path; returns its watch, negative if it does not exist. The events of an
     * earlier watch of the same file stay: another line may want them, and none must be missed.
     */
    private int add(Path path, int events, Map<Integer, Wanted> wanted) throws IOException {
        int number = changes.watch(path.toString(), events | SysInotify.IN_MASK_ADD);
        if (number < 0) {
            if (number == -Errno.ENOENT || number == -Errno.ENOTDIR || number == -Errno.EACCES) {
                return number;
            }
            throw new ErrnoException("inotify_add_watch", path.toString(), -number);
        }
        Wanted before = wanted.get(number);
        wanted.put(number, new Wanted(path, before == null ? events : before.events() | events));
        return number;
    }
}
