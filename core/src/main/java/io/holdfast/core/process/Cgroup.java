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
import io.holdfast.core.linux.SysPidfd;
import io.holdfast.core.linux.SysStat;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
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

    /** How often and how far apart members are killed that do not stand, without cgroup.kill. */
    private static final int KILL_ROUNDS = 500;

    private static final Duration KILL_PAUSE = Duration.ofMillis(10);

    /** The tree, found once. */
    private static final class Tree {
        static final @Nullable String MOUNT = CgroupMount.find();
    }

    private final Fd directory;
    private final CgroupPath path;
    private volatile long id; // 0 until asked for

    private Cgroup(Fd directory, CgroupPath path) {
        this.directory = directory;
        this.path = path;
    }

    /** Whether there is a v2 hierarchy at all. */
    public static boolean isMounted() {
        return Tree.MOUNT != null;
    }

    /**
     * Where the v2 hierarchy is mounted.
     *
     * @throws ErrnoException ENODATA if it is not
     */
    public static String mountPoint() {
        String mount = Tree.MOUNT;
        if (mount == null) {
            throw new ErrnoException(
                    "cgroup2", "/proc/self/mountinfo", Errno.ENODATA, "no cgroup2 is mounted");
        }
        return mount;
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
        CgroupPath parsed = CgroupPath.parse(path);
        return new Cgroup(
                Fcntl.open(mountPoint() + parsed.path(), Fcntl.O_PATH | Fcntl.O_DIRECTORY), parsed);
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
                String full = found.with(Cgroup::linkTarget);
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

    private static String linkTarget(int number) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/fd/" + number)).toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
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
        try (Cgroup cgroup = open(proc.cgroup())) {
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
     */
    public Cgroup create(String name) {
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
     */
    public Cgroup child(String name) {
        if (name.isEmpty() || name.contains("/") || name.equals(".") || name.equals("..")) {
            throw new IllegalArgumentException("not the name of a cgroup: \"" + name + "\"");
        }
        String below = path.isRoot() ? "/" + name : path.path() + "/" + name;
        return new Cgroup(
                Fcntl.open(directory, name, Fcntl.O_PATH | Fcntl.O_DIRECTORY, 0),
                CgroupPath.parse(below));
    }

    private Optional<Cgroup> find(String name) {
        try {
            return Optional.of(child(name));
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT || e.errno() == Errno.ENODEV) {
                return Optional.empty(); // removed meanwhile
            }
            throw e;
        }
    }

    /** The names of its children now. */
    public List<String> childNames() {
        List<String> names = new ArrayList<>();
        directory.with(number -> {
            String[] all = new File("/proc/self/fd/" + number).list();
            for (String name : all == null ? new String[0] : all) {
                // files of the kernel's have no directory behind them
                if (new File("/proc/self/fd/" + number, name).isDirectory()) {
                    names.add(name);
                }
            }
            return names;
        });
        return names;
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
        String parent = path.path().substring(0, path.path().lastIndexOf('/'));
        String name = path.path().substring(parent.length() + 1);
        try (Cgroup above = open(parent.isEmpty() ? "/" : parent);
                Cgroup now = above.child(name)) {
            if (now.id() != id()) {
                throw new ErrnoException("rmdir", path.path(), Errno.ENOENT, "it was replaced");
            }
            ErrnoException.check(SysStat.rmdirat(above.directory, name), "rmdir", path.path());
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
            return CgroupPath.parse(process.proc().cgroup()).equals(path);
        } catch (ErrnoException | ForeignCgroupException e) {
            return false;
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
     * A fork may outrun a reading of the members as long as not every thread stands: one more
     * reading after that finds all of them. Where it cannot be frozen, until none is left.
     */
    private void killFrozen() {
        int frozen = KernelFile.write(directory, "cgroup.freeze", "1");
        String settled = frozen >= 0 ? "frozen 1" : "populated 0";
        boolean interrupted = false;
        try (CgroupEvents events = new CgroupEvents(this)) {
            boolean isSettled = false;
            for (int round = 0; round < KILL_ROUNDS; round++) {
                if (!killMembers() || isSettled) {
                    return;
                }
                try {
                    isSettled = events.await(settled, KILL_PAUSE);
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
    }

    /** Whether there was any. */
    private boolean killMembers() {
        try (Members members = membersBelow()) {
            members.forEach(member -> {
                boolean ignored = member.signal(Signal.KILL);
            });
            return members.size() > 0;
        }
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
