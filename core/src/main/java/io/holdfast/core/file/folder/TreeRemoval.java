package io.holdfast.core.file.folder;

import io.holdfast.core.Errno;
import io.holdfast.core.file.FileException;
import io.holdfast.core.sys.SysStat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Removes a folder with its content, while other processes may still write there: every step is
 * relative to an open folder, no symbolic link is followed, no other file system is entered, and
 * both depth and number are bounded. Blocking.
 */
public final class TreeRemoval {
    /** The depth of nested folders. */
    public static final int MAX_DEPTH = 128;

    /** Files and folders that one call removes. */
    public static final int MAX_ENTRIES = 1_000_000;

    private static final int CHUNK = 1024; // names that are read at once

    private final long device;
    private int entries;
    private @Nullable FileException failure;

    private TreeRemoval(long device) {
        this.device = device;
    }

    /**
     * Removes a name from a folder, with everything below it, if it exists.
     *
     * @param parent the folder, which is lent
     * @param name the name in it, without a slash
     * @throws FileException if something is left, with the reason for the first such file
     */
    public static void remove(Directory parent, String name) throws FileException {
        TreeRemoval removal = new TreeRemoval(parent.stat().device());
        boolean _ = removal.remove(parent, name, 0);
        if (removal.failure != null) {
            throw removal.failure;
        }
    }

    /** Returns whether it is gone. */
    private boolean remove(Directory parent, String name, int depth) {
        if (++entries > MAX_ENTRIES) {
            return refused(
                    parent,
                    name,
                    "is in a tree of more than " + MAX_ENTRIES + " entries",
                    Errno.E2BIG);
        }
        try {
            boolean _ = parent.remove(name);
            return true;
        } catch (FileException e) {
            if (e.errno() != Errno.EISDIR) {
                return failed(e);
            }
        }
        if (depth > MAX_DEPTH) {
            return refused(parent, name, "is more than " + MAX_DEPTH + " deep", Errno.ELOOP);
        }
        return empty(parent, name, depth) && removeEmpty(parent, name);
    }

    private boolean removeEmpty(Directory parent, String name) {
        int r = SysStat.rmdirat(parent.fd(), name);
        return r == 0 || r == -Errno.ENOENT || refused(parent, name, "cannot be removed", -r);
    }

    /** Empties a folder; returns whether nothing is left in it. */
    private boolean empty(Directory parent, String name, int depth) {
        try (Directory folder = parent.enter(name)) {
            if (folder.stat().device() != device) {
                return refused(parent, name, "is another file system", Errno.EXDEV);
            }
            for (; ; ) {
                boolean gone = true;
                List<String> names = folder.names(CHUNK);
                for (String inner : names) {
                    gone &= remove(folder, inner, depth + 1);
                }
                if (names.isEmpty() || !gone) {
                    return gone;
                }
            }
        } catch (FileException e) {
            return e.errno() == Errno.ENOENT || failed(e);
        }
    }

    private boolean refused(Directory parent, String name, String what, int errno) {
        return failed(FileException.refusal(parent.path() + "/" + name, what, errno, null));
    }

    private boolean failed(FileException e) {
        if (failure == null) {
            failure = e;
        }
        return false;
    }
}
