package io.holdfast.cli.service;

import io.holdfast.cli.output.Output;
import io.holdfast.cli.output.Output.Styled;
import io.holdfast.manager.log.ManagerListener;
import io.holdfast.manager.log.PrintedLines;
import io.holdfast.manager.survival.Keeper;
import io.holdfast.manager.unit.UnitName;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Prints the events of a manager and the output of its units, line by line. */
public final class EventLines implements ManagerListener {
    private final Output output;
    private final @Nullable PrintedLines printed;
    private final List<String> pending = new ArrayList<>(); // lines of units, not yet printed

    /**
     * Prints to an output.
     *
     * @param output must queue its lines, because the manager's loop must not wait for a reader
     */
    public EventLines(Output output) {
        this.output = output;
        this.printed = null;
    }

    /**
     * Prints the lines of units so that none is lost with a killed manager, if there is a keeper.
     */
    EventLines(Output output, Optional<Keeper> keeper) {
        this.output = output;
        this.printed = keeper.map(each -> output.printThrough(each.store())).orElse(null);
    }

    @Override
    public void event(UnitName unit, Level level, String text) {
        output.line(output.strong(unit.text()), ": ", coloured(level, text));
    }

    @Override
    public void output(UnitName unit, String line) {
        Styled name = Output.styled(unit.text() + " |", "36");
        if (printed == null) {
            output.line(name, " ", line);
        } else {
            pending.add(output.rendered(name, " ", line));
        }
    }

    /** Prints a line that is not part of a unit's own output. */
    void message(String line) {
        output.line(line);
    }

    @Override
    public void outputCommitted(long file, long position) {
        if (printed != null) {
            printed.add(pending, file, position);
            pending.clear();
        }
    }

    @Override
    public long committedPosition(long file) {
        return printed == null ? 0 : printed.committedPosition(file);
    }

    @Override
    public void event(Level level, String text) {
        output.line(output.strong("holdfast"), ": ", coloured(level, text));
    }

    /** Returns how many lines were dropped because a reader was too slow. */
    long dropped() {
        return output.droppedLines();
    }

    /** Waits until the queued lines are printed, for a limited time ({@link Output#flush}). */
    void flush() {
        output.flush();
    }

    private Object coloured(Level level, String text) {
        return switch (level) {
            case INFO -> text;
            case DEBUG, NOTICE -> output.faint(text);
            case WARNING -> output.warning(text);
            case ERROR -> output.bad(text);
        };
    }
}
