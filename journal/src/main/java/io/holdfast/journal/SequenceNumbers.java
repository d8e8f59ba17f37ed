package io.holdfast.journal;

/**
 * A sequence of entry numbers that several writers share, such as those of the system's and the
 * users' files of one receiver. Readers order the entries of all these files by it. Thread-safe.
 */
public final class SequenceNumbers {
    private final Id128 id;
    private long last;

    /**
     * Continues a sequence.
     *
     * @param id the identifier of the sequence
     * @param last the last number that was used, 0 or more
     */
    public SequenceNumbers(Id128 id, long last) {
        this.id = id;
        this.last = last;
    }

    /** {@return a new sequence with a random identifier} */
    public static SequenceNumbers fresh() {
        return new SequenceNumbers(Id128.random(), 0);
    }

    /** {@return the identifier of the sequence} */
    public Id128 id() {
        return id;
    }

    /** {@return the last number that was used, 0 if none was} */
    public synchronized long last() {
        return last;
    }

    /** Returns the next number, which is larger than another one, too. */
    synchronized long next(long least) {
        last = Math.max(last, least) + 1;
        return last;
    }

    /** Skips the numbers that a file has used. */
    synchronized void skipTo(long used) {
        last = Math.max(last, used);
    }
}
