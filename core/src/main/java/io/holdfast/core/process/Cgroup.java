package io.holdfast.core.process;

import com.google.errorprone.annotations.MustBeClosed;
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
import io.holdfast.core.sys.Unistd;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A cgroup of the v2 hierarchy (cgroups(7)), held by its open directory: a removed cgroup is never
 * mistaken for a new one of the same name. The hierarchy may be the only one or coexist with v1
 * (hybrid).
 *
 * <p>Safe for use by any thread; its owner closes it, which removes nothing. Methods block in the
 * kernel for a moment, and those that wait park the calling thread. All throw {@link
 * ErrnoException}: EACCES and EPERM without permission for the directory, ENOENT or ENODEV once it
 * is removed.
 */
public final class Cgroup implements AutoCloseable {
    private static final int CGROUP_MODE = 0755;

    private static volatile @Nullable String mount; // null until it was found

    private final Fd directory;
    private final CgroupPath path;
    private volatile long id; // 0 until it was read

    Cgroup(Fd directory, CgroupPath path) {
        this.directory = directory;
        this.path = path;
    }

    /** {@return whether a v2 hierarchy is mounted} */
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
     * @throws ErrnoException ENODATA if it is not mounted
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
     * {@return the cgroup below which this machine's manager has its units: that of process 1
     * without its {@code init.scope}; the root of the visible tree, if the cgroup of process 1 is
     * not visible}
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
     * searching the tree.
     *
     * @param id the id
     * @return the cgroup, owned by the caller
     * @throws ErrnoException ESTALE if it was removed or is not visible
     */
    public static Cgroup ofId(long id) {
        return CgroupLookup.ofId(id);
    }

    /**
     * {@return the id: the inode number of the directory, which PIDFD_GET_INFO also reports for a
     * process}
     */
    public long id() {
        long known = id;
        if (known == 0) {
            known = SysStat.inode(directory);
            id = known;
        }
        return known;
    }

    /** {@return its path in the visible tree} */
    public CgroupPath path() {
        return path;
    }

    /** {@return the directory, lent} */
    public Fd fd() {
        return directory;
    }

    /** Calls the function with the directory. An exception that it throws names this cgroup. */
    <R> R in(Function<Fd, R> use) {
        try {
            return use.apply(directory);
        } catch (ErrnoException e) {
            throw e.of(this);
        }
    }

    /** Opens an entry of the directory. The exception of a failure names this cgroup. */
    Fd open(String name, int flags) {
        try {
            return Fcntl.open(directory, name, flags, 0);
        } catch (ErrnoException e) {
            throw e.of(this);
        }
    }

    /**
     * Makes a child, or opens it if it exists. The name is used without escaping: see {@link
     * CgroupPath#escape}. A child that is made here has the mode 0755.
     *
     * @param name the name of the child, without a slash
     * @return the cgroup, owned by the caller
     * @throws ErrnoException EACCES, EAGAIN (the limit of cgroups is reached), EROFS (also if the
     *     child exists: another program uses it)
     * @throws IllegalArgumentException if the name is empty, {@code .}, {@code ..}, or has a slash
     */
    public Cgroup create(String name) {
        return create(name, CGROUP_MODE);
    }

    /**
     * Makes a child with a given mode, or opens it if it exists.
     *
     * @param name the name of the child, without a slash
     * @param mode the mode of a new child, whatever the umask; an existing child keeps its own
     * @return the cgroup, owned by the caller
     */
    public Cgroup create(String name, int mode) {
        requireName(name);
        int r = SysStat.mkdirat(directory, name, mode);
        if (r == -Errno.EEXIST && SysStat.isReadOnly(directory)) {
            r = -Errno.EROFS; // mkdir(2) checks the name first
        }
        if (r < 0 && r != -Errno.EEXIST) {
            throw new ErrnoException("mkdir", below(name).toString(), -r, advice(-r));
        }
        return r == 0 ? made(name, mode) : child(name);
    }

