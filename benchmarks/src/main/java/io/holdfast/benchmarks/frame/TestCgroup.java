package io.holdfast.benchmarks.frame;

import io.holdfast.core.process.Cgroup;
import java.time.Duration;

/** A cgroup for one sample or row, which is emptied and removed with it. */
public record TestCgroup(Cgroup cgroup) implements AutoCloseable {
    /** Makes one below our own. */
    public static TestCgroup make() {
        try (Cgroup own = Cgroup.own()) {
            return new TestCgroup(own.create("holdfast-bench-" + ProcessHandle.current().pid()));
        }
    }

    /** Its directory. */
    public String folder() {
        return Cgroup.mountPoint() + cgroup.path().path();
    }

    /** An interrupt leaves it behind, without members. */
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
