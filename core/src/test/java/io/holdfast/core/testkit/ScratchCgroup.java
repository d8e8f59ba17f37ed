package io.holdfast.core.testkit;

import io.holdfast.core.process.Cgroup;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A cgroup for one test, below the root of the hierarchy. Closing it kills what is left in it and
 * removes it.
 */
public final class ScratchCgroup implements AutoCloseable {
    private static final AtomicInteger COUNT = new AtomicInteger();
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final Cgroup cgroup;

    private ScratchCgroup(Cgroup cgroup) {
        this.cgroup = cgroup;
    }

    /** Makes one. */
    public static ScratchCgroup create() {
        long jvm = ProcessHandle.current().pid();
        try (Cgroup root = Cgroup.root()) {
            return new ScratchCgroup(
                    root.create("holdfast-test-" + jvm + "-" + COUNT.incrementAndGet()));
        }
    }

    public Cgroup cgroup() {
        return cgroup;
    }

    /** Its folder, for children that are to join it by themselves. */
    public String folder() {
        return Cgroup.mountPoint() + cgroup.path().path();
    }

    @Override
    public void close() {
        try {
            cgroup.kill();
            if (!cgroup.awaitEmpty(LIMIT)) {
                throw new IllegalStateException(cgroup + " is not empty after " + LIMIT);
            }
            cgroup.removeAll();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            cgroup.close();
        }
    }
}
