package io.holdfast.benchmarks.operations;

import io.holdfast.core.Signal;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessInfo;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Queries about a process by pidfd: this process. */
@State(Scope.Thread)
public class PidFdOperations {
    private final Signal none = new Signal(0);
    private final PidFd self = PidFd.self();

    @Benchmark
    public ProcessInfo info() {
        return self.info();
    }

    @Benchmark
    public boolean isAlive() {
        return self.isAlive();
    }

    @Benchmark
    public boolean signal() {
        return self.signal(none);
    }

    @TearDown
    public void close() {
        self.close();
    }
}
