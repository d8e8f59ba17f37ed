package io.holdfast.core.process;

import io.holdfast.core.linux.CgroupMount;
import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.EventLoop;
import io.holdfast.core.linux.Fcntl;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.Feature;
import io.holdfast.core.linux.KernelFile;
import io.holdfast.core.linux.PidfdInfo;
import io.holdfast.core.linux.Signal;
import io.holdfast.core.linux.SysDirent;
import io.holdfast.core.linux.SysPidfd;
import io.holdfast.core.linux.SysStat;
import io.holdfast.core.linux.Unistd;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A cgroup of the v2 hierarchy (cgroups(7)), held by its open directory: a removed one is not taken
 * for another of the same name. The hierarchy may be the only one or stand beside the old one
 * (hybrid).
 *
 * <p>Safe for use by any thread; its owner closes it, which removes nothing. Methods block in the
 * kernel for a moment, and those that wait park the calling thread. All throw {@link
 * ErrnoException}: EACCES and EPERM where the directory is not ours, ENOENT or ENODEV once it is
 * removed.
 */
public final class Cgroup implements AutoCloseable {
    private static final int CGROUP_MODE = 0755;

    private static final long KILL_NANOS = 2_000_000_000; // for the loop of older kernels
    private static final Duration KILL_PAUSE = Duration.ofMillis(10);

    private static volatile @Nullable String mount; // once it was found

    private final Fd directory;
    private final CgroupPath path;
    private volatile long id; // 0 until asked for

    private Cgroup(Fd directory, CgroupPath path) {
        this.directory = directory;
        this.path = path;
    }

    /** Whether there is a v2 hierarchy at all. */
    public static boolean isMounted() {
        return mount() != null;
    }

    private static @Nullable String mount() {
        String found = mount;
        if (found == null) {
            found = CgroupMount.find();
            mount = found;
        }
        return found;
    }

    /**
     * Where the v2 hierarchy is mounted.
     *
     * @throws ErrnoException ENODATA if it is not
     */
    public static String mountPoint() {
        String found = mount();
        if (found == null) {
            throw new ErrnoException(
                    "cgroup2", "/proc/self/mountinfo", Errno.ENODATA, "no cgroup2 is mounted");
        }
        return found;
    }

    /** The root of the tree that we see. */
    public static Cgroup root() {
        return open("/");
    }

    /** The cgroup of this process. */
    public static Cgroup own() {
        try (PidFd self = PidFd.self()) {
            return open(self.cgroupPath().path());
        }
    }

    /**
     * Opens a cgroup by its path below the mount point.
     *
     * @throws ErrnoException ENOENT if there is none
     */
    public static Cgroup open(String path) {
        CgroupPath canonical = new CgroupPath(path);
        return new Cgroup(
                Fcntl.open(mountPoint() + canonical.path(), Fcntl.O_PATH | Fcntl.O_DIRECTORY),
                canonical);
    }

    /**
     * Opens a cgroup by its id: by file handle, which needs CAP_DAC_READ_SEARCH; without it by
     * looking through the tree.
     *
     * @throws ErrnoException ESTALE if it was removed or is not visible
     */
    public static Cgroup ofId(long id) {
        try (Fd mount = Fcntl.open(mountPoint(), Fcntl.O_RDONLY | Fcntl.O_DIRECTORY)) {
            int number = SysStat.openByInode(mount, id, Fcntl.O_PATH | Fcntl.O_DIRECTORY);
            if (number == -Errno.EPERM) {
                return search(id);
            }
            Fd found = Fd.adopt(number, "open_by_handle_at", "cgroup " + id);
            try {
                String full = found.with(n -> Unistd.readlinkat(null, "/proc/self/fd/" + n));
                String mountPoint = mountPoint();
                if (!full.startsWith(mountPoint)) {
                    throw new ErrnoException("cgroup", full, Errno.ESTALE, "outside of the mount");
                }
                String path = full.substring(mountPoint.length());
                return new Cgroup(found, CgroupPath.parse(path.isEmpty() ? "/" : path));
            } catch (RuntimeException e) {
                found.close();
                throw e;
            }
        }
    }

