package io.holdfast.interop;

import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;

/**
 * Counts the tests that passed, failed and were skipped, with the reasons. Each test is printed
 * when it starts, so that the output of a machine that died shows which test ran. A skipped class
 * or container counts as one.
 */
final class KernelRunReport implements TestExecutionListener {
    private record Failure(String test, Throwable cause) {}

    private static final Duration SLOW = Duration.ofSeconds(5);

    private final List<Failure> failures = new ArrayList<>();
    private final Map<String, List<String>> skips = new TreeMap<>(); // by reason
    private final Map<String, Long> running = new ConcurrentHashMap<>(); // test -> System.nanoTime
    private int passed;

    @Override
    public void executionStarted(TestIdentifier test) {
        if (test.isTest()) {
            running.put(name(test), System.nanoTime());
            System.out.println("  " + name(test));
        }
    }

    @Override
    public synchronized void executionSkipped(TestIdentifier test, String reason) {
        String because = reason.lines().findFirst().orElse("no reason given");
        skips.computeIfAbsent(because, _ -> new ArrayList<>()).add(name(test));
    }

    @Override
    public synchronized void executionFinished(TestIdentifier test, TestExecutionResult result) {
        Long startedAt = running.remove(name(test));
        if (startedAt != null && System.nanoTime() - startedAt > SLOW.toNanos()) {
            System.out.printf("    took %d s%n", (System.nanoTime() - startedAt) / 1_000_000_000L);
        }
        @Nullable Throwable cause = result.getThrowable().orElse(null);
        switch (result.getStatus()) {
            case SUCCESSFUL -> passed += test.isTest() ? 1 : 0;
            case FAILED -> {
                failures.add(
                        new Failure(
                                name(test),
                                cause == null ? new AssertionError("no cause given") : cause));
                System.out.println("  FAILED " + name(test) + ": " + cause);
            }
            case ABORTED -> // an assumption inside the test
                    executionSkipped(
                            test, String.valueOf(cause == null ? null : cause.getMessage()));
        }
    }

    /**
     * Returns the tests that started and have not ended, with {@code System.nanoTime()} of their
     * start.
     */
    Map<String, Long> running() {
        return Map.copyOf(running);
    }

    synchronized boolean allPassed() {
        return failures.isEmpty();
    }

    synchronized void print(String module, PrintStream out) {
        for (Failure failure : failures) {
            out.println("FAILED " + failure.test);
            failure.cause.printStackTrace(out);
        }
        int skipped = skips.values().stream().mapToInt(List::size).sum();
        out.printf(
                "%s: %d passed, %d failed, %d skipped%n", module, passed, failures.size(), skipped);
        failures.forEach(failure -> out.println("  failed: " + failure.test));
        skips.forEach((reason, tests) -> {
            out.printf("  skipped %d: %s%n", tests.size(), reason);
            tests.forEach(test -> out.println("    " + test));
        });
    }

    private static String name(TestIdentifier test) {
        String name =
                switch (test.getSource().orElse(null)) {
                    case MethodSource method ->
                            simple(method.getClassName()) + "." + method.getMethodName();
                    case ClassSource type -> simple(type.getClassName());
                    case null, default -> "";
                };
        String display = test.getDisplayName();
        return display.startsWith("[") ? name + " " + display : name.isEmpty() ? display : name;
    }

    private static String simple(String className) {
        return className.substring(className.lastIndexOf('.') + 1);
    }
}
