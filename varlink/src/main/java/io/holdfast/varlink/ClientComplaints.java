package io.holdfast.varlink;

import static java.lang.System.Logger.Level.DEBUG;
import static java.lang.System.Logger.Level.WARNING;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The lines about clients that any of them can cause as often as it likes: of each kind one at
 * once, and then at most one in each {@link #INTERVAL}, which says how many were left out.
 * Thread-safe.
 */
final class ClientComplaints {
    /**
     * In nanoseconds: {@code -Dio.holdfast.varlink.lineInterval}, 10,000 milliseconds by default.
     */
    static final long INTERVAL =
            TimeUnit.MILLISECONDS.toNanos(Long.getLong("io.holdfast.varlink.lineInterval", 10_000));

    private static final System.Logger LOG = System.getLogger("io.holdfast.varlink");

    enum Kind {
        MALFORMED,
        UNREAD,
        REFUSED
    }

    private final LongSupplier nanos;

    @GuardedBy("this")
    private final Map<Kind, Said> last = new EnumMap<>(Kind.class);

    /** When the last line was, and what came since. */
    private static final class Said {
        final long at;
        long leftOut;

        Said(long at) {
            this.at = at;
        }
    }

    /**
     * @param nanos a clock as {@link System#nanoTime}
     */
    ClientComplaints(LongSupplier nanos) {
        this.nanos = nanos;
    }

    void say(Kind kind, String text) {
        long leftOut = leftOut(kind);
        if (leftOut < 0) {
            LOG.log(DEBUG, "varlink: {0}", text);
        } else {
            String more = leftOut == 0 ? "" : " (and " + leftOut + " more like it before)";
            LOG.log(WARNING, "varlink: {0}{1}", text, more);
        }
    }

    /** How many of its kind were left out before it; negative if it is left out itself. */
    private synchronized long leftOut(Kind kind) {
        long now = nanos.getAsLong();
        Said before = last.get(kind);
        if (before != null && now - before.at < INTERVAL) {
            before.leftOut++;
            return -1;
        }
        last.put(kind, new Said(now));
        return before == null ? 0 : before.leftOut;
    }
}
