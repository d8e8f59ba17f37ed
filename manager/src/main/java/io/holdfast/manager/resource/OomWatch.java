package io.holdfast.manager.resource;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Notices that the kernel's OOM killer has killed processes of a cgroup: the {@code memory.events}
 * file reports EPOLLPRI after each change, until it is read again.
 */
public final class OomWatch implements AutoCloseable {
    private static final String FILE = "memory.events";
    private static final int ROOM = 1024;

    private final Fd file;
    private final Runnable killed;
    private final byte[] content = new byte[ROOM];
    private long known;
    private EventLoop.@Nullable Watch watch;

    private OomWatch(Fd file, long known, Runnable killed) {
        this.file = file;
        this.known = known;
        this.killed = killed;
    }

    /**
     * Opens the file of a cgroup; empty if the memory controller is not enabled for it.
     *
     * @param known how many kills have been noticed; -1: all until now
     * @param killed called on the loop when there are more
     */
    public static Optional<OomWatch> of(Cgroup cgroup, long known, Runnable killed) {
        return of(cgroup.fd(), known, killed);
    }

    static Optional<OomWatch> of(Fd folder, long known, Runnable killed) {
        try {
            OomWatch opened =
                    new OomWatch(Fcntl.open(folder, FILE, Fcntl.O_RDONLY, 0), known, killed);
            if (known < 0) {
                opened.known = Math.max(0, opened.kills());
            }
            return Optional.of(opened);
        } catch (ErrnoException e) {
            return Optional.empty();
        }
    }

    /** Begins to watch. Called on the loop. */
    public void begin(EventLoop loop) {
        watch = loop.watch(file, Readiness.PRI, _ -> check());
    }

    /** Looks for kills that have not been noticed yet. Called on the loop. */
    public void check() {
        long now = kills();
        if (now < 0 && watch != null) { // the cgroup was removed, which is reported for ever
            watch.close();
        } else if (now > known) {
            known = now;
            killed.run();
        }
    }

    /** Returns how many kills have been noticed. */
    public long known() {
        return known;
    }

    private long kills() {
        int n = Unistd.readFromStart(file, content);
        return n < 0
                ? -1 // the cgroup was removed
                : ResourceUsage.ofKey(
                        new String(content, 0, n, StandardCharsets.US_ASCII), "oom_kill");
    }

    @Override
    public void close() {
        if (watch != null) {
            watch.close();
        }
        file.close();
    }
}
