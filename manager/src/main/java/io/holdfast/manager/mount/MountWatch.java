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
import io.holdfast.manager.unit.file.MountTable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The kernel's table of mounts, which all mounts of a manager share: read by a worker after each
 * change. Reading takes longer the more mounts there are, so it takes at most a twentieth of the
 * time, however often the table changes. Without mounts to report to, nothing is watched. Used on
 * the event loop.
 */
public final class MountWatch {
    private static final int PAUSE = 19; // times the length of a read

    /** Receives the changes. */
    interface Listener {
        /** Called when the table was read again. */
        void mountsRead();
    }

    private final EventLoop loop;
    private final Lane lane;
    private final Consumer<String> warnings;
    private final TimeLimit pause;
    private final Set<Listener> listeners = new LinkedHashSet<>();
    private List<Runnable> waiting = new ArrayList<>();
    private MountTable table = MountTable.EMPTY;
    private @Nullable Fd file;
    private @Nullable Registration watch;
    private boolean reading;
    private boolean again;

    /**
     * @param lane for the reads
     */
    public MountWatch(EventLoop loop, Lane lane, Consumer<String> warnings) {
        this.loop = loop;
        this.lane = lane;
        this.warnings = warnings;
        this.pause = new TimeLimit(loop);
    }

    /** Returns the table as it was last read. */
    MountTable table() {
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
            Fd opened = Fcntl.open(MountTable.FILE, Fcntl.O_RDONLY);
            file = opened;
            watch = loop.watch(opened, Readiness.PRI, _ -> request());
        } catch (ErrnoException e) {
            warnings.accept("mounts by others are not noticed: " + e.getMessage());
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
        Work<MountTable> _ =
                lane.work("the table of mounts", MountTable::readWhole)
                        .within(ManagerLimits.READ_TIMEOUT.duration())
                        .begin((found, failure) -> {
                            if (found == null) {
                                warnings.accept(
                                        "cannot read the table of mounts: " + Work.reason(failure));
                            } else if (!found.equals(table)) {
                                table = found;
                            }
                            try {
                                List.copyOf(listeners).forEach(Listener::mountsRead);
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
