package io.holdfast.journal;

import io.holdfast.core.limit.Limit;

/** The limits of this module that system properties can change. */
final class JournalLimits {
    /** The memory of a reader for parts of its files. */
    static final Limit CACHE =
            Limit.bytes(
                    "io.holdfast.journal.cache",
                    16 << 20,
                    "bytes of files that a reader of journals caches");

    /** The size of a field; a larger one is left out of its entry. */
    static final Limit FIELD_SIZE =
            Limit.bytes(
                    "io.holdfast.journal.fieldSize",
                    64 << 20,
                    "bytes of a field of a journal entry, decompressed");

    /** The sum of the sizes of the fields of an entry; the rest is left out. */
    static final Limit ENTRY_SIZE =
            Limit.bytes(
                    "io.holdfast.journal.entrySize",
                    128 << 20,
                    "bytes of all fields of a journal entry");

    /** The number of fields of an entry; the rest is left out. */
    static final Limit ENTRY_FIELDS =
            Limit.count("io.holdfast.journal.entryFields", 4096, "fields of a journal entry");

    /** The number of files that a reader has open. */
    static final Limit FILES =
            Limit.count("io.holdfast.journal.files", 7168, "journal files that a reader has open");

    /** The number of problems that a reader remembers. */
    static final int PROBLEMS = 100;

    private JournalLimits() {}
}
