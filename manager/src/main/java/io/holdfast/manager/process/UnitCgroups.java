package io.holdfast.manager.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysFile;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.resource.CgroupPrograms;
import io.holdfast.manager.resource.ControllerTree;
import io.holdfast.manager.resource.ResourceLimits;
import io.holdfast.manager.resource.ResourceUsage;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.resource.Controller;
import io.holdfast.manager.unit.resource.ResourceSettings;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.unit.settings.CgroupSettings.OomPolicy;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The cgroups of units, in one slice of the manager, which lies in the cgroup that the manager was
 * started in; nothing that is there already is touched. Blocking; called off the loop.
 *
 * <p>One manager at a time uses a slice: it locks (flock(2)) the directory of a child cgroup,
 * {@code lock}, which no other user may open. A file in a cgroup would not do: the kernel makes
 * these readable for all, and so any user could lock them.
 */
public final class UnitCgroups implements AutoCloseable {
    private static final String LOCK = "lock";
    private static final int OWNER_ALONE = 0700;
    private static final int OTHERS = 077;
    private static final int ATTEMPTS = 10;

    private final Cgroup base;
    private final Cgroup slice;
    private final Fd lock;
    private final ControllerTree controllers;
    private final CgroupPrograms programs = new CgroupPrograms();
    private final Map<UnitName, ResourceSettings> slices = new ConcurrentHashMap<>();

    private UnitCgroups(Cgroup base, Cgroup slice, Fd lock, ControllerTree controllers) {
        this.base = base;
        this.slice = slice;
        this.lock = lock;
        this.controllers = controllers;
    }

    /**
     * Makes the slice.
     *
     * @param again whether the processes in it are adopted from a manager that was killed
     * @param mayLeave whether this process is the manager's own, so that it may move to a leaf
     * @param keeper the manager's parent, if that belongs to it
     * @throws ErrnoException EACCES or EPERM if we may not make it, ENODATA without cgroup2, EBUSY
     *     if another manager uses it, or if other users may make cgroups in it
     */
    public static UnitCgroups open(
            UnitName name, boolean again, boolean mayLeave, Optional<PidFd> keeper) {
        Cgroup base = base();
        try {
            return open(base, base.create(name.text()), again, mayLeave, keeper);
        } catch (RuntimeException e) {
            base.close();
            throw e;
        }
    }

    private static UnitCgroups open(
            Cgroup base, Cgroup slice, boolean again, boolean mayLeave, Optional<PidFd> keeper) {
        Fd lock = null;
        try {
            requireOurs(slice);
            lock = lock(slice);
            if (!again) {
                requireEmpty(slice);
            }
            return new UnitCgroups(base, slice, lock, ControllerTree.below(base, mayLeave, keeper));
        } catch (RuntimeException e) {
            if (lock != null) {
                int ignored = SysStat.rmdirat(slice.fd(), LOCK);
                lock.close();
            }
            slice.close();
            throw e;
        }
    }

    /** Opens the cgroup that the manager was started in: an earlier manager may have left it. */
    private static Cgroup base() {
        try (Cgroup own = Cgroup.own()) {
            return Cgroup.open(own.path().managerRoot().path());
        }
    }

    /**
     * Refuses a slice in which other users may make cgroups: they could make one with any unit's
     * name.
     */
    private static void requireOurs(Cgroup slice) {
        FileStatus stat = SysStat.stat(slice.fd());
        boolean trusted = stat.uid() == 0 || stat.uid() == Unistd.geteuid();
        if (!trusted || stat.isWritableByOthers()) {
            throw new ErrnoException(
                    "slice",
                    slice.path().path(),
                    Errno.EBUSY,
                    "other users may make cgroups in it (owner %d, mode %04o); remove it (rmdir %s), or choose another slice"
                            .formatted(stat.uid(), stat.permissions(), directory(slice)));
        }
    }

