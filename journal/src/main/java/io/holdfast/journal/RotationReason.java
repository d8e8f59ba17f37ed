package io.holdfast.journal;

/** Why a writer closes a file for good and begins a new one. */
public enum RotationReason {
    /** The caller asked for it. */
    REQUESTED,
    /** The file has reached its largest size. */
    SIZE,
    /** The first entry is too old. */
    AGE,
    /** A hash table is three quarters full, or one of its chains has more than 100 objects. */
    HASH_TABLE,
    /** The time of day or since boot is before that of the last entry. */
    CLOCK_BACKWARDS,
    /** The last writer did not close the file, or the file is damaged. */
    UNCLEAN,
    /** The file is of another machine, another sequence or another format. */
    FOREIGN;
}
