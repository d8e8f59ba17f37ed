package io.holdfast.varlink.server;

import static java.lang.System.Logger.Level.WARNING;

import io.holdfast.core.limit.Throttle;
import io.holdfast.varlink.VarlinkLimits;
import java.util.function.LongSupplier;

/**
 * Log lines about clients. A client can cause them as often as it likes, so each kind of line about
 * each user is throttled by itself. Thread-safe.
 */
final class ClientComplaints {
    private static final System.Logger LOG = System.getLogger("io.holdfast.varlink");

    enum Kind {
        MALFORMED,
        UNREAD,
        REFUSED,
        /** Of nobody, since nobody could be accepted. */
        NOT_ACCEPTED
    }

    private static final long NOBODY = -1;

    private record Source(Kind kind, long uid) {}

    private final Throttle lines;

    /**
     * @param nanoTime a clock like {@link System#nanoTime}
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
     * Logs a line, or counts it.
     *
     * @param uid of the client
     */
    void say(Kind kind, long uid, String text) {
        lines.log(new Source(kind, uid), text);
    }

    /** Logs a line about the server itself, or counts it. */
    void say(Kind kind, String text) {
        say(kind, NOBODY, text);
    }
}
