package io.holdfast.core.testkit;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.holdfast.core.sys.process.SpawnThread;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Runs a piece of a test with the privileges of another user: on a thread of its own, whose ids
 * alone are changed (to the kernel they belong to the thread) and which ends with it. Needs root.
 */
public final class AsUser {
    private static final long NOBODY = 65534;
    private static final boolean ARM = System.getProperty("os.arch").equals("aarch64");
    private static final long SETRESUID = ARM ? 147 : 117;
    private static final long SETRESGID = ARM ? 149 : 119;
    private static final long SETGROUPS = ARM ? 159 : 116;
    private static final long PRCTL = ARM ? 167 : 157;
    private static final long PR_SET_DUMPABLE = 4;

    @SuppressWarnings("restricted")
    private static final MethodHandle SYSCALL =
            Linker.nativeLinker()
                    .downcallHandle(
                            Linker.nativeLinker().defaultLookup().findOrThrow("syscall"),
                            FunctionDescriptor.of(
                                    JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG));

    private AsUser() {}

    /** A step of a test. */
    @FunctionalInterface
    public interface Step {
        void run() throws Exception;
    }

    /** Runs it as nobody, without groups and capabilities; what it throws is thrown. */
    public static void nobody(Step step) throws Exception {
        of(NOBODY, step);
    }

    /** The same as the user, and in the group, of a number, which need not be in any database. */
    public static void of(long id, Step step) throws Exception {
        SpawnThread.prepare(); // the threads that start children have the ids of this one
        startCarriers();
        Callable<Void> changed =
                () -> {
                    call(SETGROUPS, 0, 0, 0);
                    call(SETRESGID, id, id, id);
                    call(SETRESUID, id, id, id);
                    call(PRCTL, PR_SET_DUMPABLE, 1, 0); // cleared for the whole JVM by setresuid
                    step.run();
                    return null;
                };
        FutureTask<Void> task = new FutureTask<>(changed);
        Thread.ofPlatform().name("user-" + id).start(task);
        try {
            task.get();
        } catch (java.util.concurrent.ExecutionException e) {
            switch (e.getCause()) {
                case Exception cause -> throw cause;
                case Error cause -> throw cause;
                case null, default -> throw e;
            }
        }
    }

    /**
     * Starts the carriers of virtual threads that do not run yet: a thread gets the ids of the one
     * that starts it, and what the tested code does on a virtual thread would be done as the user.
     */
    private static void startCarriers() throws InterruptedException {
        int carriers = Runtime.getRuntime().availableProcessors();
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
        AtomicInteger running = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < carriers; i++) {
            threads.add(
                    Thread.startVirtualThread(() -> {
                        running.incrementAndGet();
                        while (running.get() < carriers && System.nanoTime() < end) {
                            Thread.onSpinWait();
                        }
                    }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private static void call(long number, long a, long b, long c) {
        try {
            long r = (long) SYSCALL.invokeExact(number, a, b, c);
            if (r != 0) {
                throw new IllegalStateException("system call " + number + " failed: not root?");
            }
        } catch (RuntimeException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
