package io.holdfast.receiver;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Readiness;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.Sender;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Unistd;
import io.holdfast.journal.Field;
import io.holdfast.receiver.input.StreamLines;
import io.holdfast.receiver.input.StreamLines.Break;
import io.holdfast.receiver.input.StreamLines.Header;
import io.holdfast.receiver.input.StreamLines.Line;
import io.holdfast.receiver.store.Store;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One connection of the stdout protocol. The kernel names the writer of each part of the stream by
 * a pidfd, so a line by a process that has inherited the stream names that process. The unit in the
 * header counts if root has connected the stream; its lines then belong to that unit.
 *
 * <p>What is received is in the stream's {@link StreamWindow} until the store has written it. If
 * that is full, the stream is not read, and its writer waits. Used on the loop.
 */
final class StreamSource implements Intake.Source, Intake.Settling, AutoCloseable {
    private static final int BATCH = 16; // receives of one turn
    private static final int LEVELS = 8;
    private static final Field STDOUT = Field.of("_TRANSPORT", "stdout");

    /** Lines up to a position are stored when an entry is. */
    private record Mark(long entry, long position) {}

    private final UnixSocket socket;
    private final StreamWindow window;
    private final Peer peer;
    private final Intake intake;
    private final Attribution attribution;
    private final Consumer<StreamSource> ended;
    private final Ancillary beside;
    private final EventLoop loop;
    private final Field id;
    private final ArrayDeque<Mark> marks = new ArrayDeque<>(0);
    private StreamLines lines = new StreamLines(ReceiverLimits.LINE.intValue());
    private EventLoop.@Nullable Watch watch; // none while the stream is not to be read
    private Attribution.@Nullable Known writer;
    private boolean listening;
    private boolean hasRoom = true;
    private boolean isAtEnd;
    private boolean isRecovered;
    private boolean closed;

    /**
     * @param socket owned by this object; closed also if this throws
     * @param window of the socket, owned by this object
     * @param beside shared by all streams
     * @param ended called when the stream has ended, and all its lines are stored
     */
    StreamSource(
            EventLoop loop,
            UnixSocket socket,
            StreamWindow window,
            Intake intake,
            Attribution attribution,
            Ancillary beside,
            Consumer<StreamSource> ended) {
        this.loop = loop;
        this.socket = socket;
        this.window = window;
        this.intake = intake;
        this.attribution = attribution;
        this.beside = beside;
        this.ended = ended;
        this.id = Field.of("_STREAM_ID", window.id().toString());
        peer = socket.peer();
    }

    /** {@return the user who has connected} */
    long uid() {
        return peer.uid();
    }

    StreamWindow window() {
        return window;
    }

    @Override
    public void listen(boolean whether) {
        listening = whether;
        watch();
    }

    /**
     * Watches the socket, or not: even without events, a hang-up would be reported all the time.
     */
    private void watch() {
        boolean isWanted = listening && hasRoom && !isAtEnd && !closed;
        EventLoop.Watch before = watch;
        if (isWanted && before == null) {
            watch = loop.watch(socket.fd(), Readiness.IN, _ -> intake.turn(this::receive));
        } else if (!isWanted && before != null) {
            watch = null;
            boolean _ = before.cancel();
        }
    }

    private void receive() {
        for (int i = 0; i < BATCH && !intake.isWaiting() && !isAtEnd && !closed; i++) {
            ByteBuffer room = window.room(owner());
            if (!room.hasRemaining()) {
                if (!marks.isEmpty()) {
                    hasRoom = false; // until more is stored
                    watch();
                    return;
                }
                cut(window.total(), Break.LENGTH); // memory is short: the window is one line
                continue;
            }
            int count;
            try {
                count = socket.tryReceive(room, beside);
            } catch (ErrnoException e) {
                count = UnixSocket.END; // reset
            }
            if (count == UnixSocket.WOULD_BLOCK) {
                return;
            }
            if (count == UnixSocket.END) {
                end();
                return;
            }
            long before = window.total();
            byte[] data = window.received(count);
            try (Sender sender = beside.takeSender().orElse(null)) {
                noteWriter(sender, before);
            }
            take(data);
        }
    }

    /** Returns whether a manager may have connected it: root, or the user of a user's receiver. */
    private boolean isOfManager() {
        return peer.uid() == 0 || peer.uid() == Unistd.geteuid();
    }

    /** Returns whose share of the windows' memory the stream uses. */
    private String owner() {
        Header header = lines.header();
        return header == null || header.unitName().isEmpty() || !isOfManager()
                ? "user " + peer.uid()
                : header.unitName();
    }

    /** Notes who has written what follows; what another has begun is a line of its own. */
    private void noteWriter(@Nullable Sender sender, long position) {
        Attribution.Known now =
                sender == null ? writer == null ? ofPeer() : writer : attribution.of(sender);
        Attribution.Known before = writer;
        boolean isInLine = lines.header() != null && lines.unfinished() > 0;
        if (before != null && !before.equals(now) && isInLine) {
            cut(position, Break.WRITER);
        }
        writer = now;
    }

