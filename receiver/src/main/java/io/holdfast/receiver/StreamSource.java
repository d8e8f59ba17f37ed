package io.holdfast.receiver;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Readiness;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.Sender;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.journal.Field;
import io.holdfast.journal.Id128;
import io.holdfast.receiver.input.StreamLines;
import io.holdfast.receiver.input.StreamLines.Break;
import io.holdfast.receiver.input.StreamLines.Header;
import io.holdfast.receiver.input.StreamLines.Line;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One connection of the stdout protocol. The kernel names the writer of each part of the stream by
 * a pidfd, so a line by a process that has inherited the stream names that process. The unit in the
 * header counts if root has connected the stream; its lines then belong to that unit. Used on the
 * loop.
 */
final class StreamSource implements Intake.Source, AutoCloseable {
    private static final int BATCH = 16; // receives of one turn
    private static final int LEVELS = 8;

    private final UnixSocket socket;
    private final Peer peer;
    private final Intake intake;
    private final Attribution attribution;
    private final Consumer<StreamSource> ended;
    private final ByteBuffer buffer;
    private final Ancillary beside;
    private final EventLoop loop;
    private EventLoop.@Nullable Watch watch; // none while the store has no room
    private final StreamLines lines = new StreamLines(ReceiverLimits.LINE.intValue());
    private final Field id = Field.of("_STREAM_ID", Id128.random().toString());
    private Attribution.@Nullable Known writer;
    private boolean closed;

    /**
     * @param buffer shared by all streams
     * @param beside shared by all streams
     * @param ended called when the stream has ended
     */
    StreamSource(
            EventLoop loop,
            UnixSocket socket,
            Intake intake,
            Attribution attribution,
            ByteBuffer buffer,
            Ancillary beside,
            Consumer<StreamSource> ended) {
        this.loop = loop;
        this.socket = socket;
        this.intake = intake;
        this.attribution = attribution;
        this.buffer = buffer;
        this.beside = beside;
        this.ended = ended;
        socket.passIdentity();
        socket.refuseDescriptors();
        peer = socket.peer();
    }

    /** {@return the user who has connected} */
    long uid() {
        return peer.uid();
    }

    @Override
    public void listen(boolean whether) {
        if (whether && watch == null && !closed) {
            watch = loop.watch(socket.fd(), Readiness.IN, _ -> receive());
        } else if (!whether) {
            ignore(); // even without events, a hang-up would be reported all the time
        }
    }

    private void ignore() {
        EventLoop.Watch before = watch;
        watch = null;
        if (before != null) {
            boolean _ = before.cancel();
        }
    }

    private void receive() {
        for (int i = 0; i < BATCH && !intake.isWaiting() && !closed; i++) {
            buffer.clear();
            int count;
            try {
                count = socket.tryReceive(buffer, beside);
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
            try (Sender sender = beside.takeSender().orElse(null)) {
                noteWriter(sender);
            }
            take();
        }
    }

    /** Notes who has written what follows; what another has begun is a line of its own. */
    private void noteWriter(@Nullable Sender sender) {
        Attribution.Known now =
                sender == null ? writer == null ? ofPeer() : writer : attribution.of(sender);
        Attribution.Known before = writer;
        if (before != null && !before.equals(now) && lines.header() != null) {
            store(lines.rest(Break.WRITER));
        }
        writer = now;
    }

    private Attribution.Known ofPeer() {
        return peer.pidFd()
                .map(process -> attribution.of(process, peer.pid(), peer.uid(), peer.gid()))
                .orElseGet(
                        () -> attribution.of(new Sender.Gone(peer.pid(), peer.uid(), peer.gid())));
    }

    private void take() {
        byte[] data = new byte[buffer.position()];
        buffer.get(0, data);
        try {
            store(lines.take(data, data.length));
        } catch (StreamLines.HeaderException e) {
            end();
        }
    }

    private void store(List<Line> ready) {
        Header header = lines.header();
        Attribution.Known by = writer;
        if (header == null || by == null) {
            return;
        }
        Optional<String> unit =
                Optional.of(header.unit()).filter(name -> !name.isEmpty() && peer.uid() == 0);
        for (Line line : ready) {
            intake.take("stdout", by, unit, fields(header, line));
        }
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
        store(lines.rest(Break.END));
        ended.accept(this);
        close();
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            ignore();
            peer.close();
            socket.close();
        }
    }
}
