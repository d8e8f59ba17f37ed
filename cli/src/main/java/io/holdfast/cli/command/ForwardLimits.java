package io.holdfast.cli.command;

import io.holdfast.core.limit.Limit;
import java.time.Duration;
import java.util.List;

/** The limits of forwarding, each a system property {@code io.holdfast.cli.forward.NAME}. */
public final class ForwardLimits {
    public static final Limit BATCH =
            Limit.count("io.holdfast.cli.forward.batch", 512, "messages that are sent at once");

    public static final Limit BATCH_BYTES =
            Limit.bytes(
                    "io.holdfast.cli.forward.batchBytes",
                    1 << 20,
                    "bytes of messages from which on a batch is sent");

    public static final Limit FIELD =
            Limit.bytes(
                    "io.holdfast.cli.forward.field",
                    256 << 10,
                    "bytes of one field that are forwarded; the rest of a longer one is cut off");

    public static final Limit ANSWER =
            Limit.time(
                    "io.holdfast.cli.forward.answer",
                    Duration.ofSeconds(30),
                    "time in which a collector has to confirm a batch");

    public static final Limit PAUSE =
            Limit.time(
                    "io.holdfast.cli.forward.pause",
                    Duration.ofMinutes(1),
                    "longest time between attempts to send a batch, unless the collector asks for"
                            + " more");

    public static final Limit RETRY_AFTER =
            Limit.time(
                    "io.holdfast.cli.forward.retryAfter",
                    Duration.ofMinutes(10),
                    "longest time between attempts that a collector may ask for (Retry-After)");

    private ForwardLimits() {}

    /** {@return all of them} */
    public static List<Limit> all() {
        return List.of(BATCH, BATCH_BYTES, FIELD, ANSWER, PAUSE, RETRY_AFTER);
    }
}