    /** Ends a line at a position without a byte that ends it. */
    private void cut(long position, Break why) {
        window.cut(position);
        store(lines.rest(why));
        settleUpTo(position);
    }

    private Attribution.Known ofPeer() {
        return peer.pidFd()
                .map(process -> attribution.of(process, peer.pid(), peer.uid(), peer.gid()))
                .orElseGet(
                        () -> attribution.of(new Sender.Gone(peer.pid(), peer.uid(), peer.gid())));
    }

    private void take(byte[] data) {
        boolean hadHeader = lines.header() != null;
        try {
            store(lines.take(data, data.length));
        } catch (StreamLines.HeaderException e) {
            isAtEnd = true;
            close(true);
            return;
        }
        Header header = lines.header();
        if (header != null) {
            if (!hadHeader) {
                window.header(header);
            }
            settleUpTo(window.total() - lines.unfinished());
        }
    }

    private void store(List<Line> ready) {
        Header header = lines.header();
        if (header == null || ready.isEmpty()) {
            return;
        }
        Attribution.Known by = writer;
        if (by == null) {
            by = isRecovered ? Attribution.lost(peer.uid()) : ofPeer();
        }
        Optional<String> unit =
                Optional.of(header.unitName()).filter(name -> !name.isEmpty() && isOfManager());
        Optional<String> invocation = header.invocationId().filter(_ -> unit.isPresent());
        for (Line line : ready) {
            intake.take(STDOUT, by, unit, invocation, line.text().length, fields(header, line));
        }
    }

    /** Settles all before a position as soon as the entries that were taken so far are stored. */
    private void settleUpTo(long position) {
        Mark last = marks.peekLast();
        if (last != null && last.entry() == intake.accepted()) {
            marks.removeLast();
        }
        marks.add(new Mark(intake.accepted(), position));
        intake.whenProgressed(this);
    }

    @Override
    public boolean progressed(Store.Progress progress) {
        Mark stored = null;
        while (!marks.isEmpty() && marks.getFirst().entry() <= progress.entries()) {
            stored = marks.removeFirst();
        }
        if (stored != null && !closed) {
            window.settle(stored.position(), progress.sequenceOf(stored.entry()));
            if (isAtEnd && marks.isEmpty()) {
                close(true);
            } else if (!hasRoom) {
                hasRoom = true;
                watch();
            }
        }
        return !marks.isEmpty();
    }

    /**
     * Continues a stream of an earlier receiver: stores what that had received and not stored.
     *
     * @param stored the messages that are in the journal, of the entries after {@link
     *     StreamWindow#sequence}
     */
    void recover(List<StreamRecovery.Stored> stored) {
        Header known = window.header();
        if (known != null) {
            lines = new StreamLines(ReceiverLimits.LINE.intValue(), known);
        }
        List<Line> received = new ArrayList<>();
        try {
            for (Iterator<byte[]> parts = window.unsettled().iterator(); parts.hasNext(); ) {
                byte[] part = parts.next();
                received.addAll(lines.take(part, part.length));
                if (parts.hasNext()) {
                    received.addAll(lines.rest(Break.WRITER));
                }
            }
        } catch (StreamLines.HeaderException e) {
            isAtEnd = true;
            close(true);
            return;
        }
        Header header = lines.header();
        if (header == null) {
            return;
        }
        boolean hasEnded = StreamRecovery.hasEnded(stored);
        if (hasEnded) {
            received.addAll(lines.rest(Break.END));
            isAtEnd = true;
        }
        window.header(header);
        isRecovered = true; // the writer of the rest of a line counts as that of the line
        store(StreamRecovery.missing(received, stored));
        settleUpTo(window.total() - lines.unfinished());
    }

    private List<Field> fields(Header header, Line line) {
        List<Field> fields = new ArrayList<>();
        fields.add(Field.of("PRIORITY", Integer.toString(line.priority() % LEVELS)));
        fields.add(Field.of("SYSLOG_FACILITY", Integer.toString(line.priority() / LEVELS)));
        if (!header.identifier().isEmpty()) {
            fields.add(Field.of("SYSLOG_IDENTIFIER", header.identifier().getBytes(UTF_8)));
        }
        fields.add(Field.of("MESSAGE", line.text()));
        if (!line.ended().word().isEmpty()) {
            fields.add(Field.of("_LINE_BREAK", line.ended().word()));
        }
        fields.add(id);
        return fields;
    }

    private void end() {
        isAtEnd = true;
        watch();
        store(lines.rest(Break.END));
        settleUpTo(window.total());
    }

    /** Closes the stream; the next receiver continues it if the service manager keeps it. */
    @Override
    public void close() {
        close(false);
    }

    private void close(boolean hasEnded) {
        if (closed) {
            return;
        }
        closed = true;
        watch();
        if (hasEnded) {
            ended.accept(this);
            window.close();
        }
        peer.close();
        socket.close();
    }
}
