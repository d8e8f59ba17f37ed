package io.holdfast.authority.agent;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.holdfast.core.Readiness;
import io.holdfast.core.Registration;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.UnixSocket;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/**
 * Ends a dialog whose result is no longer wanted: the connection was hung up, the agent has exited
 * (another process may still hold its socket), or the time is over. PAM cannot be cancelled, so the
 * process has to end; until then, no thread of this class interferes with PAM.
 */
final class DialogWatch implements AutoCloseable {
    /**
     * How long PAM may take to end when the agent has gone. If PAM waits for an answer, it ends at
     * once, and its modules record the failure and wipe their secrets.
     */
    static final Duration GRACE = Duration.ofSeconds(3);

    private final AtomicBoolean over = new AtomicBoolean();
    private final Consumer<String> end;
    private final Thread timer;
    private final Registration hangUp;

    /**
     * Begins to watch.
     *
     * @param agent lent until this is closed
     * @param end called at most once, with the reason, on another thread
     */
    DialogWatch(UnixSocket connection, PidFd agent, Duration limit, Consumer<String> end) {
        this.end = end;
        timer = after(limit, "the dialog has lasted for " + limit.toSeconds() + " s");
        hangUp =
                Readiness.once(
                        connection.fd(),
                        Readiness.HUP,
                        _ ->
                                Readiness.executor()
                                        .execute(() -> after(GRACE, "the agent has hung up")));
        var _ = agent.onExit().thenRun(() -> after(GRACE, "the agent has exited"));
    }

    @CanIgnoreReturnValue
    private Thread after(Duration time, String reason) {
        return Thread.ofVirtual()
                .name("end of the dialog")
                .start(() -> {
                    try {
                        Thread.sleep(time);
                    } catch (InterruptedException e) {
                        return; // the dialog ended in time
                    }
                    if (!over.getAndSet(true)) {
                        end.accept(reason);
                    }
                });
    }

    /** Stops watching: the dialog has ended. */
    @Override
    public void close() {
        over.set(true);
        timer.interrupt();
        boolean ignored = hangUp.cancel();
    }
}
