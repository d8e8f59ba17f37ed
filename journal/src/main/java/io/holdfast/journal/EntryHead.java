package io.holdfast.journal;

/** The fixed part of an entry, and its place in its file. Mutable: a reader reuses it. */
final class EntryHead {
    long offset;
    long size;
    Id128 seqnumId = Id128.NULL;
    long seqnum;
    long realtime;
    long monotonic;
    long bootHigh;
    long bootLow;
    long xorHash;

    void set(EntryHead other) {
        offset = other.offset;
        size = other.size;
        seqnumId = other.seqnumId;
        seqnum = other.seqnum;
        realtime = other.realtime;
        monotonic = other.monotonic;
        bootHigh = other.bootHigh;
        bootLow = other.bootLow;
        xorHash = other.xorHash;
    }

    void set(Cursor cursor) {
        offset = 0;
        seqnumId = cursor.seqnumId();
        seqnum = cursor.seqnum();
        realtime = cursor.realtime();
        monotonic = cursor.monotonic();
        bootHigh = cursor.bootId().high();
        bootLow = cursor.bootId().low();
        xorHash = cursor.xorHash();
    }

    Id128 bootId() {
        return new Id128(bootHigh, bootLow);
    }

    /**
     * Orders entries of different files: by sequence number if both files continue one sequence, by
     * time since boot if both are of one boot, otherwise by the time of day. 0 means that both are
     * copies of one entry.
     */
    static int compare(EntryHead a, EntryHead b) {
        if (a.seqnum != b.seqnum && a.seqnumId.equals(b.seqnumId)) {
            return Long.compareUnsigned(a.seqnum, b.seqnum);
        }
        if (a.monotonic != b.monotonic && a.bootLow == b.bootLow && a.bootHigh == b.bootHigh) {
            return Long.compare(a.monotonic, b.monotonic);
        }
        if (a.realtime != b.realtime) {
            return Long.compare(a.realtime, b.realtime);
        }
        return Long.compareUnsigned(a.xorHash, b.xorHash);
    }
}
