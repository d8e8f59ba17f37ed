package io.holdfast.benchmarks.frame;

import io.holdfast.core.process.Cgroup;
import java.time.Duration;

/** A cgroup for one sample or row; it is emptied and removed at the end. */
public record TestCgroup(Cgroup cgroup) implements AutoCloseable {
    /** Makes one below the cgroup of this process. */
    public static TestCgroup make() {
        try (Cgroup own = Cgroup.own()) {
            return new TestCgroup(own.create("holdfast-bench-" + ProcessHandle.current().pid()));
        }
    }

    /** Returns its directory. */
    public String folder() {
        return Cgroup.mountPoint() + cgroup.path().path();
    }

    /** Removes it. An interrupt leaves it behind, without members. */
    @Override
    public void close() {
        try (cgroup) {
            cgroup.kill();
            if (cgroup.awaitEmpty(Duration.ofMinutes(1))) {
                cgroup.removeAll();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