    private static Fd lock(Cgroup slice) {
        for (int i = 0; i < ATTEMPTS; i++) {
            try (Cgroup made = slice.create(LOCK, OWNER_ALONE)) {
                FileStatus stat = SysStat.stat(made.fd());
                if (stat.uid() != Unistd.geteuid() || (stat.permissions() & OTHERS) != 0) {
                    made.remove(); // others may have it open
                    continue;
                }
                try (Fd lock = open(made)) {
                    if (SysFile.tryLock(lock) < 0) {
                        break;
                    }
                    if (isThere(slice, made)) {
                        return lock.move();
                    }
                }
            } catch (ErrnoException e) {
                if (e.errno() != Errno.ENOENT && e.errno() != Errno.ENODEV) {
                    throw e; // otherwise its manager has just ended
                }
            }
        }
        throw new ErrnoException(
                "slice", // not that of a runtime folder, with whose manager one can talk
                slice.path().path(),
                Errno.EBUSY,
                "another manager uses it; choose another one: --slice NAME.slice");
    }

    private static Fd open(Cgroup cgroup) {
        return Fcntl.open(cgroup.fd(), ".", Fcntl.O_RDONLY | Fcntl.O_DIRECTORY, 0);
    }

    private static boolean isThere(Cgroup slice, Cgroup lock) {
        try (Cgroup now = slice.child(LOCK)) {
            return now.equals(lock);
        }
    }

    private static void requireEmpty(Cgroup slice) {
        if (slice.isPopulated()) {
            throw new ErrnoException(
                    "cgroup",
                    slice.path().path(),
                    Errno.EBUSY,
                    "processes of an earlier manager are in it; end them (echo 1 > "
                            + directory(slice)
                            + "/cgroup.kill), or choose another slice");
        }
    }

    private static String directory(Cgroup slice) {
        return Cgroup.mountPoint() + slice.path().path();
    }

    public CgroupPath path() {
        return slice.path();
    }

    /** Returns the path of a slice's cgroup. */
    public CgroupPath pathOf(UnitName slice) {
        CgroupPath path = path();
        for (UnitName step : slice.slicePath()) {
            path = path.child(step.text());
        }
        return path;
    }

    /** Returns the controllers that units may use. */
    public ControllerTree controllers() {
        return controllers;
    }

    /** Returns what restricts devices and addresses. */
    public CgroupPrograms programs() {
        return programs;
    }

    /**
     * Makes the cgroup of a unit, and those of the slices above it, and sets its limits.
     *
     * @param problems receives a line for each setting that cannot be applied; called before this
     *     method returns
     */
    public Cgroup create(
            UnitName unit, UnitName in, CgroupSettings settings, Consumer<String> problems) {
        return inSlice(
                in,
                Cgroup::create,
                path -> {
                    Cgroup made = path.getLast().create(CgroupPath.escape(unit.text()));
                    try {
                        boolean isNew = !made.isPopulated();
                        limit(unit, in, path, made, settings, Optional.empty(), isNew, problems);
                        return made;
                    } catch (RuntimeException e) {
                        made.close();
                        throw e;
                    }
                });
    }

    /**
     * Changes the limits of a unit that runs.
     *
     * @param cgroup lent
     * @param before the settings that hold until now
     */
    public void change(
            UnitName unit,
            UnitName in,
            Cgroup cgroup,
            CgroupSettings before,
            CgroupSettings settings,
            Consumer<String> problems) {
        Optional<ResourceSettings> was = Optional.of(before.resources());
        boolean _ =
                inSlice(
                        in,
                        Cgroup::create,
                        path -> {
                            limit(unit, in, path, cgroup, settings, was, false, problems);
                            return true;
                        });
    }

    private void limit(
            UnitName unit,
            UnitName in,
            List<Cgroup> path,
            Cgroup cgroup,
            CgroupSettings settings,
            Optional<ResourceSettings> before,
            boolean isNew,
            Consumer<String> problems) {
        controllers.missing(unit.text(), settings.resources());
        List<ResourceSettings> above = above(Optional.of(in));
        new ResourceLimits(settings.resources(), above, settings.oomPolicy() == OomPolicy.KILL)
                .write(
                        cgroup.fd(),
                        enable(path, above, settings.controllers(), problems),
                        before,
                        isNew,
                        problems);
        programs.ofUnit(unit.text(), cgroup.fd(), settings.resources(), above, problems);
    }

