package io.holdfast.authority;

import static java.lang.System.Logger.Level.INFO;

import io.holdfast.core.limit.Throttle;
import io.holdfast.core.text.PrintableText;
import java.util.function.LongSupplier;

/**
 * A throttled log of lines that users cause: any user may ask for a check, register an agent or
 * dismiss a dialog any number of times. The lines of each user and kind are throttled separately,
 * so that one user neither fills the log nor hides a line about another user, and a user's refusals
 * do not hide that user's authentications. Thread-safe.
 */
final class UserLines {
    /** What a line is about. */
    enum Kind {
        /** A check that was refused, challenged, or not decided. */
        REFUSED,
        /** A check that an authentication granted. */
        AUTHENTICATED,
        /** An authentication agent. */
        AGENT
    }

    /** The maximum number of characters of a line; a longer line is cut. */
    static final int LENGTH = 4096;

    private record Source(Kind kind, long uid) {}

    private final Throttle throttle;

    private UserLines(Throttle throttle) {
        this.throttle = throttle;
    }

    /**
     * Makes a log that writes to this logger at INFO.
     *
     * @param nanoTime a clock like {@link System#nanoTime}
     */
    static UserLines of(System.Logger logger, LongSupplier nanoTime) {
        return new UserLines(
                Throttle.of(
                                AuthorityLimits.LINES_OF_USER.intValue(),
                                AuthorityLimits.LINE_INTERVAL.duration(),
                                AuthorityLimits.LINE_SOURCES.intValue(),
                                line -> logger.log(INFO, line))
                        .withClock(nanoTime));
    }

    /** Returns the same log, with a timer that logs the suppressed count when an interval ends. */
    UserLines withTimer(Throttle.Timer timer) {
        return new UserLines(throttle.withTimer(timer));
    }

    /**
     * Logs a line, or only counts it if the limit is reached.
     *
     * @param uid the user who caused it
     * @param line may contain text of other processes; it is escaped and cut here
     */
    void log(Kind kind, long uid, String line) {
        throttle.log(new Source(kind, uid), PrintableText.of(line, LENGTH));
    }
}
