package io.holdfast.dbus;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Runs the calls of one object one after the other, on a virtual thread that exists while calls
 * wait. Safe for use by any thread.
 */
final class WaitingCalls {
    private static final Logger LOG = System.getLogger(WaitingCalls.class.getName());

    private final String path;

    /** The calls that wait for the running one. */
    @GuardedBy("this")
    private final Deque<Runnable> waiting = new ArrayDeque<>();

    @GuardedBy("this")
    private boolean running;

    /**
     * @param path the path of the object, for thread names and logs
     */
    WaitingCalls(String path) {
        this.path = path;
    }

    /** Runs the call after those that were added before. */
    synchronized void add(Runnable call) {
        waiting.add(call);
        if (!running) {
            running = true;
            var _ = Thread.ofVirtual().name("D-Bus object " + path).start(this::runAll);
        }
    }

    private void runAll() {
        for (Runnable call = next(); call != null; call = next()) {
            try {
                call.run();
            } catch (RuntimeException | Error e) { // the calls behind it must still be answered
                LOG.log(Level.WARNING, "a call of " + path + " was not answered", e);
            }
        }
    }

    private synchronized @Nullable Runnable next() {
        Runnable call = waiting.poll();
        running = call != null;
        return call;
    }
}
