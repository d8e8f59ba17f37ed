package io.holdfast.varlink.client;

import io.holdfast.varlink.VarlinkException;
import java.time.Duration;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * The replies to a {@code more} call as they arrive. Until the stream has ended, the client's
 * connection carries nothing else. Closing the stream earlier closes the connection, which is how a
 * client ends such a call.
 *
 * <p>For use by one thread at a time, but any thread may call {@link #close}.
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
     * @return false if the last reply was returned
     * @throws VarlinkException if the service replied with an error, which ends the stream
     * @throws ServiceLostException if the connection ended before the last reply, or no reply
     *     arrived within the client's stream time-out
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
        } catch (ServiceLostException e) {
            ended = true;
            throw e;
        }
    }

    /**
     * Waits for the next reply, whose descriptors the caller owns.
     *
     * @throws NoSuchElementException if the last reply was returned
     * @throws VarlinkException as {@link #hasNext}
     * @throws ServiceLostException as {@link #hasNext}
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

    /** Closes the connection, unless the last reply has arrived. Idempotent. */
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
