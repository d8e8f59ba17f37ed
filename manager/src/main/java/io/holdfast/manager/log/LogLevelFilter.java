package io.holdfast.manager.log;

import io.holdfast.manager.unit.UnitName;

/** Passes on events of a minimum level and above. Output always passes. */
public final class LogLevelFilter implements ManagerListener {
    private final ManagerListener listener;
    private volatile Level least = Level.INFO;

    public LogLevelFilter(ManagerListener listener) {
        this.listener = listener;
    }

    public Level least() {
        return least;
    }

    public void least(Level level) {
        least = level;
    }

    private boolean passes(Level level) {
        return level.compareTo(least) >= 0;
    }

    @Override
    public void event(UnitName unit, Level level, String text) {
        if (passes(level)) {
            listener.event(unit, level, text);
        }
    }

    @Override
    public void output(UnitName unit, String line) {
        listener.output(unit, line);
    }

    @Override
    public void told(long file, long position) {
        listener.told(file, position);
    }

    @Override
    public long toldBefore(long file) {
        return listener.toldBefore(file);
    }

    @Override
    public void event(Level level, String text) {
        if (passes(level)) {
            listener.event(level, text);
        }
    }
}
