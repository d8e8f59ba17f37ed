package io.holdfast.receiver;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Readiness;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** The socket of the stdout protocol, and its connections. Used on the loop. */
final class StreamListener implements Intake.Source, AutoCloseable {
    private static final int BATCH = 64; // connections of one turn
    private static final int BUFFER = 1 << 16;

    private final EventLoop loop;
    private final UnixListener listener;
    private final Intake intake;
    private final Attribution attribution;
    private final Consumer<String> warnings;
    private final Set<StreamSource> streams = new LinkedHashSet<>();
    private final Map<Long, Integer> ofUsers = new HashMap<>();
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
    private final Ancillary beside = Ancillary.ofSender();
    private final EventLoop.Watch watch;

    StreamListener(
            EventLoop loop,
            UnixListener listener,
            Intake intake,
            Attribution attribution,
            Consumer<String> warnings) {
        this.loop = loop;
        this.listener = listener;
        this.intake = intake;
        this.attribution = attribution;
        this.warnings = warnings;
        listener.passIdentity();
        watch = loop.watch(listener.fd(), 0, _ -> accept());
    }

    @Override
    public void listen(boolean whether) {
        watch.events(whether ? Readiness.IN : 0);
    }

    int size() {
        return streams.size();
    }

    private void accept() {
        for (int i = 0; i < BATCH; i++) {
            try {
                Optional<UnixSocket> accepted = listener.tryAccept();
                if (accepted.isEmpty()) {
                    return;
                }
                open(accepted.get());
            } catch (ErrnoException e) {
                warnings.accept("a stream is refused: " + e.getMessage());
                return;
            }
        }
    }

    private void open(UnixSocket socket) {
        StreamSource stream;
        try {
            stream =
                    new StreamSource(
                            loop, socket, intake, attribution, buffer, beside, this::ended);
        } catch (ErrnoException e) {
            socket.close();
            throw e;
        }
        long uid = stream.uid();
        int own = ofUsers.getOrDefault(uid, 0);
        boolean isFull = streams.size() >= ReceiverLimits.STREAMS.intValue();
        if (isFull || (uid != 0 && own >= ReceiverLimits.STREAMS_OF_USER.intValue())) {
            warnings.accept(
                    "a stream of user %d is refused: %s"
                            .formatted(
                                    uid,
                                    isFull
                                            ? ReceiverLimits.STREAMS.remedy()
                                            : ReceiverLimits.STREAMS_OF_USER.remedy()));
            stream.close();
            return;
        }
        streams.add(stream);
        ofUsers.put(uid, own + 1);
        intake.add(stream);
    }

    private void ended(StreamSource stream) {
        if (streams.remove(stream)) {
            intake.remove(stream);
            int _ = ofUsers.merge(stream.uid(), -1, Integer::sum);
            boolean _ = ofUsers.remove(stream.uid(), 0);
        }
    }

    @Override
    public void close() {
        boolean _ = watch.cancel();
        listener.close();
        List.copyOf(streams).forEach(StreamSource::close);
        beside.close();
    }
}
