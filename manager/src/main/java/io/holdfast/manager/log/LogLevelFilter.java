package io.holdfast.manager.log;

import io.holdfast.manager.unit.UnitName;

/** Passes on events of a minimum level and above. Output always passes. */
public final class LogLevelFilter implements ManagerListener {
    private final ManagerListener listener;
    private volatile Level minimum = Level.INFO;

    public LogLevelFilter(ManagerListener listener) {
        this.listener = listener;
    }

    public Level minimum() {
        return minimum;
    }

    public void minimum(Level level) {
        minimum = level;
    }

    private boolean passes(Level level) {
        return level.compareTo(minimum) >= 0;
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
    public void outputCommitted(long file, long position) {
        listener.outputCommitted(file, position);
    }

    @Override
    public long committedPosition(long file) {
        return listener.committedPosition(file);
    }

    @Override
    public void event(Level level, String text) {
        if (passes(level)) {
            listener.event(level, text);
        }
    }
}
