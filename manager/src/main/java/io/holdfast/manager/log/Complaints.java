package io.holdfast.manager.log;

import io.holdfast.core.EventLoop;
import io.holdfast.core.limit.Throttle;
import io.holdfast.manager.loop.ManagerLimits;
import java.util.function.Consumer;

/** Creates throttles for lines that a service or a user can cause as often as it likes. */
public final class Complaints {
    /** The kind and user of a line: lines about one user never suppress those about another. */
    public record Source(String kind, long uid) {}

    private Complaints() {}

    /**
     * Creates a throttle for one line of a kind in each {@link ManagerLimits#LINE_INTERVAL}. On the
     * loop.
     */
    public static Throttle on(EventLoop loop, Consumer<String> log) {
        return on(loop, 1, log);
    }

    /**
     * Creates a throttle for {@code burst} lines of a kind in each {@link
     * ManagerLimits#LINE_INTERVAL}. On the loop.
     */
    public static Throttle on(EventLoop loop, int burst, Consumer<String> log) {
        return Throttle.of(
                        burst,
                        ManagerLimits.LINE_INTERVAL.duration(),
                        ManagerLimits.LINE_SOURCES.intValue(),
                        log)
                .withTimer((delay, flush) -> {
                    EventLoop.Timer _ = loop.after(delay, flush);
                });
    }
}