    private static Cgroup search(long id) {
        try (Cgroup root = root()) {
            Optional<CgroupPath> path = root.pathOf(id);
            if (path.isPresent()) {
                Cgroup found = open(path.get().path());
                if (found.id() == id) {
                    return found;
                }
                found.close();
            }
            throw new ErrnoException("cgroup", Long.toString(id), Errno.ESTALE);
        }
    }

    private Optional<CgroupPath> pathOf(long wanted) {
        if (id() == wanted) {
            return Optional.of(path);
        }
        for (String name : childNames()) {
            Optional<Cgroup> child = find(name);
            if (child.isPresent()) {
                try (Cgroup below = child.get()) {
                    Optional<CgroupPath> found = below.pathOf(wanted);
                    if (found.isPresent()) {
                        return found;
                    }
                }
            }
        }
        return Optional.empty();
    }

    /** The id of a process's cgroup, from its path; empty if that cannot be opened. */
    static OptionalLong idOf(Proc proc) {
        if (!isMounted()) {
            return OptionalLong.empty();
        }
        String path = proc.cgroup();
        if (CgroupPath.isRemoved(path)) {
            return OptionalLong.empty(); // another may bear the name by now
        }
        try (Cgroup cgroup = open(path)) {
            return OptionalLong.of(cgroup.id());
        } catch (ErrnoException | ForeignCgroupException e) {
            return OptionalLong.empty();
        }
    }

    /** The id: the inode number of the directory, which PIDFD_GET_INFO tells of a process too. */
    public long id() {
        long known = id;
        if (known == 0) {
            known = SysStat.inode(directory);
            id = known;
        }
        return known;
    }

    /** Its place in the tree, as we see it. */
    public CgroupPath path() {
        return path;
    }

    /** The directory, lent. */
    public Fd fd() {
        return directory;
    }

    /**
     * Makes a child, or opens it if it is there. The name is taken as it is: see {@link
     * CgroupPath#escape}.
     *
     * @throws ErrnoException EACCES, EAGAIN (the limit of cgroups is reached)
     * @throws IllegalArgumentException if the name is empty, {@code .}, {@code ..}, or has a slash
     */
    public Cgroup create(String name) {
        requireName(name);
        int r = SysStat.mkdirat(directory, name, CGROUP_MODE);
        if (r < 0 && r != -Errno.EEXIST) {
            throw new ErrnoException("mkdir", path + "/" + name, -r);
        }
        return child(name);
    }

    /**
     * Opens a child.
     *
     * @throws ErrnoException ENOENT if there is none
     * @throws IllegalArgumentException as {@link #create}
     */
    public Cgroup child(String name) {
        requireName(name);
        CgroupPath below = new CgroupPath(path.path() + "/" + name);
        return new Cgroup(Fcntl.open(directory, name, Fcntl.O_PATH | Fcntl.O_DIRECTORY, 0), below);
    }

    private static void requireName(String name) {
        if (name.isEmpty() || name.contains("/") || name.equals(".") || name.equals("..")) {
            throw new IllegalArgumentException("not the name of a cgroup: \"" + name + "\"");
        }
    }

    private Optional<Cgroup> find(String name) {
        try {
            return Optional.of(child(name));
        } catch (ErrnoException e) {
            if (isGone(e)) {
                return Optional.empty(); // removed meanwhile
            }
            throw e;
        }
    }

    private static boolean isGone(ErrnoException e) {
        return e.errno() == Errno.ENOENT || e.errno() == Errno.ENODEV;
    }

    /** The names of its children now. */
    public List<String> childNames() {
        return SysDirent.directories(directory);
    }

