package io.holdfast.varlink;

import java.time.Duration;

/**
 * What a server's clients may use of it. Calls that a client sends ahead are no resource of the
 * server: they wait in the client's socket buffer, because the next call is read only when the one
 * before is fully answered.
 *
 * @param messages size of one message, and descriptors beside it
 * @param maxConnections connections of all clients together
 * @param maxConnectionsPerUid connections of one user
 * @param maxQueuedReplies replies to one call that wait for the client to read
 * @param maxQueuedBytes their length together (one reply may be longer)
 * @param writeTimeout how long one reply may wait for the client to read, before the connection is
 *     closed
 * @param closeTimeout how long {@link VarlinkServer#close} waits for calls under way, and then once
 *     more for their threads
 */
public record ServerLimits(
        MessageLimits messages,
        int maxConnections,
        int maxConnectionsPerUid,
        int maxQueuedReplies,
        long maxQueuedBytes,
        Duration writeTimeout,
        Duration closeTimeout) {
    /**
     * 16 MiB a message, 4096 connections, 128 a user, 1024 replies of 4 MiB together, 30 s to read
     * one, 1 s to close.
     */
    public static final ServerLimits DEFAULT =
            new ServerLimits(
                    MessageLimits.DEFAULT,
                    4096,
                    128,
                    1024,
                    4L << 20,
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(1));

    /**
     * @throws IllegalArgumentException if a limit is not positive
     */
    public ServerLimits {
        if (maxConnections < 1
                || maxConnectionsPerUid < 1
                || maxQueuedReplies < 1
                || maxQueuedBytes < 1
                || !writeTimeout.isPositive()
                || !closeTimeout.isPositive()) {
            throw new IllegalArgumentException("a limit is not positive");
        }
    }

    /**
     * @param limits of one message; the default is {@link MessageLimits#DEFAULT}
     */
    public ServerLimits withMessages(MessageLimits limits) {
        return new ServerLimits(
                limits,
                maxConnections,
                maxConnectionsPerUid,
                maxQueuedReplies,
                maxQueuedBytes,
                writeTimeout,
                closeTimeout);
    }

    /**
     * @param all connections together, at least 1; 4096 by default
     * @param perUid connections of one user, at least 1; 128 by default
     * @throws IllegalArgumentException if one is not positive
     */
    public ServerLimits withConnections(int all, int perUid) {
        return new ServerLimits(
                messages,
                all,
                perUid,
                maxQueuedReplies,
                maxQueuedBytes,
                writeTimeout,
                closeTimeout);
    }

    /**
     * @param replies to one call that wait, at least 1; 1024 by default
     * @param bytes their length together, at least 1; 4 MiB by default
     * @throws IllegalArgumentException if one is not positive
     */
    public ServerLimits withQueuedReplies(int replies, long bytes) {
        return new ServerLimits(
                messages,
                maxConnections,
                maxConnectionsPerUid,
                replies,
                bytes,
                writeTimeout,
                closeTimeout);
    }

    /**
     * @param write for the client to read one reply; 30 s by default
     * @param close for calls under way, and then once more for their threads; 1 s by default
     * @throws IllegalArgumentException if one is not positive
     */
    public ServerLimits withTimeouts(Duration write, Duration close) {
        return new ServerLimits(
                messages,
                maxConnections,
                maxConnectionsPerUid,
                maxQueuedReplies,
                maxQueuedBytes,
                write,
                close);
    }
}
