package io.holdfast.varlink.server;

import static java.lang.System.Logger.Level.WARNING;

import io.holdfast.core.limit.Throttle;
import io.holdfast.varlink.wire.VarlinkLimits;
import java.util.function.LongSupplier;

/**
 * Logs lines about clients. A client can cause them as often as it likes, so each kind of line is
 * throttled separately for each user. Thread-safe.
 */
final class ClientComplaints {
    private static final System.Logger LOG = System.getLogger("io.holdfast.varlink");

    enum Kind {
        MALFORMED,
        UNREAD,
        REFUSED,
        /** About no user, since no connection could be accepted. */
        NOT_ACCEPTED
    }

    private static final long NO_USER = -1;

    private record Source(Kind kind, long uid) {}

    private final Throttle lines;

    /**
     * @param nanoTime the clock, like {@link System#nanoTime}
     */
    ClientComplaints(LongSupplier nanoTime) {
        lines =
                Throttle.of(
                                1,
                                VarlinkLimits.LINE_INTERVAL.duration(),
                                VarlinkLimits.LINE_SOURCES.intValue(),
                                line -> LOG.log(WARNING, "varlink: {0}", line))
                        .withClock(nanoTime);
    }

    /**
     * Logs a line, or counts it as suppressed.
     *
     * @param uid the user of the client
     */
    void log(Kind kind, long uid, String text) {
        lines.log(new Source(kind, uid), text);
    }

    /** Logs a line about the server itself, or counts it as suppressed. */
    void log(Kind kind, String text) {
        log(kind, NO_USER, text);
    }
}
