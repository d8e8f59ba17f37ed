package io.holdfast.varlink.wire;

import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.limit.Charge;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Deadline;
import io.holdfast.varlink.MessageLimits;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonException;
import io.holdfast.varlink.json.text.JsonReader;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Sends and receives whole messages over a stream socket, which it owns. One thread receives and
 * one sends at a time; {@link UnixSocket#close} by any other thread wakes both.
 *
 * <p>The kernel ends a read behind the bytes with which descriptors were sent, so the descriptors
 * belong to the message of the last byte of the read.
 */
public final class MessageChannel implements AutoCloseable {
    /** A message; its receiver owns the descriptors. */
    public record Message(Json body, List<Fd> descriptors) {}

    /** The descriptors of a frame that has not been returned yet. */
    private record Beside(long frame, List<Fd> descriptors) {}

    private final UnixSocket socket;
    private final MessageLimits limits;
    private final FrameDecoder decoder;
    private final Ancillary ancillary;
    private final Charge<?> heldDescriptors;
    private final Deque<Beside> waiting = new ArrayDeque<>();
    private long framesGiven;

    /**
     * The time by which the message must be complete for which descriptors wait. A client may send
     * the other end of its own connection: then the connection never ends while that descriptor
     * waits here, although the client is gone.
     */
    private Deadline completion = Deadline.NEVER;

    /**
     * Makes a channel.
     *
     * @param held charged for the memory of received messages
     * @param heldDescriptors charged for received descriptors; the receiver of a message reduces
     *     the charge
     */
    @SuppressWarnings("MustBeClosed") // closed with the channel
    public MessageChannel(
            UnixSocket socket, MessageLimits limits, Charge<?> held, Charge<?> heldDescriptors) {
        this.socket = socket;
        this.limits = limits;
        this.heldDescriptors = heldDescriptors;
        this.decoder = new FrameDecoder(limits.json().maxBytes(), held);
        this.ancillary = Ancillary.ofDescriptors(limits.maxDescriptors());
    }

    public UnixSocket socket() {
        return socket;
    }

    /**
     * Waits for the next message.
     *
     * @param exactly whether to read no byte behind the message's NUL, at the cost of a peek before
     *     each read
     * @return null at the end of the stream
     * @throws MalformedMessageException if the message is no JSON within the limits, or the stream
     *     ends inside a message
     * @throws TimeoutException if the message has not arrived by the deadline
     */
    public @Nullable Message receive(boolean exactly, Deadline deadline)
            throws MalformedMessageException, InterruptedException, TimeoutException {
        if (!waiting.isEmpty()) {
            completion = Deadline.after(VarlinkLimits.PENDING_DESCRIPTORS.duration());
        }
        for (; ; ) {
            ByteBuffer frame = decoder.next();
            if (frame != null) {
                List<Fd> descriptors = takeDescriptors(framesGiven++);
                try {
                    return new Message(JsonReader.read(frame, limits.json()), descriptors);
                } catch (JsonException e) {
                    descriptors.forEach(Fd::close);
                    throw new MalformedMessageException(e.getMessage());
                }
            }
            ByteBuffer space = decoder.space();
            int count = read(space, exactly);
            if (count == UnixSocket.WOULD_BLOCK) {
                awaitMore(deadline);
            } else if (count != UnixSocket.END) {
                int framesEnded = decoder.received(count);
                keep(framesGiven + framesEnded);
            } else if (decoder.isBetweenFrames()) {
                return null;
            } else {
                throw new MalformedMessageException("the stream ends inside a message");
            }
        }
    }

    private void awaitMore(Deadline deadline)
            throws MalformedMessageException, InterruptedException, TimeoutException {
        if (waiting.isEmpty() || deadline.isBefore(completion)) {
            await(Readiness.IN, deadline);
            return;
        }
        try {
            await(Readiness.IN, completion);
        } catch (TimeoutException e) {
            throw new MalformedMessageException(
                    "descriptors arrived with a message that is not complete after "
                            + VarlinkLimits.PENDING_DESCRIPTORS.duration().toMillis()
                            + " ms ("
                            + VarlinkLimits.PENDING_DESCRIPTORS.property()
                            + ")");
        }
    }

    private int read(ByteBuffer space, boolean exactly) {
        if (exactly) {
            int count = socket.tryPeek(space.duplicate());
            if (count <= 0) {
                return count;
            }
            space.limit(endOfFrame(space, count));
        }
        return socket.tryReceive(space, ancillary);
    }

    /**
     * Returns the position behind the first NUL among this many bytes, or behind the bytes if there
     * is none.
     */
    private static int endOfFrame(ByteBuffer bytes, int count) {
        int end = bytes.position() + count;
        for (int i = bytes.position(); i < end; i++) {
            if (bytes.get(i) == 0) {
                return i + 1;
            }
        }
        return end;
    }

    private void keep(long frame) throws MalformedMessageException {
        List<Fd> descriptors = ancillary.takeDescriptors();
        if (descriptors.isEmpty() && !ancillary.areDescriptorsCut()) {
            return;
        }
        if (waiting.isEmpty()) {
            completion = Deadline.after(VarlinkLimits.PENDING_DESCRIPTORS.duration());
        }
        waiting.add(new Beside(frame, descriptors));
        if (!heldDescriptors.grow(descriptors.size())) {
            throw new MalformedMessageException(
                    "its descriptors have no room: " + heldDescriptors.refusal());
        }
        long count =
                waiting.stream()
                        .filter(other -> other.frame() == frame)
                        .mapToLong(other -> other.descriptors().size())
                        .sum();
        if (ancillary.areDescriptorsCut() || count > limits.maxDescriptors()) {
            throw new MalformedMessageException(
                    "more than the limit of "
                            + limits.maxDescriptors()
                            + " descriptors with a message, or than this process may open");
        }
    }

    private List<Fd> takeDescriptors(long frame) {
        if (waiting.isEmpty()) {
            return List.of();
        }
        List<Fd> taken = new ArrayList<>();
        while (!waiting.isEmpty() && waiting.getFirst().frame() == frame) {
            taken.addAll(waiting.removeFirst().descriptors());
        }
        return taken;
    }

    /**
     * Waits until the kernel has taken the whole message; closes the frame in any case. If the wait
     * ends when the kernel has taken a part of the message, the socket is closed: no other message
     * can follow.
     *
     * @throws TimeoutException if the kernel has not taken it by the deadline
     */
    public void send(Frame frame, Deadline deadline) throws InterruptedException, TimeoutException {
        try (frame) {
            ByteBuffer bytes = ByteBuffer.wrap(frame.bytes());
            List<Fd> descriptors = frame.descriptors();
            try {
                while (bytes.hasRemaining()) {
                    int count =
                            descriptors.isEmpty()
                                    ? socket.trySend(bytes)
                                    : socket.trySend(bytes, descriptors);
                    if (count == UnixSocket.WOULD_BLOCK) {
                        await(Readiness.OUT, deadline);
                    } else {
                        descriptors = List.of();
                    }
                }
            } catch (InterruptedException | TimeoutException e) {
                if (bytes.position() > 0) {
                    socket.close();
                }
                throw e;
            }
        }
    }

    /**
     * Closes the socket and the descriptors that were not taken. Must be called by the receiving
     * thread.
     */
    @Override
    public void close() {
        socket.close();
        waiting.forEach(each -> each.descriptors().forEach(Fd::close));
        waiting.clear();
        ancillary.close();
    }

    private void await(int events, Deadline deadline)
            throws InterruptedException, TimeoutException {
        Duration left = deadline.left();
        if (left.isZero() || Readiness.await(socket.fd(), events, left) == Readiness.NONE) {
            throw new TimeoutException();
        }
    }
}
