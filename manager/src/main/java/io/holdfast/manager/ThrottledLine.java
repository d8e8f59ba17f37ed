package io.holdfast.manager;

import io.holdfast.core.linux.EventLoop;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * What others can cause to be said as often as they like: so many lines, mostly one, in each {@link
 * Limits#LINE_INTERVAL}. Those are said as they come; of the further ones the latest is said when
 * the interval is over, with how many more were left out, as the first line of the next. On the
 * loop.
 */
final class ThrottledLine {
    /** Runs something later, on the loop. */
    interface Clock {
        void after(Duration delay, Runnable task);
    }

    private final Clock clock;
    private final Consumer<String> lines;
    private final int burst;
    private int said;
    private String latest = "";
    private long waiting;

    /**
     * @param burst of one interval, at least 1
     */
    ThrottledLine(Clock clock, Consumer<String> lines, int burst) {
        this.clock = clock;
        this.lines = lines;
        this.burst = burst;
    }

    /** One at once. */
    static ThrottledLine on(EventLoop loop, Consumer<String> lines) {
        return on(loop, lines, 1);
    }

    static ThrottledLine on(EventLoop loop, Consumer<String> lines, int burst) {
        return new ThrottledLine(
                (delay, task) -> {
                    EventLoop.Timer ignored = loop.after(delay, task);
                },
                lines,
                burst);
    }

    void say(String text) {
        if (said < burst) {
            tell(text);
        } else {
            latest = text;
            waiting++;
        }
    }

    private void tell(String text) {
        if (said++ == 0) {
            clock.after(Limits.LINE_INTERVAL, this::intervalIsOver);
        }
        lines.accept(text);
    }

    private void intervalIsOver() {
        said = 0;
        if (waiting > 0) {
            String text = waiting == 1 ? latest : latest + " (" + (waiting - 1) + " more like it)";
            waiting = 0;
            latest = "";
            tell(text);
        }
    }
}
