package io.holdfast.dbus.typed;

import java.util.concurrent.CompletableFuture;

/**
 * Begins what takes no reply at once: one after the other, in the order in which it was given, on
 * virtual threads that exist while there is something to begin. Safe for use by any thread.
 */
final class BeginningOrder {
    private CompletableFuture<?> last = CompletableFuture.completedFuture(null);

    /** Runs it after what was given before, however that ended. */
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
