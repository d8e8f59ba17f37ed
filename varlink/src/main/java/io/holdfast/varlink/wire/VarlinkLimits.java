package io.holdfast.varlink.wire;

import io.holdfast.core.limit.Limit;
import java.time.Duration;
import java.util.List;

/**
 * The limits of this module that are system properties; {@link
 * io.holdfast.varlink.server.ServerLimits} and {@link io.holdfast.varlink.client.ClientOptions}
 * have those that a program sets.
 */
public final class VarlinkLimits {
    /** The time in which only one line is logged about a kind of fault of one user's clients. */
    public static final Limit LINE_INTERVAL =
            Limit.time(
                    "io.holdfast.varlink.lineInterval",
                    Duration.ofSeconds(10),
                    "time in which one line of a kind is logged about the clients of a user");

    /** The number of users and kinds of fault for which that is remembered. */
    public static final Limit LINE_SOURCES =
            Limit.count(
                    "io.holdfast.varlink.lineSources",
                    64,
                    "pairs of user and kind of line that are throttled separately");

    /** The time that descriptors may wait for the rest of their message. */
    public static final Limit PENDING_DESCRIPTORS =
            Limit.time(
                    "io.holdfast.varlink.pendingDescriptors",
                    Duration.ofSeconds(30),
                    "time limit for the rest of a message whose descriptors have arrived");

    /** The number of calls of one client that may wait for a reply at a time. */
    public static final Limit PENDING_CALLS =
            Limit.count(
                    "io.holdfast.varlink.pendingCalls",
                    256,
                    "calls of one client that wait for a reply at a time, with those whose caller"
                            + " does not wait any more");

    private VarlinkLimits() {}

    /** {@return all limits} */
    public static List<Limit> all() {
        return List.of(LINE_INTERVAL, LINE_SOURCES, PENDING_DESCRIPTORS, PENDING_CALLS);
    }
}
