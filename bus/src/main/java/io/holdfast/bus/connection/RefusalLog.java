package io.holdfast.bus.connection;

import io.holdfast.bus.account.BusError;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.NotSupportedException;
import io.holdfast.core.limit.RateLimit;
import io.holdfast.core.process.PidFd;
import io.holdfast.dbus.marshal.MessageView;
import java.lang.System.Logger.Level;
import java.time.ZoneId;
import java.util.Optional;

/**
 * Logs one line for each client that the bus disconnects and for each refused message: the client,
 * the message, the reason. The lines of each user are limited, so that no user fills the log or
 * hides what another does; the number of dropped lines is logged with the next line.
 */
public final class RefusalLog {
    /** The lines about one user that may come in a burst. */
    public static final int LINES_AT_ONCE = 20;

    private static final int LINES_A_SECOND = 5;
    private static final int USERS = 256;

    /** Stands for the clients whose user is not known. */
    static final long UNKNOWN_USER = -1;

    /** Stands for the bus itself. */
    private static final long BUS = -2;

    private static final System.Logger LOG = System.getLogger("io.holdfast.bus");

    private final RateLimit<Long> lines = RateLimit.of(LINES_AT_ONCE, LINES_A_SECOND, USERS);
    private long dropped;

    /**
     * Prepares time stamps and process identities: once descriptors are short, the file of the time
     * zone cannot be opened, and kernel features cannot be probed.
     */
    public RefusalLog() {
        var _ = ZoneId.systemDefault().getRules();
        try (PidFd self = PidFd.self()) {
            var _ = self.toString();
            var _ = unit(self);
        }
    }

    public void disconnected(Connection client, String reason) {
        if (mayWrite(client.account().uid())) {
            LOG.log(Level.WARNING, "disconnected {0}: {1}", who(client), reason);
        }
    }

    /** Logs that a message was refused, if the error is worth a line. */
    public void refused(Connection client, MessageView message, BusError error, String reason) {
        if (error.isForLog() && mayWrite(client.account().uid())) {
            LOG.log(Level.INFO, "refused {0} of {1}: {2}", message.toString(), who(client), reason);
        }
    }

    /**
     * Logs that a client was refused at accept.
     *
     * @param uid its user, or {@link #UNKNOWN_USER}
     */
    void notAccepted(long uid, String who, String reason) {
        if (mayWrite(uid)) {
            LOG.log(Level.WARNING, "refused a connection of {0}: {1}", who, reason);
        }
    }

    /** Logs that no client is accepted for a moment. */
    void acceptPaused(String reason) {
        if (mayWrite(UNKNOWN_USER)) {
            LOG.log(Level.WARNING, "paused accepting connections: {0}", reason);
        }
    }

    /** Logs that a service did not start. */
    public void notStarted(String name, String reason) {
        if (mayWrite(BUS)) {
            LOG.log(Level.WARNING, "{0}: activation failed: {1}", name, reason);
        }
    }

    /** Logs a service file that describes no service. */
    public void skipped(String line) {
        LOG.log(Level.WARNING, "skipped {0}", line);
    }

    /** Logs a configured user or group that this machine does not have. */
    public void unknown(String line) {
        LOG.log(Level.WARNING, "{0}", line);
    }

    /** Logs an element of the configuration that this bus does not apply. */
    public void unserved(String line) {
        LOG.log(Level.WARNING, "ignored: {0}", line);
    }

    /** Logs an unexpected exception, which ends nothing but the operation that threw it. */
    void fault(RuntimeException e) {
        if (mayWrite(BUS)) {
            LOG.log(Level.ERROR, "internal error", e);
        }
    }

    /** Logs that the old configuration stays in effect. */
    public void reloadFailed(String reason) {
        LOG.log(
                Level.ERROR,
                "configuration not reloaded: {0}; the old one stays in effect",
                reason);
    }

    private boolean mayWrite(long uid) {
        if (!lines.tryPass(uid)) {
            dropped++;
            return false;
        }
        if (dropped > 0) {
            LOG.log(Level.WARNING, "{0} more refusals were not logged", dropped);
            dropped = 0;
        }
        return true;
    }

    /** Returns name, process by PID and pidfs id, and the unit of the process, as far as known. */
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
