package io.holdfast.manager;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.process.Adoption;
import io.holdfast.manager.process.Workload;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.settings.CgroupSettings;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * The cgroups of units: finds the unit of a cgroup, and moves processes into that of a unit. Used
 * on the event loop, where futures complete, too.
 */
public final class CgroupMembers {
    private final ManagerContext context;
    private final UnitTable units;
    private final ReplyWork work;

    CgroupMembers(ManagerContext context, UnitTable units, ReplyWork work) {
        this.context = context;
        this.units = units;
        this.work = work;
    }

    /**
     * Returns the path of the manager's cgroup, which contains the cgroups of its units; empty if
     * they have none. Callable from any thread.
     */
    public Optional<String> path() {
        return context.cgroups().map(cgroups -> cgroups.path().path());
    }

    /** Returns the unit that owns a cgroup, or else the nearest ancestor cgroup. */
    public Optional<UnitName> unitOf(CgroupPath cgroup) {
        CgroupPath place = cgroup;
        while (true) {
            Optional<UnitName> unit = unitAt(place);
            if (unit.isPresent() || place.isRoot()) {
                return unit;
            }
            place = place.parent();
        }
    }

    private Optional<UnitName> unitAt(CgroupPath place) {
        Optional<UnitName> run = context.processes().named(place).map(Workload::unit);
        return run.isPresent() ? run : sliceAt(place);
    }

    private Optional<UnitName> sliceAt(CgroupPath place) {
        if (path().equals(Optional.of(place.path()))) {
            return Optional.of(CgroupSettings.ROOT_SLICE);
        }
        return place.isRoot()
                ? Optional.empty()
                : slice(CgroupPath.unescape(place.components().getLast()), place);
    }

    private Optional<UnitName> slice(String text, CgroupPath place) {
        return UnitName.parse(text)
                .filter(name -> name.type().isImplicit())
                .flatMap(name -> Optional.ofNullable(units.find(name)))
                .filter(slice -> slice.status().cgroup().equals(Optional.of(place.path())))
                .map(slice -> slice.unit().name());
    }

    /**
     * Moves processes into the cgroup of a unit that has one, or below it: all of them, or none.
     *
     * @param below the names of existing cgroups, from the unit's down
     * @param processes lent until the future completes
     * @return fails with {@link io.holdfast.core.ErrnoException} if a process may not be moved, or
     *     if there is no such cgroup (any more)
     */
    public CompletableFuture<Boolean> attach(
            UnitName name, List<String> below, List<PidFd> processes) {
        Cgroup now = units.get(name).cgroup().orElseThrow(() -> goneCgroup(name));
        long id = now.id();
        String path = now.path().path();
        return work.run(
                "the processes of " + name,
                () -> {
                    try (Cgroup unit = Cgroup.open(path)) {
                        if (unit.id() != id) {
                            throw goneCgroup(name);
                        }
                        attach(unit, below, processes);
                        return true;
                    }
                });
    }

    private static void attach(Cgroup cgroup, List<String> below, List<PidFd> processes) {
        if (below.isEmpty()) {
            Adoption.into(cgroup, processes);
            return;
        }
        try (Cgroup child = cgroup.child(below.getFirst())) {
            attach(child, below.subList(1, below.size()), processes);
        }
    }

    private static ErrnoException goneCgroup(UnitName name) {
        return new ErrnoException("cgroup", name.text(), Errno.ENOENT, "the unit has ended");
    }
}
