package io.holdfast.manager.loop;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.Registration;
import io.holdfast.core.sys.Fcntl;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A table of the kernel, such as that of the mounts, which all units of a type share: read by a
 * worker after each change. Reading takes longer the longer the table is, so it takes at most 4 %
 * of the time, however often the table changes. Without units to report to, nothing is watched.
 * Used on the event loop.
 *
 * @param <T> the table; immutable
 */
public final class TableWatch<T> {
    private static final int PAUSE = 24; // times the length of a read

    /** Receives the changes. */
    public interface Listener {
        /** Called when the table was read again. */
        void tableRead();
    }

    /** What reports changes of the table. */
    public interface Source {
        /**
         * Opens what becomes ready when the table changes.
         *
         * @throws ErrnoException if it cannot be opened: then changes are not noticed
         */
        Fd open();

        /** Returns the readiness that reports a change, of {@link Readiness}. */
        default int readiness() {
            return Readiness.IN;
        }

        /** Removes what was reported; must not block. */
        default void drain(Fd opened) {}

        /** Returns a file of the kernel, whose poll reports a change as an error. */
        static Source ofFile(String path) {
            return new Source() {
                @Override
                public Fd open() {
                    return Fcntl.open(path, Fcntl.O_RDONLY);
                }

                @Override
                public int readiness() {
                    return Readiness.PRI;
                }
            };
        }
    }

    private final EventLoop loop;
    private final Lane lane;
    private final String name;
    private final Source source;
    private final Callable<T> reader;
    private final Consumer<String> warnings;
    private final TimeLimit pause;
    private final Set<Listener> listeners = new LinkedHashSet<>();
    private List<Runnable> waiting = new ArrayList<>();
    private T table;
    private @Nullable Fd file;
    private @Nullable Registration watch;
    private boolean reading;
    private boolean again;

    /**
     * @param lane for the reads
     * @param name of the table, for log lines
     * @param empty the table until it is read
     * @param reader reads the table; blocking
     */
    public TableWatch(
            EventLoop loop,
            Lane lane,
            String name,
            Source source,
            T empty,
            Callable<T> reader,
            Consumer<String> warnings) {
        this.loop = loop;
        this.lane = lane;
        this.name = name;
        this.source = source;
        this.table = empty;
        this.reader = reader;
        this.warnings = warnings;
        this.pause = new TimeLimit(loop);
    }

    /** Returns the table as it was last read. */
    public T table() {
        return table;
    }

    /** Adds a listener, and reads the table soon. */
    public void add(Listener listener) {
        if (listeners.add(listener) && file == null) {
            begin();
        }
        request();
    }

    public void remove(Listener listener) {
        listeners.remove(listener);
        if (listeners.isEmpty()) {
            end();
        }
    }

    private void begin() {
        try {
            Fd opened = source.open();
            file = opened;
            watch =
                    loop.watch(
                            opened,
                            source.readiness(),
                            _ -> {
                                source.drain(opened);
                                request();
                            });
        } catch (ErrnoException e) {
            warnings.accept("changes of " + name + " by others are not noticed: " + e.getMessage());
        }
    }

    private void end() {
        pause.lift();
        if (watch != null) {
            watch.cancel();
            watch = null;
        }
        if (file != null) {
            file.close();
            file = null;
        }
    }

    /** Reads the table soon. */
    private void request() {
        again = true;
        if (!reading && !pause.isSet()) {
            read();
        }
    }

    /** Reads the table now, and then calls back. */
    public void refresh(Runnable then) {
        waiting.add(then);
        again = true;
        if (!reading) {
            read();
        }
    }

    private void read() {
        pause.lift();
        reading = true;
        again = false;
        List<Runnable> answered = waiting;
        waiting = new ArrayList<>();
        long begun = System.nanoTime();
        Work<T> _ =
                lane.work("the read of " + name, reader)
                        .within(ManagerLimits.READ_TIMEOUT.duration())
                        .begin((found, failure) -> {
                            if (found == null) {
                                warnings.accept(
                                        "cannot read " + name + ": " + Work.reason(failure));
                            } else if (!found.equals(table)) {
                                table = found;
                            }
                            try {
                                List.copyOf(listeners).forEach(Listener::tableRead);
                                answered.forEach(Runnable::run);
                            } finally {
                                over(System.nanoTime() - begun);
                            }
                        });
    }

    private void over(long nanos) {
        reading = false;
        if (!waiting.isEmpty()) {
            read();
        } else if (!listeners.isEmpty()) {
            pause.set(
                    Duration.ofNanos(PAUSE * nanos),
                    () -> {
                        if (again) {
                            read();
                        }
                    });
        }
    }
}
