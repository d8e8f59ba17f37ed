package io.holdfast.cli.up;

import io.holdfast.cli.output.Output;
import io.holdfast.manager.log.ManagerListener;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.view.UnitView;
import java.util.Optional;
import java.util.function.Function;

/** Prints the events of a manager and the output of its units, line by line. */
public final class EventLines implements ManagerListener {
    private final Output output;
    private final Optional<EventJournal> journal;
    private volatile Function<UnitName, Optional<UnitView>> units = _ -> Optional.empty();

    /**
     * Prints to an output.
     *
     * @param output must queue its lines, because the manager's loop must not wait for a reader
     */
    public EventLines(Output output) {
        this(output, Optional.empty());
    }

    /**
     * Prints to an output, and to the journal.
     *
     * @param journal lent
     */
    EventLines(Output output, Optional<EventJournal> journal) {
        this.output = output;
        this.journal = journal;
    }

    /**
     * Sets how the units of messages are found: {@code LogLevelMax=} of a unit applies to messages
     * about it, too, and the journal names the run.
     *
     * @param find called on the loop; empty: the unit is not loaded
     */
    void units(Function<UnitName, Optional<UnitView>> find) {
        units = find;
    }

    private static boolean isWanted(UnitView unit, Level level) {
        return unit.inForce()
                .execution()
                .map(exec -> exec.journal().levelMax())
                .filter(most -> most.isPresent() && level.priority() > most.getAsInt())
                .isEmpty();
    }

    @Override
    public void event(UnitName unit, Level level, String text) {
        Optional<UnitView> view = units.apply(unit);
        if (view.filter(found -> !isWanted(found, level)).isPresent()) {
            return;
        }
        output.line(output.strong(unit.text()), ": ", coloured(level, text));
        journal.ifPresent(each -> {
            each.send(
                    Optional.of(unit),
                    view.map(found -> found.status().invocationId()).orElse(""),
                    level,
                    text);
            if (unit.equals(JournalPlace.RECEIVER)) {
                each.received(); // it has started
            }
        });
    }

    /** Prints a line of a unit that the manager itself reads, and passes it on to the journal. */
    @Override
    public void output(UnitName unit, String line) {
        output(unit.text(), line);
        if (!unit.equals(JournalPlace.RECEIVER)) { // its own line would follow upon it
            journal.ifPresent(each -> each.send(Optional.of(unit), "", Level.INFO, line));
        }
    }

    /** Prints a line of a unit, or of another sender. */
    void output(String source, String line) {
        output.line(Output.styled(source + " |", "36"), " ", line);
    }

    /** Prints a line that is not part of a unit's own output. */
    void message(String line) {
        output.line(line);
    }

    @Override
    public void event(Level level, String text) {
        output.line(output.strong("holdfast"), ": ", coloured(level, text));
        journal.ifPresent(each -> each.send(Optional.empty(), "", level, text));
    }

    /** Returns how many lines were dropped because a reader was too slow. */
    long dropped() {
        return output.droppedLines();
    }

    /** Returns whether all lines are written; waits for that for a limited time. */
    boolean isWritten() throws InterruptedException {
        return output.isWritten();
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
