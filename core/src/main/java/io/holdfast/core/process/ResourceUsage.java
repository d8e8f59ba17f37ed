package io.holdfast.core.process;

import io.holdfast.core.sys.process.Rusage;
import java.time.Duration;

/**
 * The resources that a process and those of its descendants that were waited for have used until
 * its end, as getrusage(2) counts them.
 *
 * <pre>{@code
 * Exit exit = child.await();
 * ResourceUsage used = child.usage().orElseThrow();
 * System.out.println(used.user().plus(used.system()) + " of CPU");
 * }</pre>
 *
 * @param user time in its own code
 * @param system time in the kernel on its behalf
 * @param maxResident the peak resident memory in bytes of the largest of those processes; never
 *     less than this JVM had at the start, whose memory the child shares until it executes its
 *     program
 * @param minorFaults page faults that needed no I/O
 * @param majorFaults page faults that needed I/O
 * @param blocksRead the number of times that a file system had to read
 * @param blocksWritten the number of times that a file system had to write
 * @param voluntarySwitches how often it gave up the CPU, mostly to wait
 * @param involuntarySwitches how often the kernel took the CPU from it
 */
public record ResourceUsage(
        Duration user,
        Duration system,
        long maxResident,
        long minorFaults,
        long majorFaults,
        long blocksRead,
        long blocksWritten,
        long voluntarySwitches,
        long involuntarySwitches) {
    private static final long NANOS_A_MICRO = 1000;
    private static final long KIB = 1024;

    static ResourceUsage of(Rusage usage) {
        return new ResourceUsage(
                time(usage, Rusage.UTIME),
                time(usage, Rusage.STIME),
                usage.get(Rusage.MAXRSS) * KIB,
                usage.get(Rusage.MINFLT),
                usage.get(Rusage.MAJFLT),
                usage.get(Rusage.INBLOCK),
                usage.get(Rusage.OUBLOCK),
                usage.get(Rusage.NVCSW),
                usage.get(Rusage.NIVCSW));
    }

    private static Duration time(Rusage usage, int seconds) {
        return Duration.ofSeconds(usage.get(seconds), usage.get(seconds + 1) * NANOS_A_MICRO);
    }
}
