package io.holdfast.manager.mount;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.Registration;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.TimeLimit;
import io.holdfast.manager.loop.Work;
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
 * worker after each change. Reading takes longer the longer the table is, so it takes at most a
 * twentieth of the time, however often the table changes. Without units to report to, nothing is
 * watched. Used on the event loop.
 *
 * @param <T> the table; immutable
 */
public final class TableWatch<T> {
    private static final int PAUSE = 19; // times the length of a read

    /** Receives the changes. */
    interface Listener {
        /** Called when the table was read again. */
        void tableRead();
    }

    private final EventLoop loop;
    private final Lane lane;
    private final String path;
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
     * @param path the kernel's file, whose poll reports a change as an error
     * @param empty the table until it is read
     * @param reader reads the table; blocking
     */
    public TableWatch(
            EventLoop loop,
            Lane lane,
            String path,
            T empty,
            Callable<T> reader,
            Consumer<String> warnings) {
        this.loop = loop;
        this.lane = lane;
        this.path = path;
        this.table = empty;
        this.reader = reader;
        this.warnings = warnings;
        this.pause = new TimeLimit(loop);
    }

    /** Returns the table as it was last read. */
    T table() {
        return table;
    }

    void add(Listener listener) {
        if (listeners.add(listener) && file == null) {
            begin();
        }
        request();
    }

    void remove(Listener listener) {
        listeners.remove(listener);
        if (listeners.isEmpty()) {
            end();
        }
    }

    private void begin() {
        try {
            Fd opened = Fcntl.open(path, Fcntl.O_RDONLY);
            file = opened;
            watch = loop.watch(opened, Readiness.PRI, _ -> request());
        } catch (ErrnoException e) {
            warnings.accept("changes of " + path + " by others are not noticed: " + e.getMessage());
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
    void refresh(Runnable then) {
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
                lane.work("the read of " + path, reader)
                        .within(ManagerLimits.READ_TIMEOUT.duration())
                        .begin((found, failure) -> {
                            if (found == null) {
                                warnings.accept(
                                        "cannot read " + path + ": " + Work.reason(failure));
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
