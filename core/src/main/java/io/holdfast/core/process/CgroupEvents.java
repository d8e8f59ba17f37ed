package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.Registration;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.core.sys.Unistd;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * The {@code cgroup.events} file of a cgroup, held open: after every change it reports EPOLLPRI
 * until it is read again from the start. A removed cgroup counts as empty and thawed.
 */
final class CgroupEvents implements AutoCloseable {
    static final String FILE = "cgroup.events";

    private static final int ROOM = 512;

    private final Cgroup cgroup;
    private final Fd file;
    private final byte[] content = new byte[ROOM];

    CgroupEvents(Cgroup cgroup) {
        this.cgroup = cgroup;
        this.file = cgroup.open(FILE, Fcntl.O_RDONLY);
    }

    private boolean says(String line) {
        int n = Unistd.readFromStart(file, content);
        if (n < 0) {
            if (n != -Errno.ENODEV && n != -Errno.ENOENT) {
                throw new ErrnoException("read", FILE + " of " + cgroup, -n);
            }
            return line.endsWith(" 0"); // removed
        }
        return new String(content, 0, n, StandardCharsets.US_ASCII).contains(line);
    }

    boolean await(String line, Duration limit) throws InterruptedException {
        long deadline = System.nanoTime() + Readiness.nanos(limit);
        while (!says(line)) {
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                return false;
            }
            int ignored = Readiness.await(file, Readiness.PRI, Duration.ofNanos(left));
        }
        return true;
    }

    /**
     * Freezes or thaws the cgroup, and waits for the new state; returns false when the time is
     * over.
     */
    static boolean setFrozen(Cgroup cgroup, boolean frozen, Duration limit)
            throws InterruptedException {
        String value = frozen ? "1" : "0";
        try (CgroupEvents events = new CgroupEvents(cgroup)) {
            int r = KernelFile.write(cgroup.fd(), "cgroup.freeze", value);
            ErrnoException.check(r, "cgroup.freeze", cgroup.path().path());
            return events.await("frozen " + value, limit);
        }
    }

    static Registration onEmpty(Cgroup cgroup, EventLoop loop, Runnable empty) {
        CgroupEvents events = new CgroupEvents(cgroup);
        try {
            boolean[] called = new boolean[1];
            Runnable look =
                    () -> {
                        if (!called[0] && events.says("populated 0")) {
                            called[0] = true;
                            events.close();
                            empty.run();
                        }
                    };
            EventLoop.Watch watch = loop.watch(events.file, Readiness.PRI, _ -> look.run());
            EventLoop.Timer first = loop.after(Duration.ZERO, look);
            return () -> {
                boolean pending = !called[0];
                called[0] = true;
                first.cancel();
                watch.close();
                events.close();
                return pending;
            };
        } catch (RuntimeException e) {
            events.close();
            throw e;
        }
    }

    @Override
    public void close() {
        file.close();
    }
}
