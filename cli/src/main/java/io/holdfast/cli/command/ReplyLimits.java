package io.holdfast.cli.command;

import io.holdfast.core.limit.Limit;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.varlink.MessageLimits;
import io.holdfast.varlink.client.ClientOptions;
import io.holdfast.varlink.json.JsonLimits;
import java.time.Duration;

/**
 * The limits of what a command reads from a daemon, which may be hostile or broken: enough for the
 * units of a large machine, and less than the heap of a command.
 */
public final class ReplyLimits {
    private static final int BYTES = 8 << 20;
    private static final int DEPTH = 16;
    private static final int VALUES = 500_000;

    /** How long a command waits for a daemon: longer than a manager waits for its files. */
    static final Limit TIMEOUT =
            Limit.time(
                    "io.holdfast.cli.replyTimeout",
                    Duration.ofSeconds(45),
                    "time that a command waits for the reply of a daemon; a change of units may"
                            + " take longer");

    private ReplyLimits() {}

    public static ClientOptions varlink() {
        return ClientOptions.standard()
                .withCallTimeout(TIMEOUT.duration())
                .withLimits(
                        new MessageLimits(
                                new JsonLimits(BYTES, DEPTH, VALUES),
                                MessageLimits.DEFAULT.maxDescriptors()));
    }

    /** Returns the options of a D-Bus client. */
    public static ConnectionOptions bus() {
        return ConnectionOptions.standard().withMessageBytes(BYTES).withIncomingBytes(BYTES);
    }
}
