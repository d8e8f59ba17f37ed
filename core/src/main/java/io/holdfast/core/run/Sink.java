package io.holdfast.core.run;

/** The receiver of the bytes of a stream. Used by one thread. */
interface Sink {
    /**
     * Takes bytes.
     *
     * @throws RunFailedException if there are too many
     */
    void take(byte[] bytes, int length);

    /** Ends the stream, and returns what was kept. */
    Captured end();
}
