package io.holdfast.core.sys.process;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.CString;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.SysMount;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How the thread that spawns a child comes into namespaces of the child's own, and what it mounts
 * there: {@code unshare(2)}, {@code setns(2)}, {@code move_mount(2)}, {@code mount_setattr(2)}.
 *
 * <p>All is prepared outside, and between {@link #enter} and {@link #leave} there are only those
 * calls and the spawn: a JVM whose thread looked for a class in there, where the folder of its
 * classes may be hidden, would never find that class again. For a platform thread that is thrown
 * away afterwards; used once. Needs CAP_SYS_ADMIN.
 */
public final class NamespaceEntry implements AutoCloseable {
    // sched.h
    /** A mount namespace (CLONE_NEWNS), in which mounts from outside go on to arrive. */
    public static final int NEW_MOUNTS = 0x20000;

    /** Host and domain name (CLONE_NEWUTS). */
    public static final int NEW_UTS = 0x4000000;

    /** System V IPC and POSIX message queues (CLONE_NEWIPC). */
    public static final int NEW_IPC = 0x8000000;

    /** Network devices, ports and abstract socket names (CLONE_NEWNET). */
    public static final int NEW_NET = 0x40000000;

    /** Processes (CLONE_NEWPID): that of the children, the thread stays in ours. */
    public static final int NEW_PROCESSES = 0x20000000;

    private static final int CLONE_FS = 0x200;
    private static final Libc.Function UNSHARE = Libc.bind("unshare");
    private static final Libc.Function SETNS = Libc.bind("setns");

    // linux/openat2.h
    private static final long OPENAT2 = 437;
    private static final long RESOLVE_NO_SYMLINKS = 4;
    private static final long HOW_SIZE = 24; // struct open_how

    private static final Libc.Function SYSCALL = Libc.bind("syscall"); // libc has no openat2
    private static final Libc.Function CLOSE = Libc.bind("close");

    /** What a step has to do with the place that is mounted on. */
    private enum Place {
        NONE,
        /** Its result is that place from now on. */
        OPENED,
        /** Its third argument. */
        USED,
        /** Its first argument, for the last time. */
        CLOSED
    }

    /**
     * A system call.
     *
     * @param arguments five
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Step(
            String call, String subject, Libc.Function function, Place place, long[] arguments) {}

    private static Step step(
            String call, String subject, Libc.Function function, Place place, long... first) {
        return new Step(call, subject, function, place, Arrays.copyOf(first, 5));
    }

    private static final String NO_MOUNT =
            "it is no mount point; the root of a chroot(2) becomes one by: mount --bind ROOT ROOT";

    private final Arena arena = Arena.ofConfined();
    private final List<Step> planned = new ArrayList<>();
    private final ChildTable table;
    private final List<Fd> owned = new ArrayList<>();
    private final Step[] home; // back to where we came from
    private Step[] steps = {};
    private int done;
    private int errno;
    private long place = -1; // that is mounted on, between two steps; in the thread's table

    /**
     * @param fresh the namespaces that are made: a sum of the constants of this class, or 0
     * @param table the table of the child, to which the descriptors are added
     * @throws ErrnoException EMFILE
     */
    public NamespaceEntry(int fresh, ChildTable table) {
        this.table = table;
        boolean mounts = (fresh & NEW_MOUNTS) != 0;
        if (mounts) {
            Fd ours = Fcntl.open("/proc/thread-self/ns/mnt", Fcntl.O_RDONLY);
            owned.add(ours);
            home = new Step[] {joining(ours, NEW_MOUNTS)};
        } else {
            home = new Step[] {};
        }
        if (fresh != 0) {
            int flags = fresh | (mounts ? CLONE_FS : 0);
            planned.add(step("unshare", "", UNSHARE, Place.NONE, flags));
        }
        if (mounts) {
            attributes("/", 0, SysMount.MS_SLAVE); // what is mounted there stays there
        }
    }

    private Step joining(Fd namespace, int kind) {
        return step("setns", namespace.toString(), SETNS, Place.NONE, table.add(namespace), kind);
    }

    /** Joins a namespace that is there, lent until this is closed. */
    public void join(Fd namespace, int kind) {
        planned.add(joining(namespace, kind));
    }

    /**
     * Sets attributes of all that is mounted at and below a path.
     *
     * @param attributes a sum of the constants of {@link SysMount}
     */
    public void add(String path, long attributes) {
        attributes(path, attributes, 0);
    }

    /** Sets how mounts propagate into and out of all that is mounted by now. */
    public void propagate(long propagation) {
        attributes("/", 0, propagation);
    }

    private void attributes(String path, long attributes, long propagation) {
        long attr = arena.allocateFrom(JAVA_LONG, attributes, 0, propagation, 0).address();
        planned.add(
                step(
                        "mount_setattr",
                        path,
                        SysMount.present(SysMount.MOUNT_SETATTR, "mount_setattr"),
                        Place.NONE,
                        Fcntl.AT_FDCWD,
                        string(path),
                        SysMount.AT_RECURSIVE,
                        attr,
                        SysMount.ATTR_SIZE));
    }

    /**
     * Puts a tree at a path without symbolic links: one that somebody has put there meanwhile is
     * not followed (ELOOP). The tree is owned from now on.
     */
    public void attach(Fd tree, String path) {
        owned.add(tree);
        long flags = Fcntl.O_PATH | Fcntl.O_CLOEXEC;
        long how = arena.allocateFrom(JAVA_LONG, flags, 0, RESOLVE_NO_SYMLINKS).address();
        long at = string(path);
        planned.add(
                step(
                        "openat2",
                        path,
                        SYSCALL,
                        Place.OPENED,
                        OPENAT2,
                        Fcntl.AT_FDCWD,
                        at,
                        how,
                        HOW_SIZE));
        Libc.Function move = SysMount.present(SysMount.MOVE_MOUNT, "move_mount");
        long empty = string("");
        long all = SysMount.MOVE_MOUNT_F_EMPTY_PATH | SysMount.MOVE_MOUNT_T_EMPTY_PATH;
        planned.add(
                step("move_mount", path, move, Place.USED, table.add(tree), empty, -1, empty, all));
        planned.add(step("close", path, CLOSE, Place.CLOSED));
    }

    private long string(String text) {
        return arena.allocateFrom(JAVA_BYTE, CString.bytes(text)).address();
    }

    /** No more is to come: what is still to be loaded is loaded now. */
    void prepare() {
        steps = planned.toArray(Step[]::new);
        for (Step step : steps) {
            var _ = step.function.symbol();
        }
        for (Step step : home) {
            var _ = step.function.symbol();
        }
        int ignored = run(new Step[] {}); // links it
    }

    /** Whether all of it was done; else what was not is in {@link #failure}. */
    boolean enter() {
        done = run(steps);
        return done == steps.length;
    }

    /** How many were done. */
    private int run(Step[] list) {
        for (int i = 0; i < list.length; i++) {
            Step step = list[i];
            long[] given = step.arguments;
            long a = step.place == Place.CLOSED ? place : given[0];
            long c = step.place == Place.USED ? place : given[2];
            int r = Libc.intCall(step.function, a, given[1], c, given[3], given[4], 0);
            if (r < 0) {
                errno = -r;
                return i;
            }
            if (step.place == Place.OPENED) {
                place = r;
            } else if (step.place == Place.CLOSED) {
                place = -1;
            }
        }
        return list.length;
    }

    /** Back to our own mounts; the other namespaces do not matter to a thread that ends. */
    void leave() {
        if (done > 0) {
            int kept = errno;
            int ignored = run(home);
            errno = kept;
        }
    }

    /** Returns the call that failed. */
    public @Nullable ErrnoException failure() {
        if (errno == 0) {
            return null;
        }
        Step failed = steps[done];
        boolean isNoMount = errno == Errno.EINVAL && failed.call.equals("mount_setattr");
        return isNoMount
                ? new ErrnoException(failed.call, failed.subject, errno, NO_MOUNT)
                : new ErrnoException(failed.call, failed.subject, errno);
    }

    @Override
    public void close() {
        owned.forEach(Fd::close);
        arena.close();
    }
}
