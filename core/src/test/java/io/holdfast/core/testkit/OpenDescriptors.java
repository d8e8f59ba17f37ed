package io.holdfast.core.testkit;

import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.sys.Unistd;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * What this JVM has open, apart from the files that the JVM itself opens when it loads classes. To
 * be taken before and after: {@link #awaitSameNumber} fails with what has come.
 */
public record OpenDescriptors(Map<Integer, String> byNumber) {
    private static final long LONGEST_NANOS = 30_000_000_000L;
    private static final long PAUSE_NANOS = 1_000_000;
    private static final String WAKER = "anon_inode:[eventfd]";

    static { // what lasts as long as the process: the poller's
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd in = pipe[0];
                Fd out = pipe[1]) {
            boolean cancelled = Readiness.once(in, Readiness.IN, _ -> {}).cancel();
            assert cancelled && out.isOpen();
        }
    }

    public static OpenDescriptors now() {
        Map<Integer, String> open = new TreeMap<>();
        String[] numbers = new File("/proc/self/fd").list();
        for (String number : numbers == null ? new String[0] : numbers) {
            try {
                String target = Files.readSymbolicLink(Path.of("/proc/self/fd", number)).toString();
                if (!isOfTheJvm(target) && !isOfGate(target)) {
                    open.put(Integer.parseInt(number), target);
                }
            } catch (IOException e) {
                // closed meanwhile: the one that lists the folder always is
            }
        }
        return new OpenDescriptors(open);
    }

    private static boolean isOfTheJvm(String target) {
        return target.endsWith(".jar")
                || target.endsWith("/modules")
                || target.endsWith(".class")
                || target.contains("/target/")
                || target.startsWith("/proc/")
                || target.equals("/dev/random")
                || target.equals("/dev/urandom")
                || target.startsWith("/sys/fs/cgroup/cpu") // as are the limits it looks at
                || target.startsWith("/sys/fs/cgroup/memory");
    }

    /** Returns whether it is a FIFO that is kept for later spawns that hold their children. */
    private static boolean isOfGate(String target) {
        return target.contains("/holdfast-gate-");
    }

    public int count() {
        return byNumber.size();
    }

    /** Returns how many lead to something whose name begins like this, such as {@code socket:}. */
    public long count(String start) {
        return byNumber.values().stream().filter(target -> target.startsWith(start)).count();
    }

    /** Returns how many are open that lead to the pipe or socket of this one, itself included. */
    public static long count(Fd like) {
        String target = like.with(OpenDescriptors::target);
        return now().byNumber.values().stream().filter(target::equals).count();
    }

    private static String target(int number) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/fd", Integer.toString(number)))
                    .toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Waits half a minute at most until no more are open than there were: descriptors of exited
     * processes are closed by other threads.
     */
    public void awaitSameNumber() {
        awaitNoMore(OpenDescriptors::now);
    }

    /**
     * As {@link #awaitSameNumber}, for those that leave a socket open: a thread that has to wait
     * for it, which is chance, gives it an eventfd that stays as long as the socket.
     */
    public void awaitSameNumberButWakers() {
        withoutWakers().awaitNoMore(() -> now().withoutWakers());
    }

    private OpenDescriptors withoutWakers() {
        Map<Integer, String> others = new TreeMap<>(byNumber);
        others.values().removeIf(WAKER::equals);
        return new OpenDescriptors(others);
    }

    private void awaitNoMore(Supplier<OpenDescriptors> open) {
        long deadline = System.nanoTime() + LONGEST_NANOS;
        OpenDescriptors now = open.get();
        while (now.count() > count() && System.nanoTime() < deadline) {
            LockSupport.parkNanos(PAUSE_NANOS);
            now = open.get();
        }
        if (now.count() > count()) {
            throw new AssertionError(
                    "descriptors leaked: there were " + byNumber + " and are " + now.byNumber);
        }
    }
}
