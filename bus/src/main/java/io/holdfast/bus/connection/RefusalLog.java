package io.holdfast.bus.connection;

import io.holdfast.bus.account.BusError;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.NotSupportedException;
import io.holdfast.core.limit.RateLimit;
import io.holdfast.core.process.PidFd;
import io.holdfast.dbus.wire.MessageView;
import java.lang.System.Logger.Level;
import java.time.ZoneId;
import java.util.Optional;

/**
 * One line for each client that the bus disconnected and for each message that was refused: who,
 * which message, why. Each user has only so many lines, so that nobody fills the log or hides what
 * another does; how many were left out is logged with the next line.
 */
public final class RefusalLog {
    /** Lines about one user at once. */
    public static final int LINES_AT_ONCE = 20;

    private static final int LINES_A_SECOND = 5;
    private static final int USERS = 256;

    /** Stands for the clients whose user is not known. */
    static final long NOBODY = -1;

    /** Stands for the bus itself. */
    private static final long BUS = -2;

    private static final System.Logger LOG = System.getLogger("io.holdfast.bus");

    private final RateLimit<Long> lines = RateLimit.of(LINES_AT_ONCE, LINES_A_SECOND, USERS);
    private long leftOut;

    /**
     * Prepares time stamps and the identity of processes: once descriptors are short, the file of
     * the time zone cannot be opened, and what the kernel can do cannot be found out.
     */
    public RefusalLog() {
        var _ = ZoneId.systemDefault().getRules();
        try (PidFd self = PidFd.self()) {
            var _ = self.toString();
            var _ = unit(self);
        }
    }

    /** A client was disconnected. */
    public void disconnected(Connection client, String reason) {
        if (mayWrite(client.account().uid())) {
            LOG.log(Level.WARNING, "disconnected {0}: {1}", who(client), reason);
        }
    }

    /** A message was not passed on. */
    public void refused(Connection client, MessageView message, BusError error, String reason) {
        if (error.isForLog() && mayWrite(client.account().uid())) {
            LOG.log(Level.INFO, "refused {0} of {1}: {2}", message.toString(), who(client), reason);
        }
    }

    /**
     * A client was not let in.
     *
     * @param uid its user, or {@link #NOBODY}
     */
    void notAccepted(long uid, String who, String reason) {
        if (mayWrite(uid)) {
            LOG.log(Level.WARNING, "refused a connection of {0}: {1}", who, reason);
        }
    }

    /** A service did not come up. */
    public void notStarted(String name, String reason) {
        if (mayWrite(BUS)) {
            LOG.log(Level.WARNING, "{0} was not activated: {1}", name, reason);
        }
    }

    /** A service file that describes no service. */
    public void skipped(String line) {
        LOG.log(Level.WARNING, "skipped {0}", line);
    }

    /** A user or group of the configuration that this machine does not have. */
    public void unknown(String line) {
        LOG.log(Level.WARNING, "{0}", line);
    }

    /** An element of the configuration that asks for what this bus does not do. */
    public void unserved(String line) {
        LOG.log(Level.WARNING, "not done: {0}", line);
    }

    /** What should not have happened, and ends nothing but this. */
    void fault(RuntimeException e) {
        if (mayWrite(BUS)) {
            LOG.log(Level.ERROR, "a fault of the bus", e);
        }
    }

    /** The old configuration stays in force. */
    public void reloadFailed(String reason) {
        LOG.log(Level.ERROR, "the configuration stays as it was: {0}", reason);
    }

    private boolean mayWrite(long uid) {
        if (!lines.tryPass(uid)) {
            leftOut++;
            return false;
        }
        if (leftOut > 0) {
            LOG.log(Level.WARNING, "{0} more refusals were not logged", leftOut);
            leftOut = 0;
        }
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
