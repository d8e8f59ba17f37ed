package io.holdfast.manager;

import io.holdfast.core.linux.EventLoop;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/** Platform threads for what may block in the kernel; the answers are posted back to the loop. */
final class Workers implements AutoCloseable {
    /** What becomes of an answer, on the loop. */
    interface Answer<T> {
        /**
         * @param value null if it failed
         * @param failure null if it did not
         */
        void accept(@Nullable T value, @Nullable Exception failure);
    }

    private final EventLoop loop;
    private final ExecutorService threads;

    /** For what the manager does. */
    Workers(EventLoop loop) {
        this(loop, "holdfast-work-", Limits.WORKERS);
    }

    /** For what others only ask, so that no questions hold up what is done. */
    static Workers forReaders(EventLoop loop) {
        return new Workers(loop, "holdfast-read-", Limits.READERS);
    }

    private Workers(EventLoop loop, String name, int count) {
        this.loop = loop;
        this.threads =
                Executors.newFixedThreadPool(
                        count, Thread.ofPlatform().daemon().name(name, 0).factory());
    }

    /**
     * Does the work elsewhere, and answers here.
     *
     * @throws java.util.concurrent.RejectedExecutionException after the close
     */
    <T> void run(Callable<T> work, Answer<? super T> answer) {
        threads.execute(() -> loop.postEnding(outcome(work, answer)));
    }

    private static <T> Runnable outcome(Callable<T> work, Answer<? super T> answer) {
        try {
            T value = work.call();
            return () -> answer.accept(value, null);
        } catch (Exception e) {
            return () -> answer.accept(null, e);
        } catch (Error e) { // whoever waits for the answer is to hear of it
            return () -> answer.accept(null, new IllegalStateException(e));
        }
    }

    /** Lets what was begun come to its end. */
    @Override
    public void close() {
        threads.close();
    }
}
