package io.holdfast.core.file.folder;

import io.holdfast.core.FileStatus;
import io.holdfast.core.sys.Unistd;

/**
 * Decides which users could have placed a name in a directory. Root and the user of this process
 * are trusted, and so is a name that only they could have placed.
 *
 * @param self the effective user of the calling thread
 */
record Owners(long self) {
    private static final int STICKY = 01000;
    private static final int OTHERS_WRITE = 0002;
    private static final int GROUP_WRITES = 0020;

    static Owners ofThisThread() {
        return new Owners(Unistd.geteuid());
    }

    boolean trusts(long uid) {
        return uid == 0 || uid == self;
    }

    /** Whether only trusted users may add, rename or remove names in a directory. */
    boolean isProtected(FileStatus directory) {
        boolean group = (directory.mode() & GROUP_WRITES) != 0 && directory.gid() != 0;
        return trusts(directory.uid()) && !group && (directory.mode() & OTHERS_WRITE) == 0;
    }

    /** Returns whether only trusted users can replace a file in the directory. */
    boolean isStable(FileStatus directory, FileStatus entry) {
        boolean sticky = (directory.mode() & STICKY) != 0;
        return isProtected(directory) || (sticky && trusts(directory.uid()) && trusts(entry.uid()));
    }

    /**
     * Whether a trusted user placed a symbolic link. In an unprotected directory the link's owner
     * counts, unless the link has several names: other users can make hard links to it.
     */
    boolean hasPlaced(FileStatus directory, FileStatus link) {
        return isProtected(directory) || (trusts(link.uid()) && link.links() == 1);
    }

    /**
     * Whether a name may be a hard link to a file that the user who placed it could not open: the
     * file has several names, and does not belong to the directory's owner.
     */
    boolean mayBeHardLink(FileStatus directory, FileStatus file) {
        boolean ofDirectoryOwner = file.uid() == directory.uid() && !trusts(file.uid());
        return file.links() > 1 && !isProtected(directory) && !ofDirectoryOwner;
    }
}
