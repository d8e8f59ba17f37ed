package io.holdfast.varlink.client;

import io.holdfast.varlink.VarlinkException;
import java.time.Duration;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * The replies to a {@code more} call as they come. Until it has ended, the client's connection
 * carries nothing else; closing it earlier closes that connection, which is how a client tells a
 * service that it has seen enough.
 *
 * <p>For one thread at a time, but {@link #close} may be called by any.
 */
public final class ReplyStream implements Iterator<Reply>, AutoCloseable {
    private final VarlinkClient client;
    private final Duration timeout;
    private @Nullable Reply next;
    private boolean ended;

    ReplyStream(VarlinkClient client, Duration timeout) {
        this.client = client;
        this.timeout = timeout;
    }

    /**
     * Waits for the next reply.
     *
     * @return false if the last one was given out
     * @throws VarlinkException if the service answered with an error, which ends the stream
     * @throws ConnectionLostException if the connection ended before the last reply, or none came
     *     within the client's stream time-out
     */
    @Override
    public boolean hasNext() {
        if (next == null && !ended) {
            next = advance();
        }
        return next != null;
    }

    private Reply advance() {
        try {
            VarlinkClient.Received received = client.receive(timeout);
            ended = !received.continues();
            if (ended) {
                client.streamEnded();
            }
            return received.reply();
        } catch (VarlinkException e) {
            ended = true;
            client.streamEnded();
            throw e;
        } catch (ConnectionLostException e) {
            ended = true;
            throw e;
        }
    }

    /**
     * Waits for the next reply, whose descriptors the caller owns.
     *
     * @throws NoSuchElementException if the last one was given out
     * @throws VarlinkException as {@link #hasNext}
     * @throws ConnectionLostException as {@link #hasNext}
     */
    @Override
    public Reply next() {
        if (!hasNext() || next == null) {
            throw new NoSuchElementException("the stream of replies has ended");
        }
        Reply reply = next;
        next = null;
        return reply;
    }

    /** Closes the connection unless the last reply has come. Idempotent. */
    @Override
    public void close() {
        if (!ended) {
            client.close();
        }
        if (next != null) {
            next.close();
            next = null;
        }
    }
}