    /**
     * Enables controllers in cgroups, and returns those that are enabled below the last one.
     *
     * @param path from the uppermost slice down
     * @param above the settings of these slices
     */
    private Set<Controller> enable(
            List<Cgroup> path,
            List<ResourceSettings> above,
            Set<Controller> needed,
            Consumer<String> problems) {
        if (controllers.available().isEmpty()) {
            return Set.of();
        }
        Set<Controller> wanted = EnumSet.noneOf(Controller.class);
        wanted.addAll(needed);
        above.forEach(each -> wanted.removeAll(each.withheld()));
        try {
            return controllers.enable(
                    Stream.concat(Stream.of(base), path.stream()).toList(), wanted);
        } catch (ErrnoException e) {
            problems.accept("its resources are neither limited nor accounted: " + e.getMessage());
            return Set.of();
        }
    }

    /** Returns the settings of a slice and those above it, the nearest first. */
    private List<ResourceSettings> above(Optional<UnitName> in) {
        List<ResourceSettings> all = new ArrayList<>();
        Optional<UnitName> at = in;
        while (at.isPresent()) {
            all.add(slices.getOrDefault(at.get(), ResourceSettings.NONE));
            at = CgroupSettings.parentOf(at.get());
        }
        return all;
    }

    /**
     * Makes the cgroup of a slice, and those above it, and sets its limits.
     *
     * @param problems as for {@link #create}
     */
    public void makeSlice(UnitName name, ResourceSettings settings, Consumer<String> problems) {
        ResourceSettings before = slices.put(name, settings);
        List<ResourceSettings> above = above(CgroupSettings.parentOf(name));
        controllers.missing(name.text(), settings);
        boolean _ =
                inSlice(
                        name,
                        Cgroup::create,
                        path -> {
                            Set<Controller> needed = settings.controllers();
                            new ResourceLimits(settings, above, false)
                                    .write(
                                            path.getLast().fd(),
                                            enable(
                                                    path.subList(0, path.size() - 1),
                                                    above,
                                                    needed,
                                                    problems),
                                            Optional.ofNullable(before),
                                            false,
                                            problems);
                            programs.ofSlice(name.text(), path.getLast().fd(), settings, problems);
                            return true;
                        });
    }

    /** Returns what a slice uses. */
    public ResourceUsage usageOf(UnitName name) {
        boolean counts = slices.getOrDefault(name, ResourceSettings.NONE).countsPackets();
        try {
            return inSlice(
                    name, Cgroup::child, path -> ResourceUsage.of(path.getLast().fd(), counts));
        } catch (ErrnoException e) {
            return ResourceUsage.UNKNOWN; // it has no cgroup
        }
    }

    /** Removes the cgroup of a slice, unless a process lives there. */
    public void removeSlice(UnitName name) {
        ResourceSettings _ = slices.remove(name);
        try {
            boolean _ =
                    inSlice(
                            name,
                            Cgroup::child,
                            path -> {
                                path.getLast().remove();
                                return true;
                            });
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ENOENT
                    && e.errno() != Errno.ENODEV
                    && e.errno() != Errno.EBUSY) {
                throw e;
            }
        }
    }

    /** Calls with the open cgroups of a slice and those above it, the uppermost first. */
    private <T> T inSlice(
            UnitName name,
            BiFunction<Cgroup, String, Cgroup> step,
            Function<List<Cgroup>, T> task) {
        List<Cgroup> opened = new ArrayList<>();
        List<Cgroup> path = new ArrayList<>(List.of(slice));
        try {
            for (UnitName each : name.slicePath()) {
                Cgroup next = step.apply(path.getLast(), each.text());
                opened.add(next);
                path.add(next);
            }
            return task.apply(path);
        } finally {
            opened.forEach(Cgroup::close);
        }
    }

    /**
     * Removes the cgroup of a unit that has ended, and those that the unit made below it. The
     * cgroup is lent.
     *
     * @return false if a process lives there
     */
    public static boolean remove(Cgroup cgroup) {
        try {
            cgroup.removeAll();
            return true;
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT || e.errno() == Errno.ENODEV) {
                return true;
            }
            if (e.errno() == Errno.EBUSY) {
                return false;
            }
            throw e;
        }
    }

    /** Kills the remaining processes, and removes all cgroups. */
    @Override
    public void close() {
        try (base;
                lock;
                slice;
                programs) {
            slice.kill();
            if (slice.awaitEmpty(ManagerLimits.KILL_TIMEOUT.duration())) {
                boolean ignored = remove(slice); // another manager may already be using it
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
