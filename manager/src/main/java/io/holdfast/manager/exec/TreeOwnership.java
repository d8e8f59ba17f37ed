package io.holdfast.manager.exec;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.sys.SysStat;
import java.util.List;

/**
 * Gives a folder with its content to another user: every step is relative to an open folder, no
 * symbolic link is followed, no other file system is entered, and both depth and number are
 * bounded. Blocking.
 *
 * <p>The kernel clears set-user-ID and set-group-ID bits and file capabilities of each file whose
 * owner is set (chown(2)), so none of them takes effect for the new owner.
 */
final class TreeOwnership {
    /** The depth of nested folders. */
    static final int MAX_DEPTH = 128;

    /** Files and folders that one call gives away. */
    static final int MAX_ENTRIES = 1_000_000;

    private static final long NOBODY = -1;

    private final long device;
    private final long uid;
    private final long gid;
    private final long before;
    private int entries;

    private TreeOwnership(FileStatus top, long uid, long gid) {
        this.device = top.device();
        this.before = top.uid() == 0 ? NOBODY : top.uid();
        this.uid = uid;
        this.gid = gid;
    }

    /**
     * Sets the owner and group of a folder and of everything in it. The folder itself is last, and
     * one that has the owner and group already is left with its content, since an earlier call has
     * completed it.
     *
     * @throws FileException if something could not be given away; the folder then keeps its owner
     */
    static void set(Directory folder, long uid, long gid) throws FileException {
        FileStatus top = folder.stat();
        if (top.uid() != uid || top.gid() != gid) {
            setAll(folder, uid, gid);
        }
    }

    /**
     * Does the same also where the folder has the owner and group already: other users are about to
     * reach its files, which may have set-user-ID bits.
     *
     * @throws FileException if something could not be given away
     */
    static void setAll(Directory folder, long uid, long gid) throws FileException {
        new TreeOwnership(folder.stat(), uid, gid).content(folder, 0);
        folder.chown(uid, gid);
    }

    private void content(Directory folder, int depth) throws FileException {
        if (depth > MAX_DEPTH) {
            throw FileException.refusal(
                    folder.path(), "is more than " + MAX_DEPTH + " deep", Errno.ELOOP, null);
        }
        List<String> names = folder.names(MAX_ENTRIES - entries + 1);
        entries += names.size();
        if (entries > MAX_ENTRIES) {
            throw FileException.refusal(
                    folder.path(), "has more than " + MAX_ENTRIES + " files", Errno.E2BIG, null);
        }
        for (String name : names) {
            FileStatus stat = folder.stat(name).orElse(null);
            if (stat == null || stat.device() != device) {
                continue;
            }
            if (stat.isDirectory()) {
                try (Directory inner = folder.enter(name)) {
                    content(inner, depth + 1);
                    inner.chown(uid, gid);
                }
            } else {
                file(folder, name);
            }
        }
    }

    /**
     * Gives one file away, unless it may be a hard link that a former owner has made to somebody
     * else's file: root's in a folder that root has taken back, for instance.
     */
    private void file(Directory folder, String name) throws FileException {
        try (Fd file = folder.hold(name)) {
            FileStatus stat = SysStat.stat(file);
            if (stat.links() == 1 || stat.uid() == before || stat.uid() == uid) {
                int r = SysStat.chown(file, uid, gid);
                if (r < 0) {
                    throw FileException.refusal(
                            folder.path() + "/" + name, "cannot be given away", -r, null);
                }
            }
        }
    }
}
