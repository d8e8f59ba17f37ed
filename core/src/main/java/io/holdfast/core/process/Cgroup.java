package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Registration;
import io.holdfast.core.event.Recorder;
import io.holdfast.core.sys.CgroupMount;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.core.sys.SysDirent;
import io.holdfast.core.sys.SysStat;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
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

    private static volatile @Nullable String mount; // once it was found

    private final Fd directory;
    private final CgroupPath path;
    private volatile long id; // 0 until asked for

    Cgroup(Fd directory, CgroupPath path) {
        this.directory = directory;
        this.path = path;
    }

    /** {@return whether there is a v2 hierarchy at all} */
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
     * {@return where the v2 hierarchy is mounted}
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

    /** {@return the root of the tree that we see} */
    public static Cgroup root() {
        return open("/");
    }

    /** {@return the cgroup of this process} */
    public static Cgroup own() {
        try (PidFd self = PidFd.self()) {
            return open(self.cgroupPath().path());
        }
    }

    /**
     * {@return the cgroup below which the units of this machine's manager are: that of process 1
     * without its {@code init.scope}; the root of the tree that we see, where that cannot be seen}
     */
    public static CgroupPath managerRoot() {
        Optional<PidFd> first = PidFd.find(1);
        if (first.isEmpty()) {
            return CgroupPath.ROOT;
        }
        try (PidFd manager = first.get()) {
            return manager.cgroupPath().managerRoot();
        } catch (ErrnoException | ForeignCgroupException e) {
            return CgroupPath.ROOT;
        }
    }

    /**
     * Opens a cgroup by its path below the mount point.
     *
     * @param path the path
     * @return the cgroup, owned by the caller
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
     * @param id the id
     * @return the cgroup, owned by the caller
     * @throws ErrnoException ESTALE if it was removed or is not visible
     */
    public static Cgroup ofId(long id) {
        return CgroupLookup.ofId(id);
    }

    /**
     * {@return the id: the inode number of the directory, which PIDFD_GET_INFO tells of a process
     * too}
     */
    public long id() {
        long known = id;
        if (known == 0) {
            known = SysStat.inode(directory);
            id = known;
        }
        return known;
    }

    /** {@return its place in the tree, as we see it} */
    public CgroupPath path() {
        return path;
    }

    /** {@return the directory, lent} */
    public Fd fd() {
        return directory;
    }

    /** Uses the directory. A failure of that names this cgroup. */
    <R> R in(Function<Fd, R> use) {
        try {
            return use.apply(directory);
        } catch (ErrnoException e) {
            throw e.of(this);
        }
    }

    /** Opens what is in the directory. A failure of that names this cgroup. */
    Fd open(String name, int flags) {
        try {
            return Fcntl.open(directory, name, flags, 0);
        } catch (ErrnoException e) {
            throw e.of(this);
        }
    }

    /**
     * Makes a child, or opens it if it is there. The name is taken as it is: see {@link
     * CgroupPath#escape}. Everybody may enter a child that is made here.
     *
     * @param name the name of the child, without a slash
     * @return the cgroup, owned by the caller
     * @throws ErrnoException EACCES, EAGAIN (the limit of cgroups is reached)
     * @throws IllegalArgumentException if the name is empty, {@code .}, {@code ..}, or has a slash
     */
    public Cgroup create(String name) {
        return create(name, CGROUP_MODE);
    }

    /**
     * The same with other permissions.
     *
     * @param name the name of the child, without a slash
     * @param mode of a child that is made, whatever the umask; one that is there keeps its own
     * @return the cgroup, owned by the caller
     */
    public Cgroup create(String name, int mode) {
        requireName(name);
        int r = SysStat.mkdirat(directory, name, mode);
        if (r == 0) {
            r = SysStat.fchmodat(directory, name, mode); // what the umask took
        }
        if (r < 0 && r != -Errno.EEXIST) {
            throw new ErrnoException("mkdir", below(name).toString(), -r, advice(-r));
        }
        Cgroup child = child(name);
        if (r == 0) {
            child.record("made", "");
        }
        return child;
    }

    private void record(String change, String process) {
        if (Recorder.isOn()) {
            Recorder.cgroup(path.path(), id(), change, process);
        }
    }

    /**
     * Opens a child.
     *
     * @param name the name of the child, without a slash
     * @return the cgroup, owned by the caller
     * @throws ErrnoException ENOENT if there is none
     * @throws IllegalArgumentException as {@link #create}
     */
    public Cgroup child(String name) {
        requireName(name);
        CgroupPath below = below(name);
        return new Cgroup(open(name, Fcntl.O_PATH | Fcntl.O_DIRECTORY), below);
    }

    /** The one above, also if this was removed meanwhile: a cgroup never moves. */
    Cgroup parent() {
        Fd above = open("..", Fcntl.O_PATH | Fcntl.O_DIRECTORY);
        int slash = path.path().lastIndexOf('/');
        return new Cgroup(
                above, new CgroupPath(slash == 0 ? "/" : path.path().substring(0, slash)));
    }

    /**
     * {@return whether this is another cgroup or below it: by the directories themselves, whatever
     * their names are}
     *
     * @param outer the cgroup above
     */
    public boolean isWithin(Cgroup outer) {
        Cgroup at = new Cgroup(directory.duplicate(), path);
        try {
            while (at.id() != outer.id()) {
                if (at.path.isRoot()) {
                    return false;
                }
                Cgroup below = at;
                at = below.parent();
                below.close();
            }
            return true;
        } finally {
            at.close();
        }
    }

    private CgroupPath below(String name) {
        return new CgroupPath((path.path().equals("/") ? "" : path.path()) + "/" + name);
    }

    private static void requireName(String name) {
        if (name.isEmpty() || name.contains("/") || name.equals(".") || name.equals("..")) {
            throw new IllegalArgumentException("not the name of a cgroup: \"" + name + "\"");
        }
    }

    /** A child, unless it was removed meanwhile. */
    Optional<Cgroup> find(String name) {
        try {
            return Optional.of(child(name));
        } catch (ErrnoException e) {
            if (isGone(e)) {
                return Optional.empty();
            }
            throw e;
        }
    }

    static boolean isGone(ErrnoException e) {
        return e.errno() == Errno.ENOENT || e.errno() == Errno.ENODEV;
    }

    /** {@return the names of its children now} */
    public List<String> childNames() {
        return in(SysDirent::directories);
    }

    /**
     * Removes it.
     *
     * @throws ErrnoException EBUSY while it has living processes or children; zombies do not count
     */
    public void remove() {
        CgroupRemoval.of(this);
        record("removed", "");
    }

    /**
     * Removes its descendants and then itself.
     *
     * @throws ErrnoException EBUSY while there are living processes
     */
    public void removeAll() {
        CgroupRemoval.withAllBelow(this);
        record("removed with all below", "");
    }

    private static @Nullable String advice(int errno) {
        return errno == Errno.EROFS
                ? "the cgroup file system is mounted read-only, as containers have it: mount"
                        + " /sys/fs/cgroup writable in a cgroup namespace of its own"
                : null;
    }

    /**
     * Moves a process here. The kernel takes a number, so the process must be pinned: ourselves or
     * an unreaped child of ours is moved for certain. Anybody else is verified afterwards: if the
     * process was reaped in that moment, ESRCH is thrown, and whoever got its number in between may
     * have been moved.
     *
     * @param process the process
     * @throws ErrnoException ESRCH, EACCES, EBUSY (controllers are handed out to children),
     *     EOPNOTSUPP
     */
    public void attach(PidFd process) {
        int r = KernelFile.write(directory, "cgroup.procs", Integer.toString(process.pid()));
        if (r < 0) {
            throw new ErrnoException(
                    "cgroup.procs of " + path.path(), process.toString(), -r, advice(-r));
        }
        process.requireUnreaped("cgroup.procs of " + path.path());
        record("entered", process.toString());
    }

    /**
     * {@return its processes now, each verified to be here after it was opened: none belongs
     * elsewhere} The caller owns what it gets; {@link #forEachMember} closes by itself.
     *
     * @throws ErrnoException EOPNOTSUPP for a threaded cgroup, EMFILE
     */
    public Members members() {
        return Members.of(this, false);
    }

    /**
     * The same of this and all descendants.
     *
     * @return the processes, owned by the caller
     */
    public Members membersBelow() {
        return Members.of(this, true);
    }

    /**
     * Lends each process to the action, and closes it.
     *
     * @param action called with each
     */
    public void forEachMember(Consumer<PidFd> action) {
        Members.visit(
                this,
                pidFd -> {
                    try (pidFd) {
                        action.accept(pidFd);
                    }
                });
    }

    /**
     * {@return whether the process is in this very cgroup at this moment}
     *
     * @param process the process
     */
    public boolean contains(PidFd process) {
        return Members.isIn(this, process);
    }

    /** Whether it is in the tree no more. */
    boolean isRemoved() {
        try (Fd file = open("cgroup.procs", Fcntl.O_PATH)) {
            return !file.isOpen();
        } catch (ErrnoException e) {
            if (isGone(e)) {
                return true;
            }
            throw e;
        }
    }

    /** {@return whether it or a descendant has living processes; zombies do not count} */
    public boolean isPopulated() {
        return events().contains("populated 1");
    }

    /** {@return whether it is frozen to the last thread} */
    public boolean isFrozen() {
        return events().contains("frozen 1");
    }

    private String events() {
        return in(dir -> KernelFile.text(dir, CgroupEvents.FILE));
    }

    /**
     * Kills every process here and below with SIGKILL, frozen and forking ones too: {@code
     * cgroup.kill} (Linux 5.14), before that by freezing and killing each by pidfd. They are dead
     * when {@link #awaitEmpty} says so.
     *
     * @throws ErrnoException EBUSY for the root, EOPNOTSUPP for a threaded cgroup
     */
    public void kill() {
        CgroupKill.of(this);
        record("killed", "");
    }

    /**
     * Freezes every process here and below, and waits until the last thread stands (Linux 5.2). A
     * process that cannot be stopped at the moment (in an uninterruptible wait) delays that.
     *
     * @param limit the time limit
     * @return false if they did not stand when the time was over; they go on stopping
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public boolean freeze(Duration limit) throws InterruptedException {
        boolean frozen = CgroupEvents.setFrozen(this, true, limit);
        record(frozen ? "frozen" : "freezing", "");
        return frozen;
    }

    /**
     * Lets them go on, and waits until they do, unless an ancestor is frozen.
     *
     * @param limit the time limit
     * @return false if they did not when the time was over
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public boolean thaw(Duration limit) throws InterruptedException {
        boolean thawed = CgroupEvents.setFrozen(this, false, limit);
        record(thawed ? "thawed" : "thawing", "");
        return thawed;
    }

    /**
     * Parks the calling thread until no living process is left here and below.
     *
     * @param limit the time limit
     * @return false when the time is over
     * @throws InterruptedException if the thread is or gets interrupted
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
     * @param loop the loop on whose thread it is called back
     * @param empty called when it is empty
     * @return cancelled on the loop's thread
     */
    public Registration onEmpty(EventLoop loop, Runnable empty) {
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
