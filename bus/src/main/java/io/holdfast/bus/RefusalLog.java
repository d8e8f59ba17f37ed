package io.holdfast.bus;

import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.NotSupportedException;
import io.holdfast.core.process.PidFd;
import io.holdfast.dbus.wire.MessageView;
import java.lang.System.Logger.Level;
import java.time.ZoneId;
import java.util.Optional;

/**
 * One line for each client that was put off the bus and for each message that was refused: who,
 * which message, why. No more than so many a second, so that nobody fills the log; how many were
 * left out is said.
 */
final class RefusalLog {
    /** Lines in one second. */
    static final int LINES_A_SECOND = 20;

    private static final System.Logger LOG = System.getLogger("io.holdfast.bus");
    private static final long SECOND = 1_000_000_000;

    private long second = System.nanoTime();
    private int lines;
    private long leftOut;

    /**
     * Prepares the time stamps of lines: their file cannot be opened once descriptors are short.
     */
    RefusalLog() {
        var _ = ZoneId.systemDefault().getRules();
    }

    /** A client was put off. */
    void disconnected(Connection client, String reason) {
        if (mayWrite()) {
            LOG.log(Level.WARNING, "disconnected {0}: {1}", who(client), reason);
        }
    }

    /** A message was not passed on. */
    void refused(Connection client, MessageView message, BusError error, String reason) {
        if (error.isForLog() && mayWrite()) {
            LOG.log(Level.INFO, "refused {0} of {1}: {2}", message.toString(), who(client), reason);
        }
    }

    /** A client was not let in. */
    void notAccepted(String who, String reason) {
        if (mayWrite()) {
            LOG.log(Level.WARNING, "refused a connection of {0}: {1}", who, reason);
        }
    }

    /** A service did not come up. */
    void notStarted(String name, String reason) {
        if (mayWrite()) {
            LOG.log(Level.WARNING, "{0} was not activated: {1}", name, reason);
        }
    }

    /** A service file that describes no service. */
    void skipped(String line) {
        LOG.log(Level.WARNING, "skipped {0}", line);
    }

    /** A user or group of the configuration that this machine does not have. */
    void unknown(String line) {
        LOG.log(Level.WARNING, "{0}", line);
    }

    /** An element of the configuration that asks for what this bus does not do. */
    void unserved(String line) {
        LOG.log(Level.WARNING, "not done: {0}", line);
    }

    /** What should not have happened, and ends nothing but this. */
    void fault(RuntimeException e) {
        if (mayWrite()) {
            LOG.log(Level.ERROR, "a fault of the bus", e);
        }
    }

    /** The old configuration stays in force. */
    void reloadFailed(String reason) {
        LOG.log(Level.ERROR, "the configuration stays as it was: {0}", reason);
    }

    private boolean mayWrite() {
        long now = System.nanoTime();
        if (now - second >= SECOND) {
            if (leftOut > 0) {
                LOG.log(Level.WARNING, "{0} more refusals in a second were not logged", leftOut);
                leftOut = 0;
            }
            second = now;
            lines = 0;
        }
        if (lines == LINES_A_SECOND) {
            leftOut++;
            return false;
        }
        lines++;
        return true;
    }

    /** Name, process by number and id, and the unit that it belongs to, as far as can be told. */
    private static String who(Connection client) {
        String unit =
                client.peer().pidFd().flatMap(RefusalLog::unit).map(name -> ", " + name).orElse("");
        return client + unit;
    }

    private static Optional<String> unit(PidFd process) {
        try {
            return process.unit();
        } catch (ErrnoException | NotSupportedException e) {
            return Optional.empty(); // gone, or an old kernel
        }
    }
}
