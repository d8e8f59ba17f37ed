package io.holdfast.varlink.wire;

import com.google.errorprone.annotations.CheckReturnValue;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.limit.Charge;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Queues the replies to one call: any thread puts them, and the connection's thread writes them.
 * Putting never waits.
 */
public final class ReplyQueue {
    private enum State {
        OPEN,
        /** The last reply has been put. */
        ENDED,
        /** The client will not read the replies. */
        ABANDONED
    }

    private final int maxFrames;
    private final long maxBytes;
    private final Charge<?> held;

    @GuardedBy("this")
    private final Deque<Frame> frames = new ArrayDeque<>();

    @GuardedBy("this")
    private long bytes;

    @GuardedBy("this")
    private State state = State.OPEN;

    /**
     * @param maxBytes the length of all replies that may wait; a single reply may be longer
     * @param held charged for the replies until they are {@link #written}
     */
    public ReplyQueue(int maxFrames, long maxBytes, Charge<?> held) {
        this.maxFrames = maxFrames;
        this.maxBytes = maxBytes;
        this.held = held;
    }

    public enum Put {
        DONE,
        /** The queue is full. */
        FULL,
        /** The call has ended already. */
        ENDED
    }

    /** Adds a reply that others follow; closes it if it cannot be added. */
    public synchronized Put put(Frame frame) {
        if (state != State.OPEN) {
            frame.close();
            return Put.ENDED;
        }
        if (frames.size() >= maxFrames
                || (!frames.isEmpty() && bytes + frame.bytes().length > maxBytes)
                || !held.grow(frame.bytes().length)) {
            frame.close();
            return Put.FULL;
        }
        frames.add(frame);
        bytes += frame.bytes().length;
        notifyAll();
        return Put.DONE;
    }

    /**
     * Ends the call with a last reply, or without one if the client expects none. A full queue does
     * not refuse the last reply.
     *
     * @return false if the reply exceeds what may be held for all clients: the call must be
     *     abandoned
     */
    @CheckReturnValue
    public synchronized boolean end(@Nullable Frame last) {
        if (state != State.OPEN) {
            if (last != null) {
                last.close();
            }
            return true;
        }
        if (last != null && !held.grow(last.bytes().length)) {
            last.close();
            return false;
        }
        state = State.ENDED;
        if (last != null) {
            frames.add(last);
        }
        notifyAll();
        return true;
    }

    /**
     * Ends the charge of a reply that was taken from the queue, when it is sent or never will be.
     */
    public void written(Frame frame) {
        held.shrink(frame.bytes().length);
    }

    /** Drops the replies that wait, and those that are put from now on. */
    public synchronized void abandon() {
        state = State.ABANDONED;
        for (Frame frame : frames) {
            frame.close();
            written(frame);
        }
        frames.clear();
        notifyAll();
    }

    public synchronized boolean isOpen() {
        return state == State.OPEN;
    }

    /** Returns the next reply if one waits, else null. */
    public synchronized @Nullable Frame poll() {
        Frame frame = frames.poll();
        if (frame != null) {
            bytes -= frame.bytes().length;
        }
        return frame;
    }

    /** Waits for the next reply; returns null when no further one will come. */
    public synchronized @Nullable Frame take() throws InterruptedException {
        while (frames.isEmpty() && state == State.OPEN) {
            wait();
        }
        return poll();
    }
}
