package io.holdfast.journal;

import java.time.Instant;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * An entry of a journal: its times, its sequence number and its fields. Immutable.
 *
 * <p>Its size is bounded by the limits {@code io.holdfast.journal.entrySize} and {@code
 * io.holdfast.journal.entryFields}.
 */
public final class Entry {
    private final Id128 seqnumId;
    private final long seqnum;
    private final Id128 bootId;
    private final long monotonic;
    private final long realtime;
    private final long xorHash;
    private final Field[] fields;

    Entry(
            Id128 seqnumId,
            long seqnum,
            Id128 bootId,
            long monotonic,
            long realtime,
            long xorHash,
            Field[] fields) {
        this.seqnumId = seqnumId;
        this.seqnum = seqnum;
        this.bootId = bootId;
        this.monotonic = monotonic;
        this.realtime = realtime;
        this.xorHash = xorHash;
        this.fields = fields;
    }

    /** {@return the identifier of the sequence; {@link Id128#NULL} if it comes from no file} */
    public Id128 seqnumId() {
        return seqnumId;
    }

    /** {@return the sequence number, 1 or more; 0 if the entry comes from no file} */
    public long seqnum() {
        return seqnum;
    }

    /** {@return the boot in which the entry was written} */
    public Id128 bootId() {
        return bootId;
    }

    /** {@return the time since that boot in µs (CLOCK_MONOTONIC)} */
    public long monotonicMicros() {
        return monotonic;
    }

    /** {@return the time since 1970 in µs (CLOCK_REALTIME)} */
    public long realtimeMicros() {
        return realtime;
    }

    /** {@return the time at which the journal received the entry} */
    public Instant realtime() {
        return Instant.ofEpochSecond(
                Math.floorDiv(realtime, 1_000_000L), Math.floorMod(realtime, 1_000_000L) * 1000);
    }

    /** {@return the position of this entry} */
    public Cursor cursor() {
        return new Cursor(seqnumId, seqnum, bootId, monotonic, realtime, xorHash);
    }

    /** {@return the fields, in the order of the file; a name may occur several times} */
    public List<Field> fields() {
        return Collections.unmodifiableList(Arrays.asList(fields));
    }

    /**
     * {@return the first field of a name}
     *
     * @param name the name
     */
    public Optional<Field> field(String name) {
        for (Field field : fields) {
            if (field.hasName(name)) {
                return Optional.of(field);
            }
        }
        return Optional.empty();
    }

    /**
     * {@return the value of the first field of a name, as {@link Field#text}}
     *
     * @param name the name
     */
    public Optional<String> text(String name) {
        return field(name).map(Field::text);
    }

    Field[] fieldArray() {
        return fields;
    }

    /** Compares all times, numbers and fields, in their order. */
    @Override
    public boolean equals(Object other) {
        return other instanceof Entry entry
                && cursor().equals(entry.cursor())
                && Arrays.equals(fields, entry.fields);
    }

    @Override
    public int hashCode() {
        return cursor().hashCode();
    }

    /** Returns the cursor and the message. */
    @Override
    public String toString() {
        return cursor() + " " + text("MESSAGE").orElse("");
    }
}
