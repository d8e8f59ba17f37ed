package io.holdfast.dbus.stream;

import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.marshal.ProtocolException;
import io.holdfast.dbus.marshal.WireLimits;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;

/**
 * Splits what a socket receives into messages with their descriptors. Descriptors go to the
 * messages that declare them, in the order in which they arrived. For use by one thread.
 */
public final class Inbox implements AutoCloseable {
    private static final int ROOM = 1 << 16;
    private static final int HEADER = 16;

    /** Larger than a message may need, but bounded. */
    private static final int MAX_UNCLAIMED = 2 * WireLimits.MAX_DESCRIPTORS;

    /** Reads lines of the authentication, and returns how many bytes it used. */
    public interface LineReader {
        int read(MemorySegment bytes, long offset, int length);
    }

    private final UnixSocket socket;
    private final int maxMessage;
    private final BooleanSupplier meanwhile;
    private final Ancillary ancillary = Ancillary.ofDescriptors(WireLimits.MAX_DESCRIPTORS);
    private final Deque<Fd> descriptors = new ArrayDeque<>();
    private final MessageView view = new MessageView();
    private ByteBuffer buffer = ByteBuffer.allocateDirect(ROOM);
    private MemorySegment memory = MemorySegment.ofBuffer(buffer);
    private int start;
    private int end;

    /** The number of bytes received so far, up to {@link #end}. */
    private long received;

    /** The parts of the stream during which descriptors did not fit into this process. */
    private final Deque<Part> cut = new ArrayDeque<>();

    private boolean viewIsCut;

    /** The length of the message in the view if only its header was read; else 0. */
    private int tooLong;

    /** The number of bytes of its body that must still be skipped. */
    private int passing;

    private record Part(long from, long to) {}

    /**
     * @param meanwhile called whenever nothing is left to be received; returns whether it did
     *     anything, so that the socket is to be looked at again instead of waiting for it
     */
    public Inbox(UnixSocket socket, int maxMessage, BooleanSupplier meanwhile) {
        this.socket = socket;
        this.maxMessage = maxMessage;
        this.meanwhile = meanwhile;
    }

    /** Receives bytes for the reader; returns false at the end of the stream. */
    public boolean receive(LineReader lines) throws InterruptedException {
        if (start == end && !fill()) {
            return false;
        }
        start += lines.read(memory, start, end - start);
        return true;
    }

    /**
     * Waits for the next message.
     *
     * @return false at the end of the stream; else the message is in {@link #view}
     * @throws ProtocolException if the peer sends an invalid message, or one with a header beyond
     *     the limit
     */
    public boolean next() throws InterruptedException {
        tooLong = 0;
        while (passing > 0) {
            if (start == end && !fill()) {
                return false;
            }
            int passed = Math.min(passing, end - start);
            start += passed;
            passing -= passed;
        }
        for (; ; ) {
            int length = HEADER;
            if (end - start >= HEADER) {
                length = MessageView.lengthOf(memory, start);
                if (length > maxMessage) {
                    if (nextHeader(length)) {
                        return true;
                    }
                    length = MessageView.headerLengthOf(memory, start);
                } else if (end - start >= length) {
                    view.read(memory, start, length);
                    viewIsCut = view.unixFds() > 0 && isCut(received - (end - start));
                    start += length;
                    return true;
                }
            }
            makeRoom(length);
            if (!fill()) {
                return false;
            }
        }
    }

    /** Reads the header of a message that is too long, once it has arrived. */
    private boolean nextHeader(int length) {
        int header = MessageView.headerLengthOf(memory, start);
        if (header > maxMessage) {
            throw new ProtocolException(
                    "message", 0, "a header of " + header + " bytes; the limit is " + maxMessage);
        }
        if (end - start < header) {
            return false;
        }
        view.readHeader(memory, start, header);
        viewIsCut = view.unixFds() > 0 && isCut(received - (end - start));
        tooLong = length;
        passing = length - header;
        start += header;
        return true;
    }

    /**
     * Returns the length of the current message if it exceeds the limit and only its header was
     * read.
     */
    public OptionalInt tooLong() {
        return tooLong == 0 ? OptionalInt.empty() : OptionalInt.of(tooLong);
    }

    /** Returns the current message; valid until the next one is read. */
    public MessageView view() {
        return view;
    }

    /**
     * Returns whether the message that begins here lost its descriptors: they arrive with its first
     * byte.
     */
    private boolean isCut(long begin) {
        while (!cut.isEmpty() && cut.getFirst().to() <= begin) {
            var _ = cut.remove();
        }
        return !cut.isEmpty() && cut.getFirst().from() <= begin;
    }

    /**
     * Returns whether the current message lost its descriptors because this process could open no
     * more.
     */
    public boolean descriptorsAreLost() {
        return viewIsCut;
    }

    /**
     * Returns the descriptors of the current message, which the caller owns from now on; none if
     * they were lost.
     *
     * @throws ProtocolException if the descriptors did not arrive with the message
     */
    public List<Fd> takeDescriptors() {
        int count = view.unixFds();
        if (count == 0 || viewIsCut) {
            return List.of();
        }
        if (count > descriptors.size()) {
            throw new ProtocolException(
                    "header field UNIX_FDS",
                    0,
                    count + " declared, " + descriptors.size() + " received");
        }
        List<Fd> taken = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            taken.add(descriptors.remove());
        }
        return taken;
    }

    /** Makes room for a message of this length at {@link #start}. */
    private void makeRoom(int length) {
        if (start == end) {
            start = 0;
            end = 0;
        }
        boolean wasteful = buffer.capacity() > ROOM && length <= ROOM && end - start <= ROOM;
        if (buffer.capacity() - start >= length && end < buffer.capacity() && !wasteful) {
            return;
        }
        MemorySegment old = memory;
        if (length > buffer.capacity() || wasteful) {
            buffer = ByteBuffer.allocateDirect(Math.max(ROOM, length));
            memory = MemorySegment.ofBuffer(buffer);
        }
        MemorySegment.copy(old, start, memory, 0, end - start);
        end -= start;
        start = 0;
    }

    private boolean fill() throws InterruptedException {
        if (start == end) {
            start = 0;
            end = 0;
        }
        int n = receive();
        buffer.clear();
        List<Fd> arrived = ancillary.takeDescriptors();
        if (ancillary.areDescriptorsCut()) {
            // the kernel dropped some; which message owns the others is unknown
            arrived.forEach(Fd::close);
            cut.add(new Part(received, received + n));
        } else {
            descriptors.addAll(arrived);
        }
        if (descriptors.size() > MAX_UNCLAIMED) {
            throw new ProtocolException(
                    "descriptors", 0, descriptors.size() + " received that no message declares");
        }
        if (n == UnixSocket.END) {
            return false;
        }
        end += n;
        received += n;
        return true;
    }

    private int receive() throws InterruptedException {
        for (; ; ) {
            ByteBuffer room = buffer.limit(buffer.capacity()).position(end);
            int n = socket.tryReceive(room, ancillary);
            if (n != UnixSocket.WOULD_BLOCK) {
                return n;
            }
            if (!meanwhile.getAsBoolean()) {
                int _ = socket.await(Readiness.IN);
            }
        }
    }

    @Override
    public void close() {
        ancillary.close();
        descriptors.forEach(Fd::close);
        descriptors.clear();
    }
}
