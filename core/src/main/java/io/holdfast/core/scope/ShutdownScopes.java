package io.holdfast.core.scope;

import io.holdfast.core.limit.CoreLimits;
import io.holdfast.core.sys.Deadline;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The open scopes that end when this JVM shuts down, by one shutdown hook for all of them. Each
 * ends on a thread of its own, so that the grace of one delays no other.
 */
final class ShutdownScopes {
    /** The part of the limit that is reserved for the kills after the grace. */
    private static final Duration KILL_RESERVE = Duration.ofSeconds(1);

    private static final Set<ProcessScope> OPEN = ConcurrentHashMap.newKeySet();
    private static final Thread HOOK = new Thread(ShutdownScopes::endAll, "holdfast-scopes-end");
    private static boolean hooked; // guarded by the class

    private ShutdownScopes() {}

    /** Adds an open scope; does nothing if the JVM is shutting down already. */
    static void add(ProcessScope scope) {
        if (hook()) {
            boolean _ = OPEN.add(scope);
        }
    }

    static void remove(ProcessScope scope) {
        boolean _ = OPEN.remove(scope);
    }

    /** Returns whether the hook will run: false if the shutdown has begun. */
    private static synchronized boolean hook() {
        try {
            if (hooked) {
                // the JVM says by an exception that it is shutting down
                boolean _ = Runtime.getRuntime().removeShutdownHook(Thread.currentThread());
            } else {
                Runtime.getRuntime().addShutdownHook(HOOK);
                hooked = true;
            }
            return true;
        } catch (IllegalStateException e) {
            return false;
        }
    }

    private static void endAll() {
        Duration limit = CoreLimits.SCOPE_SHUTDOWN_TIMEOUT.duration();
        Deadline deadline = Deadline.after(limit);
        Duration reserved = limit.minus(KILL_RESERVE);
        Duration grace = reserved.isNegative() ? Duration.ZERO : reserved;
        List<Thread> threads = new ArrayList<>();
        for (ProcessScope scope : OPEN) {
            Thread thread =
                    Thread.ofPlatform()
                            .daemon()
                            .name("holdfast-scope-end")
                            .unstarted(() -> scope.endAtShutdown(grace));
            try {
                thread.start();
                threads.add(thread);
            } catch (OutOfMemoryError e) { // no further thread
                scope.endAtShutdown(Duration.ZERO);
            }
        }
        for (Thread thread : threads) {
            join(thread, deadline);
        }
    }

    private static void join(Thread thread, Deadline deadline) {
        try {
            boolean _ = thread.join(deadline.left());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // no code interrupts the hook
        }
    }
}
