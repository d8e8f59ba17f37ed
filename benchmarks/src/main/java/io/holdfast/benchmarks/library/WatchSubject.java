package io.holdfast.benchmarks.library;

import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;

/** The children of {@link WatchRow}: first started and watched, then waited for. */
final class WatchSubject {
    private static CompletableFuture<?>[] futures = {};
    private static CountDownLatch left = new CountDownLatch(0);

    private WatchSubject() {}

    /** Starts them in the cgroup; returns the bytes of heap and the threads that this took. */
    static String watch(int n, String folder, String program) {
        try (Cgroup cgroup = Cgroup.open(folder.substring(Cgroup.mountPoint().length()))) {
            try (Child first = Spawn.of("/bin/true").start()) { // one-time costs are not counted
                Exit ignored = first.onExit().join();
            }
            Spawn spawn = Spawn.of(program).cgroup(cgroup);
            return begin(
                    n,
                    () -> {
                        try (Child child = spawn.start()) {
                            return child.onExit();
                        }
                    });
        }
    }

    /**
     * Starts and watches children one after the other, so that the code that runs once per batch
     * runs often.
     */
    static String watchEach(int n) {
        Spawn spawn = Spawn.of("/bin/true");
        for (int i = 0; i < n; i++) {
            CompletableFuture<?> over;
            try (Child child = spawn.start()) {
                over = child.onExit().thenRun(() -> {});
            }
            var _ = over.join();
        }
        return "0";
    }

    /** The same with {@code Process.onExit()}; each child moves itself into the cgroup first. */
    static String watchByJdk(int n, String folder, String program) throws IOException {
        String script = "echo $$ > " + folder + "/cgroup.procs; exec " + program;
        ProcessBuilder builder = new ProcessBuilder("/bin/sh", "-c", script).inheritIO();
        builder.redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
        String answer = begin(n, () -> builder.start().onExit());
        awaitMembers(n, Path.of(folder, "cgroup.procs"));
        return answer;
    }

    private static void awaitMembers(int n, Path procs) throws IOException {
        while (Files.readAllLines(procs).size() < n) {
            Thread.onSpinWait();
        }
    }

    /** Starts one child and watches it. */
    private interface Starting {
        CompletableFuture<?> start() throws IOException;
    }

    private static String begin(int n, Starting starting) {
        CountDownLatch latch = new CountDownLatch(n);
        CompletableFuture<?>[] watched = new CompletableFuture<?>[n];
        long heap = usedHeap();
        int threads = threads();
        try {
            for (int i = 0; i < n; i++) {
                watched[i] = starting.start().thenRun(latch::countDown);
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        left = latch;
        futures = watched;
        return (usedHeap() - heap) / n + " " + (threads() - threads);
    }

    /** Waits until all have exited. */
    static String exits() throws InterruptedException {
        System.out.println("go");
        left.await();
        CompletableFuture.allOf(futures).join();
        futures = new CompletableFuture<?>[0];
        return "done";
    }

    private static long usedHeap() {
        Runtime runtime = Runtime.getRuntime();
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        return runtime.totalMemory() - runtime.freeMemory();
    }

    private static int threads() {
        return ManagementFactory.getThreadMXBean().getThreadCount();
    }
}
