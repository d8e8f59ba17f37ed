package io.holdfast.manager.log;

import java.time.Duration;

/** Takes lines for a reader that may stall, without waiting for it. Thread-safe. */
public interface LineSink {
    /** Takes a line without its line end, or drops it if too many wait. */
    void add(String line);

    /**
     * Waits until the reader has all lines.
     *
     * @return false if it does not have them within that time
     */
    boolean flush(Duration atMost) throws InterruptedException;

    /** {@return how many lines were dropped since the start} */
    long dropped();

    /** {@return whether writing to the reader has failed} */
    boolean hasFailed();
}
