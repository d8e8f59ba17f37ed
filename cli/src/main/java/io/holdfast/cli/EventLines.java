package io.holdfast.cli;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.manager.ManagerListener;
import io.holdfast.manager.unit.UnitName;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Prints what a manager tells, line by line, on a thread of its own: whoever reads slowly delays
 * nothing but the lines. Beyond {@link #WAITING} lines they are dropped and counted.
 */
final class EventLines implements ManagerListener, AutoCloseable {
    /** Lines that may wait to be printed ({@code -Dio.holdfast.eventLines}). */
    static final int WAITING = Integer.getInteger("io.holdfast.eventLines", 8192);

    private final Output output;

    /** Empty is the end. At most {@link #WAITING}, and what the end adds. */
    private final LinkedBlockingQueue<Optional<String>> lines = new LinkedBlockingQueue<>();

    private final Thread writer;

    @GuardedBy("this")
    private long dropped;

    @GuardedBy("this")
    private boolean closed;

    EventLines(Output output) {
        this.output = output;
        this.writer = Thread.ofPlatform().daemon().name("holdfast-lines").start(this::write);
    }

    @Override
    public void event(UnitName unit, Level level, String text) {
        add(output.style(unit.text(), "1") + ": " + coloured(level, text));
    }

    @Override
    public void output(UnitName unit, String line) {
        add(
                output.style(unit.text() + " |", "36")
                        + " "
                        + (output.isTerminal() ? Output.plain(line) : line));
    }

    @Override
    public void event(Level level, String text) {
        add(output.style("holdfast", "1") + ": " + coloured(level, text));
    }

    private String coloured(Level level, String text) {
        return switch (level) {
            case INFO -> text;
            case NOTICE -> output.style(text, "2");
            case WARNING -> output.style(text, "33");
            case ERROR -> output.style(text, "31");
        };
    }

    private synchronized void add(String line) {
        tellDropped();
        if (closed || dropped > 0 || lines.size() >= WAITING) {
            dropped++;
        } else {
            lines.add(Optional.of(line));
        }
    }

    /** As soon as there is room, behind the last line that was kept. */
    private synchronized void tellDropped() {
        if (dropped > 0 && !closed && lines.size() < WAITING) {
            lines.add(Optional.of(dropped()));
        }
    }

    private synchronized String dropped() {
        String text = "holdfast: " + dropped + " lines were dropped here";
        dropped = 0;
        return text;
    }

    private void write() {
        try {
            for (Optional<String> line = lines.take(); line.isPresent(); line = lines.take()) {
                tellDropped();
                output.line(line.get());
                if (lines.isEmpty()) {
                    output.out().flush();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void end() {
        if (dropped > 0) {
            lines.add(Optional.of(dropped()));
        }
        closed = true;
        lines.add(Optional.empty());
    }

    /** Whether nothing but a line can wake who prints them. */
    boolean isAtRest() {
        return writer.getState() == Thread.State.WAITING;
    }

    /** Prints what waits. */
    @Override
    public void close() {
        end();
        try {
            writer.join(java.time.Duration.ofSeconds(2));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        output.out().flush();
    }
}
