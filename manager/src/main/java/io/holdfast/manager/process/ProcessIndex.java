package io.holdfast.manager.process;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessInfo;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Which run of a unit a process belongs to: the one place that knows, for notify messages, clients
 * that ask, and orphans.
 *
 * <p>A process is known in two ways. <b>By its cgroup</b>, whose id the kernel reports of each
 * process (PIDFD_GET_INFO) and gives to no other cgroup in the same boot; a process in a cgroup
 * below belongs to the run as well. <b>By itself</b>, if the run holds a pidfd of it: its main
 * process, a command beside that, and where units have no cgroups each orphan that it has adopted.
 * Where a run has no cgroup, the descendants of the processes that it holds belong to it.
 *
 * <p>A run enters the index when it has what it needs to run and leaves it when it ends; a process
 * is in it for as long as its run holds its pidfd. The index owns no descriptor. Changed on the
 * loop, read by any thread, so that a question need not wait for the loop. What a method has to
 * look up in the kernel may block for a moment.
 */
public final class ProcessIndex {
    /**
     * A process that a run holds.
     *
     * @param started whether the manager started it, or a process of the unit named it and was
     *     believed. An adopted orphan only said whose it is: its environment holds what it likes
     */
    private record Held(Workload run, boolean started) {}

    /** The runs that hold one process; it belongs to the first of them. */
    private record Holders(List<Held> runs) {
        private static final Holders NONE = new Holders(List.of());

        Held first() {
            return runs.getFirst();
        }

        Holders with(Held held) {
            return new Holders(
                    Stream.concat(without(held.run()).runs.stream(), Stream.of(held)).toList());
        }

        Holders without(Workload run) {
            return new Holders(runs.stream().filter(held -> !held.run().equals(run)).toList());
        }
    }

    private final Map<Long, Workload> byCgroup = new ConcurrentHashMap<>();
    private final Map<CgroupPath, Long> cgroups = new ConcurrentHashMap<>();
    private final Map<String, Workload> withoutCgroup = new ConcurrentHashMap<>(); // by invocation
    private final Map<PidFd, Holders> held = new ConcurrentHashMap<>();
    private final Set<Workload> spawning = ConcurrentHashMap.newKeySet();

    public ProcessIndex() {}

    // ---- changes, on the loop

    /**
     * A run begins.
     *
     * @param cgroupId of the cgroup that is its own; empty where units have none
     */
    public void enter(Workload run, OptionalLong cgroupId) {
        if (cgroupId.isPresent()) {
            byCgroup.put(cgroupId.getAsLong(), run);
            cgroups.put(run.cgroup(), cgroupId.getAsLong());
        } else {
            withoutCgroup.put(run.invocationId(), run);
        }
    }

    /** A run is over, and holds no process any more. A later run may have the same cgroup. */
    public void leave(Workload run) {
        Long id = cgroups.get(run.cgroup());
        if (id != null && byCgroup.remove(id, run)) {
            cgroups.remove(run.cgroup(), id);
        }
        withoutCgroup.remove(run.invocationId(), run);
        spawning.remove(run);
    }

    /**
     * A run holds a process that is certainly its own, until that is {@linkplain #drop dropped}. A
     * process that other runs hold already stays theirs until they drop it.
     */
    public void hold(PidFd process, Workload run) {
        hold(process, new Held(run, true));
    }

    private void hold(PidFd process, Held by) {
        held.merge(process, Holders.NONE.with(by), (holders, _) -> holders.with(by));
    }

    /** A run without a cgroup holds an orphan that names it. */
    public void adopt(PidFd orphan, Workload run) {
        hold(orphan, new Held(run, false));
    }

    /** A run is about to close its pidfd of a process. */
    public void drop(PidFd process, Workload run) {
        Holders _ =
                held.computeIfPresent(
                        process,
                        (_, holders) -> {
                            Holders others = holders.without(run);
                            return others.runs().isEmpty() ? null : others;
                        });
    }

    private Optional<Held> holder(PidFd process) {
        return Optional.ofNullable(held.get(process)).map(Holders::first);
    }

    /** Whether a process of a run is being spawned, which nobody knows yet. */
    public void spawning(Workload run, boolean now) {
        if (now) {
            spawning.add(run);
        } else {
            spawning.remove(run);
        }
    }

    boolean isEmpty() {
        return byCgroup.isEmpty()
                && cgroups.isEmpty()
                && withoutCgroup.isEmpty()
                && held.isEmpty()
                && spawning.isEmpty();
    }

