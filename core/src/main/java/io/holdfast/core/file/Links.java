package io.holdfast.core.file;

/** Which symbolic links of a path are followed. */
public enum Links {
    /** None: a path with a symbolic link in it is refused. */
    REFUSED,

    /**
     * Those that root or this process's user has placed. One that another user has placed is
     * followed if what it leads to is that user's own: it must not lead to a file of somebody else.
     */
    GUARDED
}
