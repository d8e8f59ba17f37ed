package io.holdfast.dbus.typed;

import java.util.concurrent.CompletableFuture;

/**
 * Begins calls of asynchronous methods one after the other, in the order in which they arrived, on
 * virtual threads that exist while there is a call to begin. Safe for use by any thread.
 */
final class BeginningOrder {
    private CompletableFuture<?> last = CompletableFuture.completedFuture(null);

    /** Runs the task after those that were added before, even if one of them failed. */
    synchronized void run(Runnable task) {
        last =
                last.handleAsync(
                        (_, _) -> {
                            task.run();
                            return null;
                        },
                        running ->
                                Thread.ofVirtual().name("D-Bus call that begins").start(running));
    }
}
