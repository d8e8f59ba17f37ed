package io.holdfast.core.file;

/** Which symbolic links of a path are followed. */
public enum Links {
    /** None: a path with a symbolic link in it is refused. */
    REFUSED,

    /**
     * Those that root or this process's user placed. A link that another user placed is followed
     * only if it leads to a file of that user.
     */
    GUARDED
}
