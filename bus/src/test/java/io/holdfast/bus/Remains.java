package io.holdfast.bus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.OpenDescriptors;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;

/**
 * Everything that clients could leave behind in one of our buses and in this JVM: tables, accounts,
 * descriptors and memory. Taken before and after a test.
 *
 * @param tables the number of entries of each kind
 * @param memory reachable heap, and native memory, in bytes
 */
record Remains(Map<String, Long> tables, OpenDescriptors descriptors, long memory) {
    private static final long MORE_MEMORY = 16 << 20; // idle pools, and code that was used
    private static final int TRIES = 60_000; // of a millisecond, for a busy machine

    /** Takes it when the bus has that many connections. */
    static Remains of(TestBus bus, int connections) {
        for (int i = 0; i < TRIES && connections(bus) != connections; i++) {
            LockSupport.parkNanos(1_000_000);
        }
        assertThat(connections(bus)).as("connections that are left").isEqualTo(connections);
        return new Remains(tables(bus), OpenDescriptors.now(), memoryInUse());
    }

    private static int connections(TestBus bus) {
        return bus.metrics().users().stream().mapToInt(BusMetrics.OfUser::connections).sum();
    }

    private static Map<String, Long> tables(TestBus bus) {
        BusMetrics metrics = bus.metrics();
        Map<String, Long> tables = new TreeMap<>();
        tables.put("connections", (long) metrics.connections().size());
        tables.put("names", (long) metrics.names());
        tables.put("match rules", (long) metrics.matchRules());
        tables.put("pending replies", (long) metrics.pendingReplies());
        tables.put("bytes of buffers", metrics.bufferBytes());
        tables.put("faults of the bus", metrics.handlerErrors());
        for (BusMetrics.OfUser user : metrics.users()) {
            String of = " of user " + user.uid();
            tables.put("connections" + of, (long) user.connections());
            tables.put("bytes" + of, user.bytes());
            tables.put("descriptors" + of, user.descriptors());
            tables.put("match rules" + of, user.matchRules());
            tables.put("objects" + of, user.objects());
        }
        return tables;
    }

    private static long memoryInUse() {
        ManagementFactory.getMemoryMXBean().gc();
        long bytes = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
        for (BufferPoolMXBean pool : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
            bytes += pool.getMemoryUsed();
        }
        return bytes;
    }

    /** Waits until the bus has handled all departures, and fails with what was left behind. */
    void awaitNoMore(TestBus bus) {
        for (int i = 0; i < TRIES && !tables.equals(tables(bus)); i++) {
            LockSupport.parkNanos(1_000_000);
        }
        assertThat(tables(bus)).isEqualTo(tables);
        descriptors.awaitSameNumber();
        assertThat(memoryInUse()).as("memory").isLessThan(memory + MORE_MEMORY);
    }
}
