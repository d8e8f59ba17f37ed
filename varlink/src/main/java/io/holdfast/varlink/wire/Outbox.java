package io.holdfast.varlink.wire;

import com.google.errorprone.annotations.CheckReturnValue;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.limit.Charge;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * The replies to one call on their way from whatever thread makes them to the connection's thread,
 * which writes them. Putting never waits.
 */
public final class Outbox {
    private enum State {
        OPEN,
        /** The last reply has been put. */
        ENDED,
        /** Nobody will read the replies. */
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
     * @param maxBytes what the replies that wait may have together; one waits however long it is
     * @param held where they are counted until they are {@link #written}
     */
    public Outbox(int maxFrames, long maxBytes, Charge<?> held) {
        this.maxFrames = maxFrames;
        this.maxBytes = maxBytes;
        this.held = held;
    }

    public enum Put {
        DONE,
        /** As many wait as may. */
        FULL,
        /** The call has ended before. */
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
     * Ends the call, with a last reply or, if nobody expects one, without; whatever waits already,
     * there is room for it.
     *
     * @return false if it is more than may be held for all clients: the call is to be given up
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

    /** A reply that was taken from here is on its way, or never will be. */
    public void written(Frame frame) {
        held.shrink(frame.bytes().length);
    }

    /** Drops what waits and what is put from now on. */
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

    /** The next reply if one waits. */
    public synchronized @Nullable Frame poll() {
        Frame frame = frames.poll();
        if (frame != null) {
            bytes -= frame.bytes().length;
        }
        return frame;
    }

    /** Waits for the next reply; null when none will come. */
    public synchronized @Nullable Frame take() throws InterruptedException {
        while (frames.isEmpty() && state == State.OPEN) {
            wait();
        }
        return poll();
    }
}
