package io.holdfast.manager;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.manager.log.ManagerListener;
import io.holdfast.manager.unit.UnitName;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** All events that a manager reported, for tests to wait for and to search. */
final class Happenings implements ManagerListener {
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(30);

    @GuardedBy("this")
    private final List<String> lines = new ArrayList<>();

    @Override
    public void event(UnitName unit, Level level, String text) {
        add(unit + ": " + level + " " + text);
    }

    @Override
    public void output(UnitName unit, String line) {
        add(unit + " | " + line);
    }

    @Override
    public void event(Level level, String text) {
        add(level + " " + text);
    }

    private synchronized void add(String line) {
        lines.add(line);
        notifyAll();
    }

    synchronized List<String> lines() {
        return List.copyOf(lines);
    }

    /** Returns the first line that contains the text, and waits for it. */
    String await(String text) throws InterruptedException {
        return await(text, 1);
    }

    /** Returns the n-th such line, and waits for it. */
    synchronized String await(String text, int count) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE;
        while (true) {
            int seen = 0;
            for (String line : lines) {
                if (line.contains(text) && ++seen == count) {
                    return line;
                }
            }
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                throw new AssertionError(
                        "not logged "
                                + count
                                + " times: "
                                + text
                                + "\n"
                                + String.join("\n", lines));
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
    }

    /** Returns how the unit first became inactive or failed, and waits for that. */
    synchronized String awaitRest(String unit) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE;
        while (true) {
            for (String line : lines) {
                if (line.startsWith(unit + ": INFO stopped")
                        || line.startsWith(unit + ": ERROR failed")) {
                    return line;
                }
            }
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                throw new AssertionError(unit + " does not rest\n" + String.join("\n", lines));
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
    }

    /** Returns a line that the unit has written, and waits for it. */
    String awaitOutput(String unit, String line) throws InterruptedException {
        return await(unit + " | " + line);
    }
}
