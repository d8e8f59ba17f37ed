package io.holdfast.varlink.server;

import com.google.errorprone.annotations.CheckReturnValue;
import io.holdfast.varlink.MessageLimits;
import io.holdfast.varlink.json.JsonLimits;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * The limits on what the clients of a server may use. Immutable. Each must be positive; the methods
 * throw IllegalArgumentException if one is not. Calls that a client pipelines use no resource of
 * the server: they wait in the client's socket buffer, because the server reads the next call only
 * when the one before is fully answered.
 */
@CheckReturnValue
public final class ServerLimits implements Cloneable {
    private static final ServerLimits STANDARD = new ServerLimits();

    private static final ServerLimits SMALL =
            STANDARD.withCalls(new MessageLimits(new JsonLimits(64 << 10, 32, 1024), 16))
                    .withReplies(new MessageLimits(new JsonLimits(4 << 20, 128, 1_000_000), 16))
                    .withConnections(1024, 128)
                    .withCallsBegun(4)
                    .withHeldBytes(24L << 20);

    // Changed only by with(), before anybody else sees the object.
    MessageLimits calls = MessageLimits.DEFAULT;
    MessageLimits replies = MessageLimits.DEFAULT;
    int maxConnections = 4096;
    int maxConnectionsPerUid = 128;
    int maxCallsBegun = 16;
    int maxQueuedReplies = 1024;
    long maxQueuedBytes = 4L << 20;
    long maxHeldBytes = 512L << 20;
    Duration writeTimeout = Duration.ofSeconds(30);
    Duration closeTimeout = Duration.ofSeconds(1);

    private ServerLimits() {}

    /**
     * {@return the defaults: 16 MiB per message, 4096 connections, 128 per user, 16 calls of a user
     * begun at the same time, 1024 queued replies of 4 MiB together, 512 MiB held, 30 s to read a
     * reply, 1 s to close}
     */
    public static ServerLimits standard() {
        return STANDARD;
    }

    /**
     * {@return limits for a server that every user may call, in a process with little memory: calls
     * of 64 KiB and 1024 values, replies of 4 MiB, 1024 connections, 128 per user, 4 calls of a
     * user begun at the same time, 24 MiB held}
     */
    public static ServerLimits small() {
        return SMALL;
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
     * @param limits the limits of one call
     */
    public ServerLimits withCalls(MessageLimits limits) {
        return with(copy -> copy.calls = limits);
    }

    /**
     * {@return the same limits with other limits of each reply}
     *
     * @param limits the limits of one reply
     */
    public ServerLimits withReplies(MessageLimits limits) {
        return with(copy -> copy.replies = limits);
    }

    /**
     * {@return the same limits with another limit on all bytes that are held}
     *
     * @param bytes the bytes that calls occupy until they are answered and replies until they are
     *     read, of all clients together, at least 2: half of it is reserved for root and the
     *     server's own user, and of the other half each user gets at most half of what the others
     *     leave
     */
    public ServerLimits withHeldBytes(long bytes) {
        positive(bytes - 1);
        return with(copy -> copy.maxHeldBytes = bytes);
    }

    /**
     * {@return the same limits with other limits on connections}
     *
     * @param all the number of connections of all clients together
     * @param perUid the number of connections of one user
     */
    public ServerLimits withConnections(int all, int perUid) {
        positive(Math.min(all, perUid));
        return with(copy -> {
            copy.maxConnections = all;
            copy.maxConnectionsPerUid = perUid;
        });
    }

    /**
     * {@return the same limits with another number of calls of one user that are decoded and begun
     * at the same time}
     *
     * @param count the number of calls. A call has begun when its handler has returned, which may
     *     be long before the reply; a handler that is no {@link AsyncCallHandler} and runs on the
     *     connection's thread, where it may block, does not count. More calls wait for their turn,
     *     so that a user with many busy connections delays calls of others by these few only.
     */
    public ServerLimits withCallsBegun(int count) {
        positive(count);
        return with(copy -> copy.maxCallsBegun = count);
    }

    /**
     * {@return the same limits with other limits on queued replies}
     *
     * @param count the number of replies to one call that may wait for the client to read
     * @param bytes the length of these replies together; a single reply may be longer
     */
    public ServerLimits withQueuedReplies(int count, long bytes) {
        positive(Math.min(count, bytes));
        return with(copy -> {
            copy.maxQueuedReplies = count;
            copy.maxQueuedBytes = bytes;
        });
    }

    /**
     * {@return the same limits with other time-outs}
     *
     * @param write the time that one reply may wait for the client to read; then the connection is
     *     closed
     * @param close the time that {@link VarlinkServer#close} waits for calls under way, and then
     *     once more for their threads
     */
    public ServerLimits withTimeouts(Duration write, Duration close) {
        positive(write.isPositive() && close.isPositive() ? 1 : 0);
        return with(copy -> {
            copy.writeTimeout = write;
            copy.closeTimeout = close;
        });
    }

    private static void positive(long limit) {
        if (limit < 1) {
            throw new IllegalArgumentException("a limit is not positive");
        }
    }

    private ServerLimits with(Consumer<ServerLimits> change) {
        try {
            ServerLimits copy = (ServerLimits) clone();
            change.accept(copy);
            return copy;
        } catch (CloneNotSupportedException e) {
            throw new AssertionError(e);
        }
    }
}
