package io.holdfast.manager.resource;

import io.holdfast.core.Fd;
import io.holdfast.core.sys.KernelFile;
import java.util.Optional;

/**
 * What a cgroup and all below it use. A number is -1 if it is not known: its controller is not
 * enabled, or the kernel is older.
 *
 * @param cpuNanos CPU time in nanoseconds
 * @param memory bytes now
 * @param memoryPeak the most bytes so far
 * @param swap bytes of swap space now
 * @param swapPeak the most bytes of swap space so far
 * @param zswap bytes of compressed swap now
 * @param tasks processes and threads now
 * @param readBytes bytes read from block devices
 * @param writtenBytes bytes written to block devices
 * @param reads operations
 * @param writes operations
 * @param packets IP packets
 */
public record ResourceUsage(
        long cpuNanos,
        long memory,
        long memoryPeak,
        long swap,
        long swapPeak,
        long zswap,
        long tasks,
        long readBytes,
        long writtenBytes,
        long reads,
        long writes,
        PacketCounts packets) {
    /** Nothing is known. */
    public static final ResourceUsage UNKNOWN =
            new ResourceUsage(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, PacketCounts.UNKNOWN);

    private static final long NANOS = 1000;

    /**
     * Reads what a cgroup uses, from files in its folder, which is lent.
     *
     * @param countsPackets whether a program counts its packets
     */
    public static ResourceUsage of(Fd cgroup, boolean countsPackets) {
        long micros = ofKey(cgroup, "cpu.stat", "usage_usec");
        long[] io = io(KernelFile.find(cgroup, "io.stat"));
        return new ResourceUsage(
                micros < 0 ? -1 : micros * NANOS,
                number(cgroup, "memory.current"),
                number(cgroup, "memory.peak"),
                number(cgroup, "memory.swap.current"),
                number(cgroup, "memory.swap.peak"),
                number(cgroup, "memory.zswap.current"),
                number(cgroup, "pids.current"),
                io[0],
                io[1],
                io[2],
                io[3],
                countsPackets ? PacketCounts.of(cgroup) : PacketCounts.UNKNOWN);
    }

    private static long number(Fd cgroup, String file) {
        return KernelFile.find(cgroup, file).map(ResourceUsage::parse).orElse(-1L);
    }

    private static long parse(String number) {
        try {
            return Long.parseLong(number.strip());
        } catch (NumberFormatException e) {
            return -1;
        }
    }

    /** Returns the number behind a key, in a file with one key and number a line; -1 if none. */
    static long ofKey(Fd cgroup, String file, String key) {
        return KernelFile.find(cgroup, file).map(text -> ofKey(text, key)).orElse(-1L);
    }

    static long ofKey(String text, String key) {
        return text.lines()
                .filter(line -> line.startsWith(key + " "))
                .mapToLong(line -> parse(line.substring(key.length() + 1)))
                .findFirst()
                .orElse(-1);
    }

    /** Adds up the devices. */
    private static long[] io(Optional<String> text) {
        if (text.isEmpty()) {
            return new long[] {-1, -1, -1, -1};
        }
        long[] sums = new long[4];
        for (String word : text.get().split("\\s+")) {
            int at =
                    switch (word.substring(0, word.indexOf('=') + 1)) {
                        case "rbytes=" -> 0;
                        case "wbytes=" -> 1;
                        case "rios=" -> 2;
                        case "wios=" -> 3;
                        default -> -1;
                    };
            if (at >= 0) {
                sums[at] += Math.max(0, parse(word.substring(word.indexOf('=') + 1)));
            }
        }
        return sums;
    }
}
