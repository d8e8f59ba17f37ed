package io.holdfast.authority.action;

import io.holdfast.core.file.folder.FolderWatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * The actions that the files in policy folders declare now. Changes are noticed automatically (see
 * {@link FolderWatch}), well within a second; then all files are read again, and the new actions
 * replace the old ones in one step. Thread-safe.
 */
public final class ActionFolders implements AutoCloseable {
    /** The folders of polkit(8), in order of precedence. */
    public static final List<Path> STANDARD =
            List.of(
                    Path.of("/etc/polkit-1/actions"),
                    Path.of("/run/polkit-1/actions"),
                    Path.of("/usr/local/share/polkit-1/actions"),
                    Path.of("/usr/share/polkit-1/actions"));

    private final List<Path> folders;
    private final Consumer<ActionPool> changed;
    private final Object reading = new Object();
    private final FolderWatch watch;
    private volatile ActionPool pool = ActionPool.EMPTY;

    /**
     * Reads the folders, and watches them from then on.
     *
     * @param folders in order of precedence; a folder may be missing
     * @param changed called with each pool after the first that differs from the one before, by the
     *     thread that has read it, one call at a time
     * @throws IOException if folders cannot be watched
     */
    public ActionFolders(List<Path> folders, Consumer<ActionPool> changed) throws IOException {
        this.folders = List.copyOf(folders);
        this.changed = changed;
        synchronized (reading) {
            this.watch = new FolderWatch(this.folders, ActionPool::isPolicyFile, this::reload);
            try {
                this.pool = ActionPool.read(this.folders);
            } catch (RuntimeException | Error e) {
                watch.close();
                throw e;
            }
        }
    }

    /** Returns the present actions. Never blocks. */
    public ActionPool pool() {
        return pool;
    }

    /** Reads all files again, even without a known change. Blocks meanwhile. */
    public void reload() {
        synchronized (reading) {
            ActionPool fresh = ActionPool.read(folders);
            if (!fresh.equals(pool)) {
                pool = fresh;
                changed.accept(fresh);
            }
        }
    }

    /** Ends the watch; the pool changes no more. */
    @Override
    public void close() {
        watch.close();
    }
}
