package io.holdfast.interop;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.util.concurrent.TimeUnit;

/**
 * Ends the JVM when one test has run for {@code -Dholdfast.stuck} seconds (default 600), after
 * printing the stacks of all threads. Replaces JUnit's own timeouts, which are off on emulated
 * machines.
 */
final class StuckTests {
    private static final long LIMIT_SECONDS = Long.getLong("holdfast.stuck", 600);

    private StuckTests() {}

    static void watch(KernelRunReport report) {
        Thread.ofPlatform()
                .daemon()
                .name("stuck-tests")
                .start(() -> {
                    while (sleepSeconds(5)) {
                        report.running().forEach(StuckTests::check);
                    }
                });
    }

    private static void check(String test, long startedAt) {
        if (TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startedAt) < LIMIT_SECONDS) {
            return;
        }
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        for (ThreadInfo thread : threads.dumpAllThreads(true, true, 60)) {
            System.out.print(thread);
        }
        System.out.printf("STUCK for %d s: %s%n", LIMIT_SECONDS, test);
        System.out.flush();
        Runtime.getRuntime().halt(3);
    }

    private static boolean sleepSeconds(int seconds) {
        try {
            TimeUnit.SECONDS.sleep(seconds);
            return true;
        } catch (InterruptedException _) {
            return false;
        }
    }
}
