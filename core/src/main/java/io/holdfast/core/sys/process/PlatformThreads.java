package io.holdfast.core.sys.process;

import io.holdfast.core.limit.CoreLimits;
import io.holdfast.core.sys.Uninterruptible;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** The threads that wait for a {@link SpawnThread}, which must not resume a virtual thread. */
public final class PlatformThreads {
    private PlatformThreads() {}

    /** Created on first use. */
    private static final class Lazy {
        static final ExecutorService POOL = pool();

        private static ExecutorService pool() {
            int threads = CoreLimits.SPAWNERS.intValue();
            var pool =
                    new ThreadPoolExecutor(
                            threads,
                            threads,
                            10,
                            TimeUnit.SECONDS,
                            new LinkedBlockingQueue<>(), // one entry for each waiting caller
                            Thread.ofPlatform().daemon().name("holdfast-spawn-", 0).factory());
            pool.allowCoreThreadTimeOut(true);
            return pool;
        }
    }

    /**
     * Runs a task: on the calling thread, or if that is a virtual one on one of at most {@link
     * CoreLimits#SPAWNERS} platform threads.
     */
    public static <T> T run(Supplier<T> task) {
        return Thread.currentThread().isVirtual()
                ? Uninterruptible.result(Lazy.POOL.submit(task::get))
                : task.get();
    }
}