    /**
     * Removes it.
     *
     * @throws ErrnoException EBUSY while it has living processes or children; zombies do not count
     */
    public void remove() {
        if (path.isRoot()) {
            throw new ErrnoException("rmdir", "/", Errno.EBUSY, "the root cannot be removed");
        }
        String name = path.components().getLast();
        int flags = Fcntl.O_PATH | Fcntl.O_DIRECTORY;
        try (Fd above = Fcntl.open(directory, "..", flags, 0);
                Fd now = Fcntl.open(above, name, flags, 0)) {
            if (SysStat.inode(now) != id()) {
                throw new ErrnoException("rmdir", path.path(), Errno.ENOENT, "it was replaced");
            }
            ErrnoException.check(SysStat.rmdirat(above, name), "rmdir", path.path());
        }
    }

    /**
     * Removes its descendants and then itself.
     *
     * @throws ErrnoException EBUSY while there are living processes
     */
    public void removeAll() {
        for (String name : childNames()) {
            Optional<Cgroup> child = find(name);
            if (child.isPresent()) {
                try (Cgroup below = child.get()) {
                    below.removeAll();
                } catch (ErrnoException e) {
                    if (!isGone(e)) { // removed meanwhile
                        throw e;
                    }
                }
            }
        }
        remove();
    }

    /**
     * Moves a process here. The kernel takes a number, so the process must be pinned: ourselves or
     * an unreaped child of ours is moved for certain. Anybody else is verified afterwards: if the
     * process was reaped in that moment, ESRCH is thrown, and whoever got its number in between may
     * have been moved.
     *
     * @throws ErrnoException ESRCH, EACCES, EBUSY (controllers are handed out to children),
     *     EOPNOTSUPP
     */
    public void attach(PidFd process) {
        int r = KernelFile.write(directory, "cgroup.procs", Integer.toString(process.pid()));
        ErrnoException.check(r, "cgroup.procs of " + path.path(), process);
        process.requireUnreaped("cgroup.procs of " + path.path());
    }

    /**
     * Its processes now, each verified to be here after it was opened: none belongs elsewhere. The
     * caller owns what it gets; {@link #forEachMember} closes by itself.
     *
     * @throws ErrnoException EOPNOTSUPP for a threaded cgroup, EMFILE
     */
    public Members members() {
        return Members.of(this, false);
    }

    /** The same of this and all descendants. */
    public Members membersBelow() {
        return Members.of(this, true);
    }

    /** Lends each process to the action, and closes it. */
    public void forEachMember(Consumer<PidFd> action) {
        Members.visit(
                this,
                pidFd -> {
                    try (pidFd) {
                        action.accept(pidFd);
                    }
                });
    }

    /** Whether the process is in this very cgroup at this moment. */
    public boolean contains(PidFd process) {
        if (Feature.PIDFD_INFO.isPresent()) {
            PidfdInfo info = SysPidfd.getInfo(process.fd(), 0);
            return info.has(PidfdInfo.INFO_PID | PidfdInfo.INFO_CGROUPID)
                    && info.cgroupId() == id();
        }
        try {
            String now = process.proc().cgroup();
            return !CgroupPath.isRemoved(now) && new CgroupPath(now).equals(path) && isInPlace();
        } catch (ErrnoException | ForeignCgroupException e) {
            return false;
        }
    }

    /** Whether the path leads here, and not to another cgroup of the same name. */
    private boolean isInPlace() {
        try (Cgroup there = open(path.path())) {
            return there.id() == id();
        }
    }

    /** Whether it or a descendant has living processes; zombies do not count. */
    public boolean isPopulated() {
        return events().contains("populated 1");
    }

    /** Whether it is frozen to the last thread. */
    public boolean isFrozen() {
        return events().contains("frozen 1");
    }

    private String events() {
        return KernelFile.text(directory, CgroupEvents.FILE);
    }

