package io.holdfast.manager.service;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Readiness;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.sys.SysInotify;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.Work;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The PID file of a service. The service creates and changes it at any time, in directories that
 * may also appear later. The unit's worker reads it, because the service's user can put anything in
 * its place; the loop only receives the notice that something near it has changed (inotify(7)).
 */
final class PidFile implements AutoCloseable {
    /** The pause between two reads: the service's user can cause any number of changes. */
    private static final Duration PAUSE = Duration.ofMillis(10);

    /** The greatest size of a PID file in bytes: a number with blanks around it. */
    private static final int MOST_BYTES = 64;

    private static final int NONE = -1;

    /**
     * The content of a PID file.
     *
     * @param number empty while there is none
     * @param refusal why the file was not read, except that it does not exist
     */
    record Content(OptionalInt number, Optional<String> refusal) {
        private static final Content NONE = new Content(OptionalInt.empty(), Optional.empty());
    }

    private final EventLoop loop;
    private final Lane lane;
    private final String path;
    private final SysInotify changes = new SysInotify();
    private final EventLoop.Watch watch; // waits for a change, unless a read is under way
    private final Consumer<Content> callback;
    private int watched = NONE; // used by the worker: the inotify watch
    private @Nullable Work<Content> look; // the read under way
    private boolean closed;

    /**
     * Reads the file now, and after every change near it. Called on the loop.
     *
     * @param path absolute; neither the file nor its directories need to exist
     * @param callback called on the loop after each read
     * @throws ErrnoException EMFILE
     */
    PidFile(EventLoop loop, Lane lane, String path, Consumer<Content> callback) {
        this.loop = loop;
        this.lane = lane;
        this.path = path;
        this.callback = callback;
        try {
            watch = loop.watch(changes.fd(), 0, _ -> look());
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
        watch.events(0);
        changes.drain(); // first: later changes cause another read
        look = lane.work("the reading of its PID file", this::read).begin(this::looked);
    }

    private void looked(@Nullable Content content, @Nullable Exception failure) {
        look = null;
        if (closed) {
            return;
        }
        EventLoop.Timer _ = loop.after(PAUSE, this::awaitChange);
        callback.accept(
                content != null
                        ? content
                        : new Content(OptionalInt.empty(), Optional.of(Work.reason(failure))));
    }

    private void awaitChange() {
        if (!closed) {
            watch.events(Readiness.IN);
        }
    }

    /**
     * Reads a PID file once.
     *
     * @param callback called on the loop with its number; empty if it cannot be read
     */
    static void readOnce(Lane lane, String path, Consumer<OptionalInt> callback) {
        Work<OptionalInt> _ =
                lane.work("the reading of its PID file", () -> numberIn(path))
                        .begin((number, _) ->
                                callback.accept(number == null ? OptionalInt.empty() : number));
    }

    /**
     * Removes a PID file that names an exited process: its PID may soon be reused. A file with
     * another content does not belong to this run. Blocking.
     *
     * @return why it cannot be removed; empty if it is removed or missing, or names another process
     */
    static Optional<String> remove(String path, int gone) {
        try (Directory parent = Directory.ofParent(path)) {
            if (numberIn(path).equals(OptionalInt.of(gone))) {
                boolean _ = parent.remove(Directory.nameOf(path));
            }
            return Optional.empty();
        } catch (FileException e) {
            return e.isMissing()
                    ? Optional.empty()
                    : Optional.of("cannot remove its PID file: " + e.getMessage());
        }
    }

    /** Stops waiting for it. */
    @Override
    public void close() {
        closed = true;
        if (look != null) {
            look.cancel();
            look = null;
        }
        changes.close();
    }

    // ---- on the worker

    private Content read() throws FileException {
        watch(); // first: later changes are noticed
        try {
            return new Content(numberIn(path), Optional.empty());
        } catch (FileException e) {
            return e.isMissing()
                    ? Content.NONE
                    : new Content(OptionalInt.empty(), Optional.of(String.valueOf(e.getMessage())));
        }
    }

    private static OptionalInt numberIn(String path) throws FileException {
        try (OpenedFile file = OpenedFile.open(path, OpenHow.reading())) {
            String text = new String(file.readFirst(MOST_BYTES), US_ASCII).strip();
            return text.matches("[1-9][0-9]{0,8}")
                    ? OptionalInt.of(Integer.parseInt(text))
                    : OptionalInt.empty();
        }
    }

    /**
     * Watches the nearest existing directory, and a nearer one if it appears meanwhile. Whatever is
     * renamed, there is one watch at a time: the watches of a user share one limit
     * (fs.inotify.max_user_watches).
     */
    private void watch() throws FileException {
        String nearestBefore = "";
        while (true) {
            try (Directory nearest = nearest()) {
                if (nearest.path().equals(nearestBefore)) {
                    return;
                }
                int watch = changes.watchAppearances(nearest.fd());
                if (watched != NONE && watched != watch) {
                    changes.forget(watched);
                }
                watched = watch;
                nearestBefore = nearest.path();
            }
        }
    }

    private Directory nearest() throws FileException {
        String at = above(path);
        while (true) {
            try {
                return Directory.open(at);
            } catch (FileException e) {
                if (!e.isMissing() || at.equals("/")) {
                    throw e;
                }
                at = above(at);
            }
        }
    }

    private static String above(String path) {
        int slash = path.lastIndexOf('/');
        return slash <= 0 ? "/" : path.substring(0, slash);
    }
}
