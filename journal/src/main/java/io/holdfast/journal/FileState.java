package io.holdfast.journal;

/** The state of a journal file, as its writer left it. */
public enum FileState {
    /** Its writer has closed it. */
    OFFLINE,
    /** A writer has it open, or ended without closing it. */
    ONLINE,
    /** It was rotated: nobody writes it again. */
    ARCHIVED;
}
