package io.holdfast.authority.action;

import io.holdfast.core.file.FolderWatch;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * The actions of policy folders as they are now. Changes are seen by themselves (see {@link
 * FolderWatch}), well within a second; then all is read anew and takes the place of what was there
 * in one step. Safe for use by any thread.
 */
public final class ActionFolders implements AutoCloseable {
    /** Those of polkit(8), the first to be seen first. */
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
     * Watches folders and reads them.
     *
     * @param folders the first to be seen first; need not be there
     * @param changed told of each pool that says something new after the first, by the thread that
     *     has read it, one after the other
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

    /** The actions now. Never blocks. */
    public ActionPool pool() {
        return pool;
    }

    /** Reads all now, whether something is known to have changed or not. Blocks meanwhile. */
    public void reload() {
        synchronized (reading) {
            ActionPool fresh = ActionPool.read(folders);
            if (!fresh.equals(pool)) {
                pool = fresh;
                changed.accept(fresh);
            }
        }
    }

    /** Follows changes no more. */
    @Override
    public void close() {
        watch.close();
    }
}
