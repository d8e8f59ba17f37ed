package io.holdfast.manager.log;

import io.holdfast.manager.unit.UnitName;

/** Passes on events of a minimum level and above. Output always passes. */
public final class LogLevelFilter implements ManagerListener {
    private final ManagerListener listener;
    private volatile Level minimum = Level.INFO;
    private volatile boolean chosen;

    public LogLevelFilter(ManagerListener listener) {
        this.listener = listener;
    }

    public Level minimum() {
        return minimum;
    }

    /** Sets the minimum that a client has chosen: the configuration does not change it. */
    public void minimum(Level level) {
        chosen = true;
        minimum = level;
    }

    /**
     * Sets the minimum of the configuration, unless a client has chosen another.
     *
     * @param priority of syslog(3), 0 to 7
     */
    public void configured(int priority) {
        if (!chosen) {
            minimum =
                    switch (priority) {
                        case 7 -> Level.DEBUG;
                        case 6 -> Level.INFO;
                        case 5 -> Level.NOTICE;
                        case 4 -> Level.WARNING;
                        default -> Level.ERROR;
                    };
        }
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
    public void event(Level level, String text) {
        if (passes(level)) {
            listener.event(level, text);
        }
    }
}
