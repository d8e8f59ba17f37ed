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
 * Ends a dialog that nobody waits for any more: the connection was hung up, the agent has exited
 * (its socket may live on in other hands), or the time is over. PAM cannot be cancelled, so the end
 * is that of the process; until then no thread of ours is in the way of PAM's.
 */
final class DialogWatch implements AutoCloseable {
    /**
     * What PAM gets to end by itself when the agent has gone: where it waits for an answer it does
     * so at once, and its modules note the failure and wipe what they know.
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
     * @param end called at most once, with the reason, by another thread
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
                        return; // it has ended in time
                    }
                    if (!over.getAndSet(true)) {
                        end.accept(reason);
                    }
                });
    }

    /** The dialog has ended by itself. */
    @Override
    public void close() {
        over.set(true);
        timer.interrupt();
        boolean ignored = hangUp.cancel();
    }
}