    /** Opens a child that was made, or removes it again. */
    private Cgroup made(String name, int mode) {
        Cgroup child;
        try {
            child = child(name);
        } catch (RuntimeException e) { // no free descriptor
            int ignored = SysStat.rmdirat(directory, name);
            throw e;
        }
        try {
            // not by name: the owner of this directory may have replaced the child by his own
            if (SysStat.stat(child.directory).uid() == Unistd.geteuid()) {
                int r = SysStat.fchmodat(child.directory, ".", mode); // what the umask removed
                ErrnoException.check(r, "chmod", child.path.path());
            }
            child.record("made", "");
            return child;
        } catch (RuntimeException e) {
            child.close();
            int ignored = SysStat.rmdirat(directory, name);
            throw e;
        }
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

    /** Opens the parent, even if this was removed meanwhile: a cgroup never moves. */
    Cgroup parent() {
        Fd above = open("..", Fcntl.O_PATH | Fcntl.O_DIRECTORY);
        int slash = path.path().lastIndexOf('/');
        return new Cgroup(
                above, new CgroupPath(slash == 0 ? "/" : path.path().substring(0, slash)));
    }

    /**
     * {@return whether this cgroup is the same as another or below it; compares the directories
     * themselves, not their names}
     *
     * @param outer the other cgroup
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

    /** Opens a child; empty if it was removed meanwhile. */
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
     * Removes this cgroup.
     *
     * @throws ErrnoException EBUSY while it has living processes or children; zombies do not count
     */
    public void remove() {
        CgroupRemoval.of(this);
        record("removed", "");
    }

    /**
     * Removes its descendants and then this cgroup.
     *
     * @throws ErrnoException EBUSY while there are living processes
     */
    public void removeAll() {
        CgroupRemoval.withAllBelow(this);
        record("removed with all below", "");
    }

    private static @Nullable String advice(int errno) {
        return switch (errno) {
            case Errno.EROFS ->
                    "the cgroup file system is mounted read-only, as containers have it: mount"
                            + " /sys/fs/cgroup writable in a cgroup namespace of its own";
            case Errno.EAGAIN ->
                    "a limit of cgroups is reached (cgroup.max.descendants, cgroup.max.depth)";
            default -> null;
        };
    }

    /**
     * Reads an attribute: a file of the cgroup, such as {@code memory.current} or {@code
     * memory.events} (the kernel's cgroup-v2 document lists them).
     *
     * @param attribute the name of the file
     * @return its content, without the newline at its end
     * @throws ErrnoException EOPNOTSUPP if its controller is not enabled for this cgroup, with the
     *     reason and the remedy; ENOENT if the cgroup was removed
     * @throws IllegalArgumentException if it is not the name of an attribute
     */
    public String read(String attribute) {
        return Controllers.read(this, attribute);
    }

    /**
     * Writes an attribute, such as a limit.
     *
     * <pre>{@code
     * parent.enable("memory");
     * parent.create("job").write("memory.max", "512M");
     * }</pre>
     *
     * @param attribute the name of the file, other than {@code cgroup.procs} and {@code
     *     cgroup.threads}, for which {@link #attach} is
     * @param value the value, as the kernel documents it
     * @throws ErrnoException EOPNOTSUPP as {@link #read}; EINVAL or ERANGE if the kernel refuses
     *     the value; EACCES
     * @throws IllegalArgumentException if it is not the name of an attribute
     */
    public void write(String attribute, String value) {
        Controllers.write(this, attribute, value);
    }

    /**
     * Enables a controller for the children of this cgroup; does nothing if it is enabled.
     *
     * @param controller the controller, such as {@code memory}, {@code pids} or {@code cpu}
     * @throws ErrnoException EOPNOTSUPP if this cgroup does not have it itself, with the reason and
     *     the remedy; EBUSY if this cgroup has processes, other than the root; EACCES
     * @throws IllegalArgumentException if it is not the name of a controller
     */
    public void enable(String controller) {
        Controllers.enable(this, controller);
    }

    /**
     * Moves a process here. The kernel identifies it by PID, so only a process whose PID is pinned
     * is moved for certain: this process or an unreaped child of it. Any other process is verified
     * afterwards: if it was reaped during the move, ESRCH is thrown, and another process that got
     * its PID in between may have been moved.
     *
     * @param process the process
     * @throws ErrnoException ESRCH, EACCES, EBUSY (it enables controllers for its children),
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
     * {@return its processes now, owned by the caller; each was verified to be in this cgroup after
     * it was opened} {@link #forEachMember} closes them automatically.
     *
     * @throws ErrnoException EOPNOTSUPP for a threaded cgroup, EMFILE
     */
    @MustBeClosed
    public Members members() {
        return Members.of(this, false);
    }

    /**
     * Returns the processes of this cgroup and all its descendants, as {@link #members} does.
     *
     * @return the processes, owned by the caller
     */
    @MustBeClosed
    public Members membersBelow() {
        return Members.of(this, true);
    }

    /**
     * Returns whether these are all its processes, and no cgroup is below it: a quick look that
     * reads no more than so many numbers. If it cannot tell, the result is false.
     *
     * @param known processes, lent
     * @return whether no other process is in it now
     */
    public boolean hasNoneBut(Collection<PidFd> known) {
        return Members.areAll(this, known);
    }

    /**
     * Lends each process to the action, and closes it afterwards.
     *
     * @param action called with each process
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
     * {@return whether the process is in this cgroup itself now, not in a descendant}
     *
     * @param process the process
     */
    public boolean contains(PidFd process) {
        return Members.isIn(this, process);
    }

    /** Returns whether it was removed. */
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

    /** {@return whether all its threads are frozen} */
    public boolean isFrozen() {
        return events().contains("frozen 1");
    }

    private String events() {
        return in(dir -> KernelFile.text(dir, CgroupEvents.FILE));
    }

    /**
     * Kills every process here and below with SIGKILL, frozen and forking ones too: by {@code
     * cgroup.kill} (Linux 5.14), on older kernels by freezing the cgroup and killing each process
     * by pidfd. They have exited when {@link #awaitEmpty} returns true.
     *
     * @throws ErrnoException EBUSY for the root, EOPNOTSUPP for a threaded cgroup
     */
    public void kill() {
        CgroupKill.of(this);
        record("killed", "");
    }

    /**
     * Freezes every process here and below, and waits until all threads are frozen (Linux 5.2). A
     * process in an uninterruptible wait delays that.
     *
     * @param limit the time limit
     * @return false if not all were frozen when the time was over; the kernel continues to freeze
     *     them
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public boolean freeze(Duration limit) throws InterruptedException {
        boolean frozen = CgroupEvents.setFrozen(this, true, limit);
        record(frozen ? "frozen" : "freezing", "");
        return frozen;
    }

    /**
     * Thaws the cgroup, and waits until it is thawed. While an ancestor is frozen, it stays frozen.
     *
     * @param limit the time limit
     * @return false if it was still frozen when the time was over
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
     * Calls back once, on the loop's thread, when no living process is left here and below; on the
     * next turn of the loop if there is none already. May be called only on the loop's thread.
     *
     * @param loop the event loop
     * @param empty called when no living process is left
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
