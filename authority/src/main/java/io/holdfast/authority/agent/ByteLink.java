package io.holdfast.authority.agent;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;

/** A byte stream to the other side of a dialog, which keeps the protocols free of sockets. */
interface ByteLink {
    /** What {@link #read} returns at the end of the stream. */
    int END = -1;

    /**
     * Reads once, at least one byte if there is room.
     *
     * @return the number of bytes, or {@link #END}
     * @throws IOException if no byte comes within the limit, or the link fails
     */
    int read(ByteBuffer into, Duration limit) throws IOException, InterruptedException;

    /**
     * Writes all bytes.
     *
     * @throws IOException if the other side does not read them within the limit, or the link fails
     */
    void write(ByteBuffer from, Duration limit) throws IOException, InterruptedException;
}
