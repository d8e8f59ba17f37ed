package io.holdfast.benchmarks.bus;

import io.holdfast.benchmarks.frame.Launcher;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import java.time.Duration;

/** A process that runs until it is terminated. */
final class MeasuredDaemon implements AutoCloseable {
    private static final Duration END = Duration.ofSeconds(10);

    private final Child child;

    MeasuredDaemon(Spawn spawn) {
        this.child = spawn.start();
    }

    /** Returns its resident memory, in KiB. */
    long resident() {
        return Launcher.status(child.pidFd().pid(), "VmRSS");
    }

    /** Terminates it, and kills it if it does not exit. */
    @Override
    public void close() {
        try (child) {
            boolean signalled = child.signal(Signal.TERM);
            if (signalled && child.await(END).isEmpty()) {
                boolean ignored = child.signal(Signal.KILL);
                var _ = child.await();
            }
        } catch (InterruptedException e) {
            boolean ignored = child.signal(Signal.KILL);
            Thread.currentThread().interrupt();
        }
    }
}
