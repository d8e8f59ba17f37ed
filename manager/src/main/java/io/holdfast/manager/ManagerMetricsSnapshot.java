package io.holdfast.manager;

import io.holdfast.core.EventLoop;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.loop.ManagerCounters;
import io.holdfast.manager.request.Jobs;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.survival.Predecessor;
import io.holdfast.manager.survival.Survival;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitType;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Collects the metrics of a manager, on its event loop. */
final class ManagerMetricsSnapshot {
    private ManagerMetricsSnapshot() {}

    static ManagerMetrics of(
            UnitTable units,
            Jobs jobs,
            ManagerCounters counters,
            Survival survival,
            EventLoop loop) {
        List<UnitJob> all = jobs.engine().all();
        long running = all.stream().filter(UnitJob::isRunning).count();
        Predecessor before = survival.predecessor();
        return new ManagerMetrics(
                byTypeAndState(units),
                cgroups(units),
                all.size() - running,
                running,
                jobs.finished(),
                new ManagerMetrics.Processes(
                        counters.spawns(), counters.failedSpawns(), counters.exits()),
                counters.restarts(),
                counters.lines(),
                counters.messages(),
                counters.refusedMessages(),
                before.crashes(),
                before.adopted(),
                loop.errors());
    }

    private static Map<String, String> cgroups(UnitTable units) {
        Map<String, String> paths = new HashMap<>();
        for (ManagedUnit unit : units.all()) {
            unit.status().cgroup().ifPresent(path -> paths.put(unit.unit().name().text(), path));
        }
        return paths;
    }

    private static Map<UnitType, Map<ActiveState, Long>> byTypeAndState(UnitTable units) {
        Map<UnitType, Map<ActiveState, Long>> counts = new EnumMap<>(UnitType.class);
        for (ManagedUnit unit : units.all()) {
            counts.computeIfAbsent(unit.unit().name().type(), _ -> new EnumMap<>(ActiveState.class))
                    .merge(unit.activeState(), 1L, Long::sum);
        }
        return counts;
    }
}