    /**
     * Kills every process here and below with SIGKILL, frozen and forking ones too: {@code
     * cgroup.kill} (Linux 5.14), before that by freezing and killing each by pidfd. They are dead
     * when {@link #awaitEmpty} says so.
     *
     * @throws ErrnoException EBUSY for the root, EOPNOTSUPP for a threaded cgroup
     */
    public void kill() {
        if (path.isRoot()) {
            throw new ErrnoException("cgroup.kill", "/", Errno.EBUSY, "the root cannot be killed");
        }
        int r =
                Feature.CGROUP_KILL.isHidden()
                        ? -Errno.ENOENT
                        : KernelFile.write(directory, "cgroup.kill", "1");
        if (r == -Errno.ENOENT && directoryIsThere()) {
            killFrozen();
        } else {
            ErrnoException.check(r, "cgroup.kill", path.path());
        }
    }

    private boolean directoryIsThere() {
        return KernelFile.text(directory, "cgroup.type") != null;
    }

    /**
     * Again and again until nobody is left: a fork that was under way when the freeze came appears
     * after the first reading. Gives up on what does not die (in an uninterruptible wait), as
     * cgroup.kill does.
     */
    private void killFrozen() {
        int frozen = KernelFile.write(directory, "cgroup.freeze", "1");
        long start = System.nanoTime();
        boolean interrupted = false;
        boolean empty = false;
        ErrnoException refused = null;
        try (CgroupEvents events = new CgroupEvents(this)) {
            while (!empty && System.nanoTime() - start < KILL_NANOS) {
                refused = killMembers();
                try {
                    empty = events.await("populated 0", KILL_PAUSE);
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } finally {
            if (frozen >= 0) {
                int ignored = KernelFile.write(directory, "cgroup.freeze", "0");
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        if (refused != null && !empty) {
            throw refused;
        }
    }

    /** Kills those that are there now; what was refused, if anything was. */
    private @Nullable ErrnoException killMembers() {
        ErrnoException refused = null;
        try (Members members = membersBelow()) {
            for (PidFd member : members) {
                try {
                    boolean ignored = member.signal(Signal.KILL);
                } catch (ErrnoException e) {
                    refused = e;
                }
            }
        }
        return refused;
    }

    /**
     * Freezes every process here and below, and waits until the last thread stands (Linux 5.2). A
     * process that cannot be stopped at the moment (in an uninterruptible wait) delays that.
     *
     * @return false if they did not stand when the time was over; they go on stopping
     */
    public boolean freeze(Duration limit) throws InterruptedException {
        return setFrozen("1", "frozen 1", limit);
    }

    /** Lets them go on, and waits until they do, unless an ancestor is frozen. */
    public boolean thaw(Duration limit) throws InterruptedException {
        return setFrozen("0", "frozen 0", limit);
    }

    private boolean setFrozen(String value, String state, Duration limit)
            throws InterruptedException {
        try (CgroupEvents events = new CgroupEvents(this)) {
            int r = KernelFile.write(directory, "cgroup.freeze", value);
            ErrnoException.check(r, "cgroup.freeze", path.path());
            return events.await(state, limit);
        }
    }

    /**
     * Parks the calling thread until no living process is left here and below.
     *
     * @return false when the time is over
     */
    public boolean awaitEmpty(Duration limit) throws InterruptedException {
        try (CgroupEvents events = new CgroupEvents(this)) {
            return events.await("populated 0", limit);
        }
    }

    /**
     * Calls back on the loop's thread, once, when no living process is left here and below: at the
     * next turn if that is so already. Only on the loop's thread.
     *
     * @return closes to no call
     */
    public AutoCloseable onEmpty(EventLoop loop, Runnable empty) {
        return CgroupEvents.onEmpty(this, loop, empty);
    }

    @Override
    public void close() {
        directory.close();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Cgroup cgroup && id() == cgroup.id();
    }

    @Override
    public int hashCode() {
        return Long.hashCode(id());
    }

    @Override
    public String toString() {
        return "cgroup " + path.path();
    }
}
