package io.holdfast.manager.service;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.log.OutputPipe;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.notify.NotifySocket;
import io.holdfast.manager.unit.section.ServiceSection.NotifyAccess;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What the processes of a run write to: the pipe for its output, and the socket for its messages.
 * On the event loop.
 *
 * @param messages empty if the unit sends no messages
 */
record RunChannels(OutputPipe output, Optional<NotifySocket> messages) implements AutoCloseable {
    private static final String NOTIFY = "notify";

    /**
     * Opens the channels of a new run.
     *
     * @throws ErrnoException if one cannot be made
     */
    static RunChannels open(ServiceLife life) {
        OutputPipe output = new OutputPipe(life.context.loop(), life.log);
        try {
            boolean sends = life.unit().service().notifyAccess() != NotifyAccess.NONE;
            return new RunChannels(
                    output,
                    sends
                            ? Optional.of(life.context.notifySockets().open(life.name()))
                            : Optional.empty());
        } catch (ErrnoException e) {
            output.close();
            throw e;
        }
    }

    /** Restores the channels of a run that an earlier manager began. */
    static RunChannels restore(ServiceLife life, Fields fields) {
        List<Fd> pipe = new KeptRun(life.context.survival(), life.name()).output();
        OutputPipe output =
                pipe.size() == 2
                        ? new OutputPipe(life.context.loop(), life.log, pipe)
                        : new OutputPipe(life.context.loop(), life.log);
        return new RunChannels(
                output, fields.find(NOTIFY).flatMap(path -> restoreNotify(life, Path.of(path))));
    }

    private static Optional<NotifySocket> restoreNotify(ServiceLife life, Path path) {
        try {
            return Optional.of(life.context.notifySockets().restore(life.name(), path));
        } catch (ErrnoException e) {
            life.warn("its notify messages are lost: " + Work.reason(e));
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
