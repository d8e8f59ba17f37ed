package io.holdfast.manager.run;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.log.OutputPipe;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.notify.NotifySocket;
import io.holdfast.manager.runtime.ManagerContext;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What the processes of a run write to: the pipe for its output, and the socket for its messages.
 * On the event loop.
 *
 * @param messages empty if the unit sends no messages
 */
public record RunChannels(OutputPipe output, Optional<NotifySocket> messages)
        implements AutoCloseable {
    private static final String NOTIFY = "notify";

    /**
     * Opens the channels of a new run.
     *
     * @param receives whether its processes may send notify messages
     * @throws ErrnoException if one cannot be made
     */
    public static RunChannels open(RunOwner owner, boolean receives) {
        ManagerContext context = owner.context();
        OutputPipe output = new OutputPipe(context.loop(), owner.log(), context.logs().chunk());
        try {
            return new RunChannels(
                    output,
                    receives
                            ? Optional.of(owner.context().notifySockets().open(owner.name()))
                            : Optional.empty());
        } catch (ErrnoException e) {
            output.close();
            throw e;
        }
    }

    /** Restores the channels of a run that an earlier manager began. */
    static RunChannels restore(RunOwner owner, Fields fields) {
        List<Fd> pipe = new KeptRun(owner.context().survival(), owner.name()).output();
        EventLoop loop = owner.context().loop();
        byte[] chunk = owner.context().logs().chunk();
        OutputPipe output =
                pipe.size() == 2
                        ? new OutputPipe(loop, owner.log(), chunk, pipe)
                        : new OutputPipe(loop, owner.log(), chunk);
        return new RunChannels(
                output, fields.find(NOTIFY).flatMap(path -> restoreNotify(owner, Path.of(path))));
    }

    private static Optional<NotifySocket> restoreNotify(RunOwner owner, Path path) {
        try {
            return Optional.of(owner.context().notifySockets().restore(owner.name(), path));
        } catch (ErrnoException e) {
            owner.warn("its notify messages are lost: " + Work.reason(e));
            return Optional.empty();
        }
    }

    /** Records what the next manager has to know. */
    void record(Fields fields) {
        notifySocket().ifPresent(path -> fields.put(NOTIFY, path.toString()));
    }

    /** {@return the path for {@code $NOTIFY_SOCKET}} */
    Optional<Path> notifySocket() {
        return messages.map(NotifySocket::path);
    }

    /** Reads the remaining output, and closes both. */
    @Override
    public void close() {
        output.close();
        messages.ifPresent(NotifySocket::close);
    }
}
