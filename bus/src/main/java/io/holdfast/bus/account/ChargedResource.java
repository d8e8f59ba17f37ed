package io.holdfast.bus.account;

import io.holdfast.bus.config.BusLimit;
import org.jspecify.annotations.Nullable;

/** What a connection is charged for, and the limits per connection that apply to it. */
public enum ChargedResource {
    /**
     * A connection. Its limit, which counts a user's connections that said Hello, is checked apart.
     */
    CONNECTION(0, 4_096, 0, null, null, null),
    /** Received input that is not handled yet. */
    INCOMING(1, 0, 0, null, BusLimit.MAX_INCOMING_BYTES, BusLimit.MAX_INCOMING_UNIX_FDS),
    /** A message that waits to be sent. */
    OUTGOING(2, 0, 0, null, BusLimit.MAX_OUTGOING_BYTES, BusLimit.MAX_OUTGOING_UNIX_FDS),
    /** A message that waits for a service to start. */
    HELD(3, 256, 0, null, BusLimit.MAX_INCOMING_BYTES, BusLimit.MAX_INCOMING_UNIX_FDS),
    MATCH_RULE(4, 512, 4, BusLimit.MAX_MATCH_RULES_PER_CONNECTION, null, null),
    /** A name that the connection owns or waits for, including its unique name. */
    NAME(5, 1_024, 0, BusLimit.MAX_NAMES_PER_CONNECTION, null, null),
    /** A call that waits for its reply. */
    REPLY(6, 128, 0, BusLimit.MAX_REPLIES_PER_CONNECTION, null, null);

    static final int COUNT = 7;

    /** The index in arrays. */
    final int index;

    /** The approximate size of one entry in the tables of the bus, in bytes. */
    final int entry;

    /** The additional table bytes for each byte charged. */
    final int entryPerByte;

    final @Nullable BusLimit count;
    final @Nullable BusLimit bytes;
    final @Nullable BusLimit fds;

    ChargedResource(
            int index,
            int entry,
            int entryPerByte,
            @Nullable BusLimit count,
            @Nullable BusLimit bytes,
            @Nullable BusLimit fds) {
        this.index = index;
        this.entry = entry;
        this.entryPerByte = entryPerByte;
        this.count = count;
        this.bytes = bytes;
        this.fds = fds;
    }

    /** Returns whether it counts against the user's objects. */
    boolean isObject() {
        return this == CONNECTION || this == NAME || this == REPLY;
    }
}
