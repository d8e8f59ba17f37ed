package io.holdfast.core.run;

/** Where the bytes of a stream go. Used by one thread. */
interface Sink {
    /**
     * Takes bytes.
     *
     * @throws RunFailedException if there are too many
     */
    void take(byte[] bytes, int length);

    /** There are no more bytes: what is kept. */
    Captured end();
}
