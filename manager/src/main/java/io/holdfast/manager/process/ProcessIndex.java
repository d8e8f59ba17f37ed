package io.holdfast.manager.process;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessInfo;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Finds the run of a unit that a process belongs to. It is the one source for this, for notify
 * messages, requests of clients, and orphans.
 *
 * <p>A process is known in two ways. <b>By its cgroup</b>, whose id the kernel reports for each
 * process (PIDFD_GET_INFO) and gives to no other cgroup in the same boot; a process in a cgroup
 * below belongs to the run as well. <b>Directly</b>, if the run holds a pidfd of it: its main and
 * control process and, where units have no cgroups, each orphan that it has adopted. If a run has
 * no cgroup, the descendants of the processes that it holds belong to it.
 *
 * <p>A run enters the index when its resources are ready and leaves it when it ends; a process is
 * in it for as long as its run holds its pidfd. The index owns no descriptor. It is changed on the
 * loop and read by any thread, so that a lookup need not wait for the loop. Methods that query the
 * kernel may block briefly.
 */
public final class ProcessIndex {
    /**
     * A process that a run holds.
     *
     * @param started whether the manager started it, or a process of the unit named it and that was
     *     verified. Only its {@link RunMark} shows the run of an adopted orphan, and a process can
     *     give itself that of another run
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
    private final Map<Long, Workload> marked = new ConcurrentHashMap<>(); // the same by RunMark
    private final Map<PidFd, Holders> held = new ConcurrentHashMap<>();
    private final Set<Workload> spawning = ConcurrentHashMap.newKeySet();
    private final Set<PidFd> unrecorded = ConcurrentHashMap.newKeySet();
    private final ProcessLinks links;

    /**
     * @param links the folder in which the receiver of log messages looks up the units of processes
     *     without a cgroup of their own
     */
    public ProcessIndex(Path links) {
        this.links = new ProcessLinks(links);
    }

    // ---- changes, on the loop

    /**
     * Adds a run that begins.
     *
     * @param cgroupId the id of its own cgroup; empty where units have none
     */
    public void enter(Workload run, OptionalLong cgroupId) {
        if (cgroupId.isPresent()) {
            byCgroup.put(cgroupId.getAsLong(), run);
            cgroups.put(run.cgroup(), cgroupId.getAsLong());
        } else {
            withoutCgroup.put(run.invocationId(), run);
            marked.put(RunMark.of(run.invocationId()), run);
        }
    }

    /**
     * Removes a run that has ended and holds no process any more. A later run may have the same
     * cgroup.
     */
    public void leave(Workload run) {
        Long id = cgroups.get(run.cgroup());
        if (id != null && byCgroup.remove(id, run)) {
            cgroups.remove(run.cgroup(), id);
        }
        withoutCgroup.remove(run.invocationId(), run);
        marked.remove(RunMark.of(run.invocationId()), run);
        spawning.remove(run);
    }

    /**
     * Records that a run holds a process that is certainly its own, until the run {@linkplain #drop
     * drops} it. A process that other runs already hold stays theirs until they drop it.
     */
    public void hold(PidFd process, Workload run) {
        hold(process, new Held(run, true));
    }

    private void hold(PidFd process, Held by) {
        publish(
                process,
                held.merge(process, Holders.NONE.with(by), (holders, _) -> holders.with(by)));
    }

    private void publish(PidFd process, @Nullable Holders holders) {
        Held first = holders == null ? null : holders.first();
        if (first != null && first.started() && first.run().cgroup().isRoot()) {
            links.put(process, first.run().unit());
        } else {
            links.remove(process);
        }
    }

    /** Records that a run without a cgroup holds an orphan that has the mark of the run. */
    public void adopt(PidFd orphan, Workload run) {
        hold(orphan, new Held(run, false));
    }

    /** Records that a run is about to close its pidfd of a process. */
    public void drop(PidFd process, Workload run) {
        publish(
                process,
                held.computeIfPresent(
                        process,
                        (_, holders) -> {
                            Holders others = holders.without(run);
                            return others.runs().isEmpty() ? null : others;
                        }));
    }

    /** Removes the folder of links. */
    public void close() {
        links.removeAll();
    }

    /**
     * Records whether the exit of a held process is still to be recorded. Until then its holder
     * alone may reap it: a zombie keeps the exit status for the next manager.
     */
    public void unrecorded(PidFd process, boolean now) {
        if (now) {
            unrecorded.add(process);
        } else {
            unrecorded.remove(process);
        }
    }

    private Optional<Held> holder(PidFd process) {
        return Optional.ofNullable(held.get(process)).map(Holders::first);
    }

    /** Records whether a process of a run is being spawned, whose pidfd is not known yet. */
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
                && marked.isEmpty()
                && held.isEmpty()
                && spawning.isEmpty()
                && unrecorded.isEmpty();
    }

    // ---- lookups, by any thread

    /** {@return whether a process is being spawned whose pidfd is not known yet} */
    public boolean isAnySpawning() {
        return !spawning.isEmpty();
    }

    /** Returns the run whose own cgroup has this id. */
    public Optional<Workload> ofCgroup(long id) {
        return Optional.ofNullable(byCgroup.get(id));
    }

    /** Returns the run whose own cgroup was created at a path. */
    public Optional<Workload> named(CgroupPath path) {
        Long id = cgroups.get(path);
        return id == null ? Optional.empty() : ofCgroup(id);
    }

    /**
     * Returns the run in whose cgroup, or below whose cgroup, a path lies. The name alone is not
     * trusted: the directory there must be the one that was created for the run. Since cgroups
     * never move, it was there when the path was read. Blocks briefly.
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

    /** Checks whether the directory of a cgroup is still the one that was created. */
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

    /** Returns the run without a cgroup that has this invocation id. */
    public Optional<Workload> ofInvocation(String id) {
        return Optional.ofNullable(withoutCgroup.get(id));
    }

    /** Returns the run without a cgroup that has this {@link RunMark}. */
    Optional<Workload> ofMark(long mark) {
        return Optional.ofNullable(marked.get(mark));
    }

    /** {@return whether only the holder of the process may reap it} */
    boolean isUnrecorded(PidFd process) {
        return unrecorded.contains(process);
    }

    /** {@return whether a run holds a pidfd of the process} */
    public boolean isHeld(PidFd process) {
        return held.containsKey(process);
    }

    /**
     * Returns the run that a process belongs to, as far as this can be determined.
     *
     * @throws ErrnoException if the process is reaped or cannot be inspected
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

    /**
     * Finds the run in whose cgroup another cgroup lies: by the directories, whatever their names
     * are.
     */
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
     * Returns the run that certainly started a process, regardless of its cgroup: the process or,
     * if the run has no cgroup, one of its ancestors is a main or control process. An adopted
     * orphan is not certain.
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
