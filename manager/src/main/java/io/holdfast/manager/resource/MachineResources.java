package io.holdfast.manager.resource;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.manager.unit.resource.Amount;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** What the machine has, or the container of which this is the root: the whole of shares. */
public final class MachineResources {
    private static final long KIBIBYTE = 1024;

    private MachineResources() {}

    private static final class Memory {
        static final long BYTES = least(physical(), ofRoot("memory.max"));
    }

    private static final class Page {
        private static final long AT_PAGESZ = 6;
        private static final long USUAL = 4096;
        static final long BYTES = size();

        private static long size() {
            ByteBuffer vector =
                    ByteBuffer.wrap(KernelFile.read(null, "/proc/self/auxv"))
                            .order(ByteOrder.nativeOrder());
            while (vector.remaining() >= 2 * Long.BYTES) {
                long type = vector.getLong();
                long value = vector.getLong();
                if (type == AT_PAGESZ) {
                    return value;
                }
            }
            return USUAL;
        }
    }

    private static final class Tasks {
        static final long COUNT =
                least(
                        least(
                                number("/proc/sys/kernel/pid_max"),
                                number("/proc/sys/kernel/threads-max")),
                        ofRoot("pids.max"));
    }

    /** Returns an amount of memory in bytes; -1: infinite. A share is of whole pages. */
    public static long memory(Amount amount) {
        return amount.of(memory(), Page.BYTES);
    }

    /** Returns the memory in bytes. */
    public static long memory() {
        return Memory.BYTES;
    }

    /** Returns a number of tasks; -1: infinite. */
    public static long tasks(Amount amount) {
        return amount.of(tasks(), 1);
    }

    /** Returns how many tasks there can be. */
    public static long tasks() {
        return Tasks.COUNT;
    }

    private static long physical() {
        try {
            return KernelFile.text(null, "/proc/meminfo")
                    .lines()
                    .filter(line -> line.startsWith("MemTotal:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) * KIBIBYTE)
                    .findFirst()
                    .orElse(-1);
        } catch (ErrnoException e) {
            return -1;
        }
    }

    private static long number(String file) {
        try {
            return Long.parseLong(KernelFile.text(null, file).strip());
        } catch (ErrnoException | NumberFormatException e) {
            return -1;
        }
    }

    private static long ofRoot(String attribute) {
        try (Cgroup root = Cgroup.root()) {
            String text = root.read(attribute);
            return text.equals("max") ? -1 : Long.parseLong(text);
        } catch (ErrnoException | NumberFormatException e) {
            return -1; // the root of the whole tree has none
        }
    }

    private static long least(long a, long b) {
        return Long.compareUnsigned(a, b) < 0 ? a : b;
    }
}
