package io.holdfast.dbus.stream;

import io.holdfast.core.Fd;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.wire.MessageView;
import io.holdfast.dbus.wire.ProtocolException;
import io.holdfast.dbus.wire.WireLimits;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.OptionalInt;

/**
 * What comes over a socket, as messages with their descriptors. Descriptors are handed out in the
 * order in which they came, to the messages that declare them. For one thread.
 */
public final class Inbox implements AutoCloseable {
    private static final int ROOM = 1 << 16;
    private static final int HEADER = 16;

    /** More than a message may have, but not without end. */
    private static final int MAX_UNCLAIMED = 2 * WireLimits.MAX_DESCRIPTORS;

    /** Reads answers of the authentication: how many bytes were its. */
    public interface LineReader {
        int read(MemorySegment bytes, long offset, int length);
    }

    private final UnixSocket socket;
    private final int maxMessage;
    private final Ancillary beside = Ancillary.ofDescriptors(WireLimits.MAX_DESCRIPTORS);
    private final Deque<Fd> descriptors = new ArrayDeque<>();
    private final MessageView view = new MessageView();
    private ByteBuffer buffer = ByteBuffer.allocateDirect(ROOM);
    private MemorySegment memory = MemorySegment.ofBuffer(buffer);
    private int start;
    private int end;

    /** Bytes of the stream, up to {@link #end}. */
    private long received;

    /** What was received when descriptors did not fit into this process, as parts of the stream. */
    private final Deque<Part> cut = new ArrayDeque<>();

    private boolean viewIsCut;

    /** How long the message in the view is, if that has its header alone; else 0. */
    private int tooLong;

    /** Bytes of its body that are still to be passed over. */
    private int passing;

    private record Part(long from, long to) {}

    public Inbox(UnixSocket socket, int maxMessage) {
        this.socket = socket;
        this.maxMessage = maxMessage;
    }

    /** Receives, and gives it to the reader: false at the end of the stream. */
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
     * @return false at the end of the stream; else it is in {@link #view}
     * @throws ProtocolException if the peer sends none, or one with a header beyond the limit
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

    /** Takes the header of a message that is too long, if it is there. */
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

    /** How long that message is, if it is longer than the limit and only its header is there. */
    public OptionalInt tooLong() {
        return tooLong == 0 ? OptionalInt.empty() : OptionalInt.of(tooLong);
    }

    /** The message that came last; valid until the next. */
    public MessageView view() {
        return view;
    }

    /** Descriptors come with the first byte of a message. */
    private boolean isCut(long begin) {
        while (!cut.isEmpty() && cut.getFirst().to() <= begin) {
            var _ = cut.remove();
        }
        return !cut.isEmpty() && cut.getFirst().from() <= begin;
    }

    /** Whether that message came when this process could open no more: it is without its own. */
    public boolean descriptorsAreLost() {
        return viewIsCut;
    }

    /**
     * The descriptors of that message, the caller's from now on; none if they are lost.
     *
     * @throws ProtocolException if they did not come with it
     */
    public List<Fd> takeDescriptors() {
        int count = view.unixFds();
        if (count == 0 || viewIsCut) {
            return List.of();
        }
        if (count > descriptors.size()) {
            throw new ProtocolException(
                    "header field UNIX_FDS", 0, count + " where " + descriptors.size() + " came");
        }
        List<Fd> taken = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            taken.add(descriptors.remove());
        }
        return taken;
    }

    /** Room for a message of that length at {@link #start}. */
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
        int n = socket.receive(buffer.limit(buffer.capacity()).position(end), beside);
        buffer.clear();
        List<Fd> came = beside.takeDescriptors();
        if (beside.isCut()) { // whose those are that did come nobody knows
            came.forEach(Fd::close);
            cut.add(new Part(received, received + n));
        } else {
            descriptors.addAll(came);
        }
        if (descriptors.size() > MAX_UNCLAIMED) {
            throw new ProtocolException(
                    "descriptors", 0, descriptors.size() + " came that no message declares");
        }
        if (n == UnixSocket.END) {
            return false;
        }
        end += n;
        received += n;
        return true;
    }

    @Override
    public void close() {
        beside.close();
        descriptors.forEach(Fd::close);
        descriptors.clear();
    }
}
