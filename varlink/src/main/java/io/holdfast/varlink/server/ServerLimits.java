package io.holdfast.varlink.server;

import io.holdfast.varlink.MessageLimits;
import io.holdfast.varlink.json.JsonLimits;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * What a server's clients may use of it. Calls that a client sends ahead are no resource of the
 * server: they wait in the client's socket buffer, because the next call is read only when the one
 * before is fully answered.
 *
 * @param calls size of one call, and descriptors beside it
 * @param replies size of one reply, and descriptors beside it
 * @param maxConnections connections of all clients together
 * @param maxConnectionsPerUid connections of one user
 * @param maxQueuedReplies replies to one call that wait for the client to read
 * @param maxQueuedBytes their length together (one reply may be longer)
 * @param maxHeldBytes what calls occupy until they are answered and replies until they are read, of
 *     all clients together: half of it is for root and the server's own user, and of the other half
 *     each user takes at most half of what others leave
 * @param writeTimeout how long one reply may wait for the client to read, before the connection is
 *     closed
 * @param closeTimeout how long {@link VarlinkServer#close} waits for calls under way, and then once
 *     more for their threads
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
     * 16 MiB a message, 4096 connections, 128 a user, 1024 replies of 4 MiB together, 512 MiB held,
     * 30 s to read a reply, 1 s to close.
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
     * For a server that everybody may call, in a process of little memory: calls of 64 KiB and 1024
     * values, replies of 4 MiB, 1024 connections, 128 a user, 24 MiB held.
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
     * {@return the same limits with others of each call and reply}
     *
     * @param limits of one call and of one reply; the default is {@link MessageLimits#DEFAULT}
     */
    public ServerLimits withMessages(MessageLimits limits) {
        return withCalls(limits).withReplies(limits);
    }

    /**
     * {@return the same limits with others of each call}
     *
     * @param limits of one call; the default is {@link MessageLimits#DEFAULT}
     */
    public ServerLimits withCalls(MessageLimits limits) {
        return with(draft -> draft.calls = limits);
    }

    /**
     * {@return the same limits with others of each reply}
     *
     * @param limits of one reply; the default is {@link MessageLimits#DEFAULT}
     */
    public ServerLimits withReplies(MessageLimits limits) {
        return with(draft -> draft.replies = limits);
    }

    /**
     * {@return the same limits with another of all that is held}
     *
     * @param bytes of calls under way and replies unread of all clients together, at least 2; 512
     *     MiB by default
     * @throws IllegalArgumentException if it is less
     */
    public ServerLimits withHeldBytes(long bytes) {
        return with(draft -> draft.maxHeldBytes = bytes);
    }

    /**
     * {@return the same limits with others of connections}
     *
     * @param all connections together, at least 1; 4096 by default
     * @param perUid connections of one user, at least 1; 128 by default
     * @throws IllegalArgumentException if one is not positive
     */
    public ServerLimits withConnections(int all, int perUid) {
        return with(draft -> {
            draft.maxConnections = all;
            draft.maxConnectionsPerUid = perUid;
        });
    }

    /**
     * {@return the same limits with others of queued replies}
     *
     * @param count of replies to one call that wait, at least 1; 1024 by default
     * @param bytes their length together, at least 1; 4 MiB by default
     * @throws IllegalArgumentException if one is not positive
     */
    public ServerLimits withQueuedReplies(int count, long bytes) {
        return with(draft -> {
            draft.maxQueuedReplies = count;
            draft.maxQueuedBytes = bytes;
        });
    }

    /**
     * {@return the same limits with other times}
     *
     * @param write for the client to read one reply; 30 s by default
     * @param close for calls under way, and then once more for their threads; 1 s by default
     * @throws IllegalArgumentException if one is not positive
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

    /** The same values, to change one. */
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
