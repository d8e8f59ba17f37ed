package io.holdfast.manager.log;

import java.time.Duration;

/** Takes lines for a reader that may stall, without waiting for that. Thread-safe. */
public interface LineSink {
    /** Takes a line without its end, or drops it if too much waits. */
    void add(String line);

    /**
     * Waits until the reader has all lines.
     *
     * @return false if it has not within that time
     */
    boolean flush(Duration atMost) throws InterruptedException;

    /** How many lines were dropped since this began. */
    long dropped();

    /** Whether the reader has refused something. */
    boolean hasFailed();
}
