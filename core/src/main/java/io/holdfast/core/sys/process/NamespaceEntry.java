package io.holdfast.core.sys.process;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.CString;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.SysMount;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
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

    private record Step(
            Libc.Function function,
            long a,
            long b,
            long c,
            long d,
            long e,
            Place place,
            String call,
            String subject) {}

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
            planned.add(
                    new Step(
                            UNSHARE,
                            fresh | (mounts ? CLONE_FS : 0),
                            0,
                            0,
                            0,
                            0,
                            Place.NONE,
                            "unshare",
                            ""));
        }
        if (mounts) {
            attributes("/", 0, SysMount.MS_SLAVE); // what is mounted there stays there
        }
    }

    private Step joining(Fd namespace, int kind) {
        long number = table.add(namespace);
        String subject = namespace.toString();
        return new Step(SETNS, number, kind, 0, 0, 0, Place.NONE, "setns", subject);
    }

    /** Joins a namespace that is there, lent until this is closed. */
    public void join(Fd namespace, int kind) {
        planned.add(joining(namespace, kind));
    }

    /** Makes all that is mounted at and below a path read-only. */
    public void readOnly(String path) {
        attributes(path, SysMount.READ_ONLY, 0);
    }

    private void attributes(String path, long attributes, long propagation) {
        MemorySegment attr = arena.allocate(SysMount.ATTR_SIZE, 8);
        attr.set(JAVA_LONG, 0, attributes);
        attr.set(JAVA_LONG, 16, propagation);
        planned.add(
                new Step(
                        SysMount.present(SysMount.MOUNT_SETATTR, "mount_setattr"),
                        Fcntl.AT_FDCWD,
                        string(path),
                        SysMount.AT_RECURSIVE,
                        attr.address(),
                        SysMount.ATTR_SIZE,
                        Place.NONE,
                        "mount_setattr",
                        path));
    }

    /**
     * Puts a tree at a path without symbolic links: one that somebody has put there meanwhile is
     * not followed (ELOOP). The tree is owned from now on.
     */
    public void attach(Fd tree, String path) {
        owned.add(tree);
        MemorySegment how = arena.allocate(HOW_SIZE, 8);
        how.set(JAVA_LONG, 0, Fcntl.O_PATH | Fcntl.O_CLOEXEC);
        how.set(JAVA_LONG, 16, RESOLVE_NO_SYMLINKS);
        planned.add(
                new Step(
                        SYSCALL,
                        OPENAT2,
                        Fcntl.AT_FDCWD,
                        string(path),
                        how.address(),
                        HOW_SIZE,
                        Place.OPENED,
                        "openat2",
                        path));
        planned.add(
                new Step(
                        SysMount.present(SysMount.MOVE_MOUNT, "move_mount"),
                        table.add(tree),
                        string(""),
                        -1,
                        string(""),
                        SysMount.MOVE_MOUNT_F_EMPTY_PATH | SysMount.MOVE_MOUNT_T_EMPTY_PATH,
                        Place.USED,
                        "move_mount",
                        path));
        planned.add(new Step(CLOSE, -1, 0, 0, 0, 0, Place.CLOSED, "close", path));
    }

    private long string(String text) {
        byte[] bytes = CString.bytes(text);
        MemorySegment memory = arena.allocate(bytes.length);
        MemorySegment.copy(bytes, 0, memory, JAVA_BYTE, 0, bytes.length);
        return memory.address();
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
            long a = step.place == Place.CLOSED ? place : step.a;
            long c = step.place == Place.USED ? place : step.c;
            int r = Libc.intCall(step.function, a, step.b, c, step.d, step.e, 0);
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
        return errno == 0 ? null : new ErrnoException(steps[done].call, steps[done].subject, errno);
    }

    @Override
    public void close() {
        owned.forEach(Fd::close);
        arena.close();
    }
}
