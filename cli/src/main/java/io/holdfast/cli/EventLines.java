package io.holdfast.cli;

import io.holdfast.manager.log.ManagerListener;
import io.holdfast.manager.unit.UnitName;

/** Prints the events of a manager and the output of its units, line by line. */
final class EventLines implements ManagerListener {
    private final Output output;

    /**
     * @param output queues its lines: the manager's loop must not wait for a reader
     */
    EventLines(Output output) {
        this.output = output;
    }

    @Override
    public void event(UnitName unit, Level level, String text) {
        output.line(output.strong(unit.text()), ": ", coloured(level, text));
    }

    @Override
    public void output(UnitName unit, String line) {
        output.line(Output.styled(unit.text() + " |", "36"), " ", line);
    }

    @Override
    public void event(Level level, String text) {
        output.line(output.strong("holdfast"), ": ", coloured(level, text));
    }

    /** Waits for what is not printed yet, as long as its reader takes lines in time. */
    void flush() {
        output.flush();
    }

    private Object coloured(Level level, String text) {
        return switch (level) {
            case INFO -> text;
            case NOTICE -> output.faint(text);
            case WARNING -> output.warning(text);
            case ERROR -> output.bad(text);
        };
    }
}
