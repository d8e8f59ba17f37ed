package io.holdfast.core.testkit;

import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Waiting for what has no event of its own: the state of a thread, a file of {@code /proc}. Without
 * limit: the test has one ({@code @Timeout}).
 */
public final class Await {
    private static final String POLL = "io.holdfast.core.sys.SysPoll.await";
    private static final long FIRST_PAUSE_NANOS = 200_000;
    private static final long LONGEST_PAUSE_NANOS = 4_000_000;

    private Await() {}

    /** Until it holds. */
    public static void until(BooleanSupplier condition) {
        long pause = FIRST_PAUSE_NANOS;
        while (!condition.getAsBoolean()) {
            if (Thread.interrupted()) {
                throw new IllegalStateException("interrupted while waiting: is it a time-out?");
            }
            LockSupport.parkNanos(pause);
            pause = Math.min(2 * pause, LONGEST_PAUSE_NANOS); // leaves the processor to other tests
        }
    }

    /** Leaves the processor to other tests for a moment, in a loop of requests or looks. */
    public static void pause() {
        LockSupport.parkNanos(LONGEST_PAUSE_NANOS);
    }

    /** Until the thread is parked, waits for a notification, or waits in {@code poll(2)}. */
    public static void parked(Thread thread) {
        until(() -> {
            Thread.State state = thread.getState();
            if (state == Thread.State.TERMINATED) {
                throw new IllegalStateException(thread + " has ended instead of waiting");
            }
            return state == Thread.State.WAITING
                    || state == Thread.State.TIMED_WAITING
                    || isInKernel(thread);
        });
    }

    private static boolean isInKernel(Thread thread) {
        return Arrays.stream(thread.getStackTrace())
                .map(frame -> frame.getClassName() + "." + frame.getMethodName())
                .anyMatch(POLL::equals);
    }
}
