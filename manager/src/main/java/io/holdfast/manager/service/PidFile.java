package io.holdfast.manager.service;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Readiness;
import io.holdfast.core.file.Directory;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.core.sys.SysInotify;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.Work;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The PID file of a service, which comes and changes when the service likes, in directories that
 * may come later themselves. It is read by the unit's worker, since the service's user can put
 * anything in its place; the loop only learns that something near it has changed (inotify(7)).
 */
final class PidFile implements AutoCloseable {
    /** How long after a look the next change counts: the service's user can make any number. */
    private static final Duration PAUSE = Duration.ofMillis(10);

    /** What a PID file may have of bytes: a number, and blanks around it. */
    private static final int MOST_BYTES = 64;

    private static final int NONE = -1;

    /**
     * What was found.
     *
     * @param number empty while there is none
     * @param refusal why the file was not read, other than that it is not there
     */
    record Content(OptionalInt number, Optional<String> refusal) {
        private static final Content NONE = new Content(OptionalInt.empty(), Optional.empty());
    }

    private final EventLoop loop;
    private final Lane lane;
    private final String path;
    private final SysInotify changes = new SysInotify();
    private final EventLoop.Watch watch; // waits for a change while no look is under way
    private final Consumer<Content> told;
    private int watched = NONE; // on the worker: which watch of the changes there is
    private @Nullable Work<Content> look; // that is under way
    private boolean closed;

    /**
     * Looks now, and after every change near it. On the loop.
     *
     * @param path absolute; nothing need be there
     * @param told each time, on the loop
     * @throws ErrnoException EMFILE
     */
    PidFile(EventLoop loop, Lane lane, String path, Consumer<Content> told) {
        this.loop = loop;
        this.lane = lane;
        this.path = path;
        this.told = told;
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
        changes.drain(); // first: what changes from now on is told again
        look = lane.work("to read its PID file", this::read).begin(this::looked);
    }

    private void looked(@Nullable Content content, @Nullable Exception failure) {
        look = null;
        if (closed) {
            return;
        }
        EventLoop.Timer _ = loop.after(PAUSE, this::awaitChange);
        told.accept(
                content != null
                        ? content
                        : new Content(OptionalInt.empty(), Optional.of(Work.reason(failure))));
    }

    private void awaitChange() {
        if (!closed) {
            watch.events(Readiness.IN);
        }
    }

    boolean isClosed() {
        return closed;
    }

    /**
     * Removes a PID file that names a process which has gone: its number may be another's soon. A
     * file with another content is not the service's. Blocking.
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

    /** Nobody waits for it any more. */
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
        watch(); // first: what changes after that is told
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
     * Watches the nearest directory that is there; when one nearer has come meanwhile, that. There
     * is one watch at a time, whatever is renamed: all of a user's come from one limit
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
