package io.holdfast.authority.agent;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;

/** A stream to the other side of a dialog, without sockets: both protocols are written on it. */
interface ByteLink {
    /** What {@link #read} answers at the end. */
    int END = -1;

    /**
     * Reads once, at least one byte if there is room.
     *
     * @return how many, or {@link #END}
     * @throws IOException if none comes in that time, or the link fails
     */
    int read(ByteBuffer into, Duration limit) throws IOException, InterruptedException;

    /**
     * Writes all.
     *
     * @throws IOException if the other side does not take it in that time, or the link fails
     */
    void write(ByteBuffer from, Duration limit) throws IOException, InterruptedException;
}
