package io.holdfast.varlink.server;

import io.holdfast.varlink.MessageLimits;
import io.holdfast.varlink.json.JsonLimits;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * The limits on what the clients of a server may use. Calls that a client pipelines use no resource
 * of the server: they wait in the client's socket buffer, because the server reads the next call
 * only when the one before is fully answered.
 *
 * @param calls the limits of one call
 * @param replies the limits of one reply
 * @param maxConnections the number of connections of all clients together
 * @param maxConnectionsPerUid the number of connections of one user
 * @param maxQueuedReplies the number of replies to one call that may wait for the client to read
 * @param maxQueuedBytes the length of these replies together (a single reply may be longer)
 * @param maxHeldBytes the bytes that calls occupy until they are answered and replies until they
 *     are read, of all clients together: half of it is reserved for root and the server's own user,
 *     and of the other half each user gets at most half of what the others leave
 * @param writeTimeout the time that one reply may wait for the client to read; then the connection
 *     is closed
 * @param closeTimeout the time that {@link VarlinkServer#close} waits for calls under way, and then
 *     once more for their threads
 */
public record ServerLimits(
        MessageLimits calls,
        MessageLimits replies,
        int maxConnections,
        int maxConnectionsPerUid,
        int maxQueuedReplies,
        long maxQueuedBytes,
        long maxHeldBytes,
        Duration writeTimeout,
        Duration closeTimeout) {
    /**
     * 16 MiB per message, 4096 connections, 128 per user, 1024 queued replies of 4 MiB together,
     * 512 MiB held, 30 s to read a reply, 1 s to close.
     */
    public static final ServerLimits DEFAULT =
            new ServerLimits(
                    MessageLimits.DEFAULT,
                    MessageLimits.DEFAULT,
                    4096,
                    128,
                    1024,
                    4L << 20,
                    512L << 20,
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(1));

    /**
     * For a server that every user may call, in a process with little memory: calls of 64 KiB and
     * 1024 values, replies of 4 MiB, 1024 connections, 128 per user, 24 MiB held.
     */
    public static final ServerLimits SMALL =
            DEFAULT.withCalls(new MessageLimits(new JsonLimits(64 << 10, 32, 1024), 16))
                    .withReplies(new MessageLimits(new JsonLimits(4 << 20, 128, 1_000_000), 16))
                    .withConnections(1024, 128)
                    .withHeldBytes(24L << 20);

    /**
     * Checks the limits.
     *
     * @throws IllegalArgumentException if a limit is not positive
     */
    public ServerLimits {
        if (maxConnections < 1
                || maxConnectionsPerUid < 1
                || maxQueuedReplies < 1
                || maxQueuedBytes < 1
                || maxHeldBytes < 2
                || !writeTimeout.isPositive()
                || !closeTimeout.isPositive()) {
            throw new IllegalArgumentException("a limit is not positive");
        }
    }

    /**
     * {@return the same limits with other limits of each call and reply}
     *
     * @param limits the limits of one call and of one reply; the default is {@link
     *     MessageLimits#DEFAULT}
     */
    public ServerLimits withMessages(MessageLimits limits) {
        return withCalls(limits).withReplies(limits);
    }

    /**
     * {@return the same limits with other limits of each call}
     *
     * @param limits the limits of one call; the default is {@link MessageLimits#DEFAULT}
     */
    public ServerLimits withCalls(MessageLimits limits) {
        return with(draft -> draft.calls = limits);
    }

    /**
     * {@return the same limits with other limits of each reply}
     *
     * @param limits the limits of one reply; the default is {@link MessageLimits#DEFAULT}
     */
    public ServerLimits withReplies(MessageLimits limits) {
        return with(draft -> draft.replies = limits);
    }

    /**
     * {@return the same limits with another limit on all bytes that are held}
     *
     * @param bytes the bytes of calls under way and unread replies, of all clients together, at
     *     least 2; 512 MiB by default
     * @throws IllegalArgumentException if the limit is less than 2
     */
    public ServerLimits withHeldBytes(long bytes) {
        return with(draft -> draft.maxHeldBytes = bytes);
    }

    /**
     * {@return the same limits with other limits on connections}
     *
     * @param all the number of connections together, at least 1; 4096 by default
     * @param perUid the number of connections of one user, at least 1; 128 by default
     * @throws IllegalArgumentException if a limit is not positive
     */
    public ServerLimits withConnections(int all, int perUid) {
        return with(draft -> {
            draft.maxConnections = all;
            draft.maxConnectionsPerUid = perUid;
        });
    }

    /**
     * {@return the same limits with other limits on queued replies}
     *
     * @param count the number of replies to one call that may wait, at least 1; 1024 by default
     * @param bytes the length of these replies together, at least 1; 4 MiB by default
     * @throws IllegalArgumentException if a limit is not positive
     */
    public ServerLimits withQueuedReplies(int count, long bytes) {
        return with(draft -> {
            draft.maxQueuedReplies = count;
            draft.maxQueuedBytes = bytes;
        });
    }

    /**
     * {@return the same limits with other time-outs}
     *
     * @param write the time for the client to read one reply; 30 s by default
     * @param close the time for calls under way, and then once more for their threads; 1 s by
     *     default
     * @throws IllegalArgumentException if a time-out is not positive
     */
    public ServerLimits withTimeouts(Duration write, Duration close) {
        return with(draft -> {
            draft.writeTimeout = write;
            draft.closeTimeout = close;
        });
    }

    private ServerLimits with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.done();
    }

    /** The same values, mutable, so that one can be changed. */
    private static final class Draft {
        private MessageLimits calls;
        private MessageLimits replies;
        private int maxConnections;
        private int maxConnectionsPerUid;
        private int maxQueuedReplies;
        private long maxQueuedBytes;
        private long maxHeldBytes;
        private Duration writeTimeout;
        private Duration closeTimeout;

        Draft(ServerLimits from) {
            calls = from.calls;
            replies = from.replies;
            maxConnections = from.maxConnections;
            maxConnectionsPerUid = from.maxConnectionsPerUid;
            maxQueuedReplies = from.maxQueuedReplies;
            maxQueuedBytes = from.maxQueuedBytes;
            maxHeldBytes = from.maxHeldBytes;
            writeTimeout = from.writeTimeout;
            closeTimeout = from.closeTimeout;
        }

        ServerLimits done() {
            return new ServerLimits(
                    calls,
                    replies,
                    maxConnections,
                    maxConnectionsPerUid,
                    maxQueuedReplies,
                    maxQueuedBytes,
                    maxHeldBytes,
                    writeTimeout,
                    closeTimeout);
        }
    }
}
