package io.holdfast.fuzz;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.jspecify.annotations.Nullable;

/**
 * The time and memory that a parser may take for one input. Both are measured on the calling
 * thread, so that other load on the machine does not count.
 */
public final class Bounds {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final long MAX_CPU_NANOS = 1_000_000_000L;
    private static final long MAX_BYTES = 4L << 20;
    private static final long MAX_BYTES_PER_INPUT_BYTE = 4 << 10;

    private Bounds() {}

    /** Feeds an input to a parser and checks the parser's promises. */
    @FunctionalInterface
    public interface Check {
        /**
         * @throws Exception if a promise is broken
         */
        void accept(byte[] input) throws Exception;
    }

    /**
     * Runs a check within the bounds. A check that exceeds them runs a second time and fails only
     * if it exceeds them again: the first run may have loaded classes.
     */
    public static void within(byte[] input, Check check) throws Exception {
        if (excess(input, check) != null) {
            String excess = excess(input, check);
            if (excess != null) {
                throw new AssertionError(excess);
            }
        }
    }

    private static @Nullable String excess(byte[] input, Check check) throws Exception {
        long bytesBefore = THREADS.getCurrentThreadAllocatedBytes();
        long cpuBefore = THREADS.getCurrentThreadCpuTime();
        check.accept(input);
        long cpu = THREADS.getCurrentThreadCpuTime() - cpuBefore;
        long bytes = THREADS.getCurrentThreadAllocatedBytes() - bytesBefore;
        if (cpu > MAX_CPU_NANOS) {
            return "%d ms of processor time for %d bytes".formatted(cpu / 1_000_000, input.length);
        }
        if (bytes > MAX_BYTES + MAX_BYTES_PER_INPUT_BYTE * input.length) {
            return "%d KiB of memory for %d bytes".formatted(bytes >> 10, input.length);
        }
        return null;
    }
}
