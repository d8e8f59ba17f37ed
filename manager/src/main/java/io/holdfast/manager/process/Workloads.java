package io.holdfast.manager.process;

import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.manager.unit.UnitName;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which run has which cgroup, by the id that a pidfd tells (PIDFD_GET_INFO): the kernel gives no id
 * twice in a boot. Written on the loop, read by any thread, so that who asks need not wait for the
 * loop.
 */
public final class Workloads {
    private final Map<Long, Workload> byCgroup = new ConcurrentHashMap<>();
    private final Map<UnitName, Long> byUnit = new ConcurrentHashMap<>();

    public Workloads() {}

    public void add(long cgroupId, Workload workload) {
        remove(workload.unit());
        byUnit.put(workload.unit(), cgroupId);
        byCgroup.put(cgroupId, workload);
    }

    public void remove(UnitName unit) {
        Long id = byUnit.remove(unit);
        if (id != null) {
            byCgroup.remove(id);
        }
    }

    boolean isEmpty() {
        return byCgroup.isEmpty();
    }

    public Optional<Workload> ofCgroup(long id) {
        return Optional.ofNullable(byCgroup.get(id));
    }

    /**
     * The run in whose cgroup, or below whose cgroup, a path lies. The name alone is not believed:
     * the directory there must be the one that was made for the run. Since cgroups never move, it
     * was there when the path was read. Blocks for a moment.
     */
    public Optional<Workload> at(CgroupPath path) {
        return byCgroup.entrySet().stream()
                .filter(run -> path.isWithin(run.getValue().cgroup()))
                .filter(run -> isThere(run.getValue().cgroup(), run.getKey()))
                .map(Map.Entry::getValue)
                .findFirst();
    }

    private static boolean isThere(CgroupPath path, long id) {
        try (Cgroup cgroup = Cgroup.open(path.path())) {
            return cgroup.id() == id;
        } catch (ErrnoException e) {
            return false; // removed
        }
    }
}
