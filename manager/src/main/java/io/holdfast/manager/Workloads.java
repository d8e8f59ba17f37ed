package io.holdfast.manager;

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
final class Workloads {
    private final Map<Long, Workload> byCgroup = new ConcurrentHashMap<>();
    private final Map<UnitName, Long> byUnit = new ConcurrentHashMap<>();

    void add(long cgroupId, Workload workload) {
        remove(workload.unit());
        byUnit.put(workload.unit(), cgroupId);
        byCgroup.put(cgroupId, workload);
    }

    void remove(UnitName unit) {
        Long id = byUnit.remove(unit);
        if (id != null) {
            byCgroup.remove(id);
        }
    }

    boolean isEmpty() {
        return byCgroup.isEmpty();
    }

    Optional<Workload> ofCgroup(long id) {
        return Optional.ofNullable(byCgroup.get(id));
    }

    /** Whose cgroup it is, or is below. */
    Optional<Workload> at(CgroupPath path) {
        return byCgroup.values().stream()
                .filter(workload ->
                        path.equals(workload.cgroup())
                                || path.path().startsWith(workload.cgroup().path() + "/"))
                .findFirst();
    }
}
