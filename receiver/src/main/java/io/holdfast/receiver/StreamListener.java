package io.holdfast.receiver;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Feature;
import io.holdfast.core.Readiness;
import io.holdfast.core.limit.FairShare;
import io.holdfast.core.limit.Throttle;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The socket of the stdout protocol, and its connections.
 *
 * <p>A connection is handed to the service manager's descriptor store as soon as it is accepted,
 * and before anything is received: a receiver that is killed afterwards loses none of it. (One that
 * is killed between the two system calls loses the connection, as any server does.) Used on the
 * loop.
 */
final class StreamListener implements Intake.Source, AutoCloseable {
    private static final int BATCH = 64; // connections of one turn
    private static final Duration PAUSE = Duration.ofMillis(100);
    private static final Duration SHRINK = Duration.ofSeconds(1);
    private static final long ROOT = 0;

    private final EventLoop loop;
    private final UnixListener listener;
    private final StreamWindows windows;
    private final @Nullable ServiceStore keeper;
    private final Intake intake;
    private final Attribution attribution;
    private final Throttle warnings;
    private final Set<StreamSource> streams = new LinkedHashSet<>();
    private final FairShare<Long> shares =
            FairShare.<Long>of(ReceiverLimits.STREAMS).withTrusted(uid -> uid == ROOT);
    private final Ancillary beside = Ancillary.ofSender();
    private final EventLoop.Watch watch;
    private boolean listening;
    private boolean isPaused; // no descriptor is free

    /**
     * @param keeper keeps streams while the receiver is restarted; null if nobody does
     */
    StreamListener(
            EventLoop loop,
            UnixListener listener,
            StreamWindows windows,
            @Nullable ServiceStore keeper,
            Intake intake,
            Attribution attribution,
            Throttle warnings) {
        this.loop = loop;
        this.listener = listener;
        this.windows = windows;
        this.keeper = keeper;
        this.intake = intake;
        this.attribution = attribution;
        this.warnings = warnings;
        listener.passIdentity();
        watch = loop.watch(listener.fd(), 0, _ -> accept());
        windows.whenGranted(this::shrinkLater);
    }

    @Override
    public void listen(boolean whether) {
        listening = whether;
        watch();
    }

    /** Watches for connections, unless none can be accepted now. */
    void watch() {
        boolean isWanted = listening && !isPaused && (keeper == null || !keeper.isWaiting());
        watch.events(isWanted ? Readiness.IN : 0);
    }

    /**
     * Continues the streams of an earlier receiver. To be called before the loop runs.
     *
     * @param kept by the service manager; owned by this object
     * @param folder of the journal
     */
    void recover(List<PassedSockets.Kept> kept, Path folder) {
        if (kept.isEmpty()) {
            return;
        }
        try (StreamRecovery recovery = new StreamRecovery(folder)) {
            for (PassedSockets.Kept each : kept) {
                StreamWindow window = windows.find(each.socket());
                if (window == null) {
                    warnings.log(
                            "not continued",
                            "the stream " + each.name() + " is closed: its memory was not kept");
                    each.socket().close();
                    drop(each.name());
                    continue;
                }
                StreamSource stream = source(each.socket(), window);
                shares.take(stream.uid(), 1);
                streams.add(stream);
                stream.recover(recovery.stored(window));
                if (streams.contains(stream)) {
                    intake.add(stream);
                }
            }
        }
    }

    private void accept() {
        for (int i = 0; i < BATCH && (keeper == null || !keeper.isWaiting()); i++) {
            try {
                Optional<UnixSocket> accepted = listener.tryAccept();
                if (accepted.isEmpty()) {
                    return;
                }
                open(accepted.get());
            } catch (ErrnoException e) {
                warnings.log("accept", "streams wait: " + e.getMessage());
                isPaused = true; // the connection stays in the queue
                EventLoop.Timer _ = loop.after(PAUSE, this::resume);
                break;
            }
        }
        watch();
    }

    private void resume() {
        isPaused = false;
        watch();
    }

    private void open(UnixSocket socket) {
        long uid = Peer.withoutPidFd(socket.fd()).map(Peer::uid).orElse(ROOT);
        boolean hasMany =
                uid != ROOT && shares.held(uid) >= ReceiverLimits.STREAMS_OF_USER.intValue();
        if (hasMany || !shares.tryTake(uid, 1)) {
            refuse(
                    socket,
                    uid,
                    hasMany ? ReceiverLimits.STREAMS_OF_USER.remedy() : shares.refusal(uid));
            return;
        }
        StreamWindow window = null;
        try {
            window = windows.open(socket);
            if (window == null) {
                shares.release(uid, 1);
                refuse(socket, uid, ReceiverLimits.STREAMS.remedy());
                return;
            }
            keep(socket, window);
            StreamSource stream = source(socket, window);
            streams.add(stream);
            intake.add(stream);
        } catch (ErrnoException e) {
            shares.release(uid, 1);
            if (window != null) {
                drop(PassedSockets.nameOf(window));
                window.close();
            }
            socket.close();
            throw e;
        }
    }

    private void refuse(UnixSocket socket, long uid, String why) {
        warnings.log(uid, "a stream of user " + uid + " is refused: " + why);
        socket.close();
    }

    private void keep(UnixSocket socket, StreamWindow window) {
        if (keeper == null) {
            return;
        }
        if (streams.size() + 1 < keeper.most()) { // one is the windows' file
            keeper.keep(PassedSockets.nameOf(window), socket.fd());
        } else {
            warnings.log(
                    "not kept",
                    "a stream does not survive a crash of this process: the manager keeps "
                            + keeper.most()
                            + " descriptors; raise FileDescriptorStoreMax=");
        }
    }

    private void drop(String name) {
        if (keeper != null) {
            keeper.drop(name);
        }
    }

    private StreamSource source(UnixSocket socket, StreamWindow window) {
        socket.passIdentity(); // one that connected before the receiver ran has not inherited it
        if (Feature.PASS_RIGHTS.isPresent()) {
            socket.refuseDescriptors();
        }
        return new StreamSource(loop, socket, window, intake, attribution, beside, this::ended);
    }

    private void ended(StreamSource stream) {
        if (streams.remove(stream)) {
            intake.remove(stream);
            shares.release(stream.uid(), 1);
            drop(PassedSockets.nameOf(stream.window()));
        }
    }

    private void shrinkLater() {
        EventLoop.Timer _ =
                loop.after(
                        SHRINK,
                        () -> {
                            windows.shrink();
                            if (windows.areSomeWhole()) {
                                shrinkLater();
                            }
                        });
    }

    @Override
    public void close() {
        boolean _ = watch.cancel();
        listener.close();
        List.copyOf(streams).forEach(StreamSource::close);
        beside.close();
        windows.close();
    }
}