    // ---- questions, by any thread

    /** Whether a process is being spawned that is not known yet. */
    public boolean isAnySpawning() {
        return !spawning.isEmpty();
    }

    /** The run whose own cgroup has this id. */
    public Optional<Workload> ofCgroup(long id) {
        return Optional.ofNullable(byCgroup.get(id));
    }

    /** The run whose own cgroup was made at a path. */
    public Optional<Workload> named(CgroupPath path) {
        Long id = cgroups.get(path);
        return id == null ? Optional.empty() : ofCgroup(id);
    }

    /**
     * The run in whose cgroup, or below whose cgroup, a path lies. The name alone is not believed:
     * the directory there must be the one that was made for the run. Since cgroups never move, it
     * was there when the path was read. Blocks for a moment.
     */
    public Optional<Workload> at(CgroupPath path) {
        return nearest(
                path,
                (place, id) -> {
                    try (Cgroup there = Cgroup.open(place.path())) {
                        return there.id() == id;
                    } catch (ErrnoException e) {
                        return false; // removed
                    }
                });
    }

    /** Whether the directory of a cgroup is still the one that was made. */
    private interface Proof {
        boolean holds(CgroupPath place, long id);
    }

    private Optional<Workload> nearest(CgroupPath path, Proof proof) {
        CgroupPath place = path;
        while (true) {
            Long id = cgroups.get(place);
            Workload run = id == null ? null : byCgroup.get(id);
            if (id != null && run != null && proof.holds(place, id)) {
                return Optional.of(run);
            }
            if (place.isRoot()) {
                return Optional.empty();
            }
            place = place.parent();
        }
    }

    /** The run without a cgroup that has this invocation id. */
    public Optional<Workload> ofInvocation(String id) {
        return Optional.ofNullable(withoutCgroup.get(id));
    }

    /** Whether a run holds the process itself. */
    public boolean isHeld(PidFd process) {
        return held.containsKey(process);
    }

    /**
     * The run that a process belongs to, as far as can be told.
     *
     * @throws ErrnoException if the process is reaped or cannot be looked at
     */
    public Optional<Workload> ownerOf(PidFd process) {
        Optional<Workload> holding = holder(process).map(Held::run);
        if (holding.isPresent()) {
            return holding;
        }
        Optional<Workload> inCgroup = byCgroup.isEmpty() ? Optional.empty() : byCgroup(process);
        return inCgroup.isPresent() ? inCgroup : ofAncestors(process, _ -> true);
    }

    private Optional<Workload> byCgroup(PidFd process) {
        ProcessInfo info = process.info();
        if (info.cgroupId().isEmpty()) {
            return Optional.empty();
        }
        long id = info.cgroupId().getAsLong();
        Optional<Workload> exactly = ofCgroup(id);
        return exactly.isPresent() ? exactly : around(id);
    }

    /** The run in whose cgroup another cgroup is: by the directories, whatever their names are. */
    private Optional<Workload> around(long id) {
        try (Cgroup inner = Cgroup.ofId(id)) {
            return nearest(inner.path(), (place, outerId) -> isWithin(inner, place, outerId));
        } catch (ErrnoException e) {
            return Optional.empty(); // removed meanwhile
        }
    }

    private static boolean isWithin(Cgroup inner, CgroupPath place, long outerId) {
        try (Cgroup outer = Cgroup.open(place.path())) {
            return outer.id() == outerId && inner.isWithin(outer);
        } catch (ErrnoException e) {
            return false;
        }
    }

    /**
     * The run that certainly started a process, whatever its cgroup is: it, or where its run has no
     * cgroup one of its ancestors, is the main process or a command beside it. An adopted orphan is
     * not certain.
     */
    public Optional<Workload> starterOf(PidFd process) {
        Optional<Workload> starter = holder(process).filter(Held::started).map(Held::run);
        return starter.isPresent() ? starter : ofAncestors(process, Held::started);
    }

    private Optional<Workload> ofAncestors(PidFd process, Predicate<Held> counts) {
        return withoutCgroup.isEmpty()
                ? Optional.empty()
                : Ancestors.nearest(
                        process,
                        ancestor ->
                                holder(ancestor)
                                        .filter(counts)
                                        .map(Held::run)
                                        .filter(run ->
                                                withoutCgroup.containsKey(run.invocationId())));
    }
}
