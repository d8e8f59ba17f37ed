package io.holdfast.manager.process;

import io.holdfast.core.EventLoop;
import io.holdfast.core.Readiness;
import io.holdfast.core.Registration;
import io.holdfast.core.Signal;
import io.holdfast.core.sys.process.SignalDispositions;
import io.holdfast.core.sys.process.SysSignalfd;

/**
 * Reports SIGCHLD to an event loop. A keeper starts its manager with the signal blocked: then it
 * comes through a descriptor, otherwise through the JVM, which starts a thread for each signal.
 */
public final class ChildSignal {
    private ChildSignal() {}

    /** Runs a task on the loop after exits of children. Called on the loop. */
    public static Registration watch(EventLoop loop, Runnable task) {
        if (!SignalDispositions.isBlocked(Signal.CHLD)) {
            return loop.onSignal(Signal.CHLD, task);
        }
        SysSignalfd signals = new SysSignalfd(Signal.CHLD);
        EventLoop.Watch watch =
                loop.watch(
                        signals.fd(),
                        Readiness.IN,
                        _ -> {
                            signals.drain();
                            task.run();
                        });
        return () -> {
            boolean watched = watch.cancel();
            signals.close();
            return watched;
        };
    }
}
