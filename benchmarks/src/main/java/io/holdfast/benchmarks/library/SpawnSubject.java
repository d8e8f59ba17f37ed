package io.holdfast.benchmarks.library;

import com.zaxxer.nuprocess.NuAbstractProcessHandler;
import com.zaxxer.nuprocess.NuProcess;
import com.zaxxer.nuprocess.NuProcessBuilder;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The spawns of {@link SpawnRow}: nanoseconds in total, and for the spawning calls alone. */
final class SpawnSubject {
    private static final String PROGRAM = "/bin/true";

    private SpawnSubject() {}

    /** Starts a child and waits for it; returns the nanoseconds until it was started. */
    private interface Once {
        long run() throws IOException, InterruptedException;
    }

    static String run(String kind, int n, int threads, String folder)
            throws InterruptedException, ExecutionException {
        if (folder.equals("-")) {
            return run(once(kind, null), n, threads);
        }
        try (Cgroup cgroup = Cgroup.open(folder.substring(Cgroup.mountPoint().length()))) {
            return run(once(kind, cgroup), n, threads);
        }
    }

    private static Once once(String kind, @Nullable Cgroup cgroup) {
        return switch (kind) {
            case "spawn-ProcessBuilder" -> SpawnSubject::byBuilder;
            case "spawn-NuProcess" -> SpawnSubject::byNuProcess;
            default -> () -> byHoldfast(cgroup);
        };
    }

    private static String run(Once once, int n, int threads)
            throws InterruptedException, ExecutionException {
        List<FutureTask<Long>> tasks = new ArrayList<>();
        long begin = System.nanoTime();
        for (int i = 0; i < threads; i++) {
            FutureTask<Long> task =
                    new FutureTask<>(() -> {
                        long calls = 0;
                        for (int k = 0; k < n; k++) {
                            calls += once.run();
                        }
                        return calls;
                    });
            Thread.ofPlatform().start(task);
            tasks.add(task);
        }
        long calls = 0;
        for (FutureTask<Long> task : tasks) {
            calls += task.get();
        }
        return System.nanoTime() - begin + " " + calls;
    }

    private static long byHoldfast(@Nullable Cgroup cgroup) throws InterruptedException {
        Spawn spawn = Spawn.of(PROGRAM);
        if (cgroup != null) {
            spawn.cgroup(cgroup);
        }
        long begin = System.nanoTime();
        try (Child child = spawn.start()) {
            long call = System.nanoTime() - begin;
            require(child.await().equals(new Exit.Exited(0)));
            return call;
        }
    }

    private static long byBuilder() throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(PROGRAM).inheritIO();
        long begin = System.nanoTime();
        Process process = builder.start();
        long call = System.nanoTime() - begin;
        require(process.waitFor() == 0);
        return call;
    }

    private static long byNuProcess() throws InterruptedException {
        NuProcessBuilder builder = new NuProcessBuilder(new NuAbstractProcessHandler() {}, PROGRAM);
        long begin = System.nanoTime();
        NuProcess process = builder.start();
        long call = System.nanoTime() - begin;
        require(process.waitFor(0, TimeUnit.SECONDS) == 0);
        return call;
    }

    private static void require(boolean ok) {
        if (!ok) {
            throw new IllegalStateException(PROGRAM + " failed");
        }
    }
}
