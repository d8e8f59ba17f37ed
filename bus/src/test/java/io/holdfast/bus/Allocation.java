package io.holdfast.bus;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/** Asserts that code which has been compiled allocates nothing. */
public final class Allocation {
    private static final int ROUNDS = 1000;
    private static final int RUNS = 2000;

    /**
     * Returns the bytes that a thread has allocated; a handle, since the bus does not read that
     * module.
     */
    private static final MethodHandle ALLOCATED;

    static {
        try {
            Class<?> beans = Class.forName("java.lang.management.ManagementFactory");
            Object threads = beans.getMethod("getThreadMXBean").invoke(null);
            ALLOCATED =
                    MethodHandles.publicLookup()
                            .findVirtual(
                                    Class.forName("com.sun.management.ThreadMXBean"),
                                    "getThreadAllocatedBytes",
                                    MethodType.methodType(long.class, long.class))
                            .bindTo(threads);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private Allocation() {}

    /**
     * Runs the work until the compiler has finished with it: then whole rounds allocate nothing.
     */
    public static void assertNone(Runnable work) {
        long thread = Thread.currentThread().threadId();
        long least = Long.MAX_VALUE;
        for (int round = 0; round < ROUNDS && least > 0; round++) {
            long before = by(thread);
            for (int run = 0; run < RUNS; run++) {
                work.run();
            }
            least = Math.min(least, by(thread) - before);
        }
        assertThat(least).as("bytes allocated by %d runs", RUNS).isZero();
    }

    /** Returns the bytes that a thread has allocated so far. */
    static long by(long thread) {
        try {
            return (long) ALLOCATED.invokeExact(thread);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
