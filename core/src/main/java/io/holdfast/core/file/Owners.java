package io.holdfast.core.file;

import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;

/**
 * Who could have placed a name in a directory. Root and the user of this process are trusted; what
 * only they could have placed was meant.
 *
 * @param own the user of the calling thread
 */
record Owners(long own) {
    private static final int STICKY = 01000;
    private static final int OTHERS_WRITE = 0002;
    private static final int GROUP_WRITES = 0020;

    static Owners ofThisThread() {
        return new Owners(Unistd.geteuid());
    }

    boolean trusts(long uid) {
        return uid == 0 || uid == own;
    }

    /** Whether only trusted users may add, rename or remove names in a directory. */
    boolean isProtected(SysStat.Stat directory) {
        boolean group = (directory.mode() & GROUP_WRITES) != 0 && directory.gid() != 0;
        return trusts(directory.uid()) && !group && (directory.mode() & OTHERS_WRITE) == 0;
    }

    /** Whether only trusted users can make a name of a directory mean another file. */
    boolean isStable(SysStat.Stat directory, SysStat.Stat entry) {
        boolean sticky = (directory.mode() & STICKY) != 0;
        return isProtected(directory) || (sticky && trusts(directory.uid()) && trusts(entry.uid()));
    }

    /**
     * Whether a trusted user has placed a symbolic link: in an unprotected directory its owner
     * tells who has made it, unless it is a hard link, which others can make of it.
     */
    boolean hasPlaced(SysStat.Stat directory, SysStat.Stat link) {
        return isProtected(directory) || (trusts(link.uid()) && link.links() == 1);
    }

    /**
     * Whether a name may be a hard link to a file that whoever placed it could not open: one of
     * several names of a file that is not the directory's owner's.
     */
    boolean mayBeHardLink(SysStat.Stat directory, SysStat.Stat file) {
        boolean ofDirectoryOwner = file.uid() == directory.uid() && !trusts(file.uid());
        return file.links() > 1 && !isProtected(directory) && !ofDirectoryOwner;
    }
}
