package io.holdfast.cli.process;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.manager.resource.ResourceUsage;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What all cgroups below one used at one time. Each is opened below its parent and identified by
 * its id, so one that is removed meanwhile is not taken for a new one of the same name.
 */
final class CgroupSample {
    /** The cgroups below this depth count for the one above; their owners may nest without end. */
    private static final int DEPTH = 32;

    /** The cgroups that are listed. */
    private static final int MOST = 10_000;

    /**
     * One cgroup.
     *
     * @param tasks processes and threads, or processes alone without the controller pids
     */
    record Entry(String path, long tasks, ResourceUsage usage) {}

    private final long time = System.nanoTime();
    private final Map<Long, Entry> entries = new LinkedHashMap<>();

    private CgroupSample() {}

    /** Reads a cgroup and those below it. */
    static CgroupSample of(Cgroup top) {
        CgroupSample sample = new CgroupSample();
        long _ = sample.add(top, 0);
        return sample;
    }

    /** Adds a cgroup, and returns how many processes are in it and below it. */
    private long add(Cgroup cgroup, int depth) {
        ResourceUsage usage = ResourceUsage.of(cgroup.fd(), false);
        Entry entry = new Entry(cgroup.path().path(), 0, usage);
        entries.put(cgroup.id(), entry); // before those below it
        long processes =
                cgroup.read("cgroup.procs").lines().filter(line -> !line.isEmpty()).count();
        for (String name : cgroup.childNames()) {
            if (depth == DEPTH || entries.size() >= MOST) {
                break;
            }
            try (Cgroup child = cgroup.child(name)) {
                processes += add(child, depth + 1);
            } catch (ErrnoException e) {
                if (!SubtreeProcesses.isGone(e)) {
                    throw e;
                }
            }
        }
        long tasks = usage.tasks() >= 0 ? usage.tasks() : processes;
        entries.put(cgroup.id(), new Entry(entry.path(), tasks, usage));
        return processes;
    }

    Map<Long, Entry> entries() {
        return Map.copyOf(entries);
    }

    /** Returns when it was taken, as {@link System#nanoTime}. */
    long time() {
        return time;
    }
}
