package io.holdfast.manager;

import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.EventLoop;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.Readiness;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.Sender;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The socket of {@code $NOTIFY_SOCKET} (sd_notify(3)). The sender of each message is the process
 * that the kernel holds for us (SCM_PIDFD), never a number in the message.
 */
final class NotifySocket implements AutoCloseable {
    private static final int MAX_DESCRIPTORS = 253;
    private static final int FOR_ALL = 0777;

    /** Whom messages go to, on the loop. */
    interface Receiver {
        /**
         * @param sender lent for the call
         * @param descriptors lent for the call; closed afterwards
         */
        void message(PidFd sender, NotifyMessage message, List<Fd> descriptors);
    }

    private final Path path;
    private final UnixSocket socket;
    private final Receiver receiver;
    private final ThrottledLine lost;
    private final ThrottledLine ofNobody;
    private final ThrottledLine tooLong;
    private final ThrottledLine malformed;
    private final Ancillary beside = Ancillary.ofDescriptors(MAX_DESCRIPTORS);
    private final ByteBuffer data = ByteBuffer.allocateDirect(NotifyMessage.MAX_SIZE + 1);

    /**
     * Binds it, in the place of one that a manager has left. Everybody may send: who it was decides
     * what counts.
     *
     * @throws ErrnoException EADDRINUSE if a manager lives there
     */
    NotifySocket(Path path, EventLoop loop, Receiver receiver, Consumer<String> complaints) {
        this.path = path;
        this.receiver = receiver;
        lost = ThrottledLine.on(loop, complaints);
        ofNobody = ThrottledLine.on(loop, complaints);
        tooLong = ThrottledLine.on(loop, complaints);
        malformed = ThrottledLine.on(loop, complaints);
        socket = UnixSocket.bind(UnixAddress.path(path), FOR_ALL);
        socket.passIdentity();
        EventLoop.Watch ignored = loop.watch(socket.fd(), Readiness.IN, _ -> receive());
    }

    Path path() {
        return path;
    }

    private void receive() {
        for (int i = 0; i < Limits.NOTIFY_BATCH; i++) {
            data.clear();
            int n;
            try {
                n = socket.tryReceive(data, beside);
            } catch (ErrnoException e) {
                lost.say("a notify message was lost: " + e.getMessage());
                return;
            }
            if (n == UnixSocket.WOULD_BLOCK) {
                return;
            }
            take();
        }
    }

    private void take() {
        Optional<Sender> sender = beside.takeSender();
        List<Fd> descriptors = beside.takeDescriptors();
        try {
            if (sender.isEmpty() || sender.get().process().isEmpty()) {
                ofNobody.say("a notify message of a process that nobody holds was ignored");
                return;
            }
            PidFd process = sender.get().process().get();
            if (beside.isDataCut() || beside.isCut() || data.position() > NotifyMessage.MAX_SIZE) {
                tooLong.say("a notify message of " + process + " was too long");
                return;
            }
            byte[] bytes = new byte[data.position()];
            data.get(0, bytes);
            receiver.message(process, NotifyMessage.parse(bytes), descriptors);
        } catch (NotifyMessage.MalformedException e) {
            malformed.say("a notify message was refused: " + e.getMessage());
        } finally {
            descriptors.forEach(Fd::close);
            sender.ifPresent(Sender::close);
        }
    }

    @Override
    public void close() {
        beside.close();
        socket.close();
        boolean ignored = path.toFile().delete();
    }
}
