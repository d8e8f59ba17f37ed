package io.holdfast.core.sys.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.limit.CoreLimits;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Scratch;
import io.holdfast.core.sys.Uninterruptible;
import io.holdfast.core.sys.Unistd;
import java.io.File;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A thread that spawns children from a descriptor table of its own.
 *
 * <p>A child inherits a copy of the descriptor table of the thread that spawns it, and must close
 * what it was not given. Among the descriptors of this process may be files that other users have
 * sent, and a user can make {@code close(2)} of such a file take for ever: a FUSE file system need
 * not answer, and not even SIGKILL ends that wait. One such descriptor anywhere in this process
 * would then stop all starts. So this thread has a table of its own, which gets copies of just the
 * descriptors of one start ({@link ChildTable}). A start also takes the same time however many
 * descriptors this process has.
 *
 * <p>Copies come from the table of the process by {@code pidfd_getfd(2)}, and the pidfd of the
 * child goes back in the same way.
 *
 * <pre>
 *   caller        ── spawn ──▶                                                ◀── copies the pidfd
 *   this thread               copies the descriptors, spawns, closes its copies ──▶
 * </pre>
 *
 * <p>The thread closes its copies only once the caller is done if their close may take for ever.
 *
 * <p>Threads share or copy the table of the thread that starts them, and the kernel cannot empty a
 * table without closing what has a number below 64. So all these threads are started by one thread,
 * the root, whose table was emptied before a stranger's file could be in it: {@link #prepare} is
 * called before the first descriptor is received.
 *
 * <p>The JVM uses some descriptors by number on any thread: the image of the JDK's classes, jars,
 * and the file behind the heap of ZGC. The tables have copies of these under the same numbers; the
 * other numbers below the highest of them are {@link #reserved} by a descriptor on which every read
 * and write fails. Nothing else runs on these threads than prepared calls ({@link SpawnCall});
 * above all they never resume a virtual thread, since that may start a thread, which would have
 * this table. One thing is left: what the JVM opens later, or under a number above those, is not in
 * the tables. A line that one of these threads itself writes to a log file of the JVM ({@code
 * -Xlog:…:file=}), or the heap dump of an OutOfMemoryError on it, is lost, or goes to the copy that
 * has this number during a start.
 *
 * <p>Where pidfd_getfd is not available ({@link Feature#OWN_TABLE}), each start has a thread whose
 * table is a copy of that of the process, and the child closes the rest of it.
 */
public final class SpawnThread implements Runnable, AutoCloseable {
    private static final long IDLE_SECONDS = 10;

    /**
     * How long the root may take; longer only if a stranger's file came before {@link #prepare}.
     */
    private static final long ROOT_SECONDS = 10;

    private static final long DESCRIPTOR_NANOS = CoreLimits.DESCRIPTOR_TIMEOUT.duration().toNanos();

    private static final long PAUSE_NANOS = 5_000_000;

    // asm/unistd.h, the same on x86_64 and aarch64
    private static final int NR_CLOSE_RANGE = 436;

    // linux/close_range.h
    private static final int CLOSE_RANGE_UNSHARE = 2;

    private static final int CLONE_FILES = 0x400; // sched.h

    // sys/wait.h
    private static final int P_ALL = 0;
    private static final int P_PIDFD = 3;
    private static final int WNOHANG = 1;
    private static final int WEXITED = 4;
    private static final int WNOWAIT = 0x1000000;

    /** Only children of the calling thread. */
    private static final int WNOTHREAD = 0x20000000;

    private static final long EVERY_NUMBER = 0xFFFFFFFFL;

    /** The JVM opens what it uses by number at its start; higher numbers are not looked at. */
    private static final int HIGHEST_USED = 64;

    private static final Libc.Function SYSCALL = Libc.bind("syscall");
    private static final Libc.Function UNSHARE = Libc.bind("unshare");
    private static final Libc.Function DUP3 = Libc.bind("dup3");
    private static final Libc.Function WAITID = Libc.bind("waitid");

    /** By the kinds of attributes that they have and are given again. */
    private static final List<ConcurrentLinkedDeque<SpawnThread>> IDLE =
            Stream.generate(ConcurrentLinkedDeque<SpawnThread>::new)
                    .limit(ThreadAttributes.KINDS)
                    .toList();

    private static volatile @Nullable Root root; // written under the lock of the class
    private static boolean @Nullable [] kept; // likewise

    private final Semaphore work = new Semaphore(0);
    private final Semaphore done = new Semaphore(0);
    private final Thread thread;
    private final boolean own;
    private final boolean once;
    private final ConcurrentLinkedDeque<SpawnThread> idle; // to which it returns
    private int id;
    private int unshared;
    private @Nullable SpawnCall call;
    private boolean outlivesChild;
    private @Nullable Throwable failure;
    private int result;
    private boolean isPidfd; // the result, otherwise a PID
    private boolean isReady; // for the next call, without any more work
    private boolean discards;

    private SpawnThread(boolean own, boolean once, int kinds) {
        this.idle = IDLE.get(kinds);
        this.own = own;
        this.once = once;
        this.isReady = !once;
        this.thread = thread("holdfast-spawn").unstarted(this);
    }

    private static Thread.Builder.OfPlatform thread(String name) {
        return Thread.ofPlatform().daemon().name(name).inheritInheritableThreadLocals(false);
    }

    /** The thread that starts the others. */
    private static final class Root implements Runnable {
        private final LinkedBlockingQueue<SpawnThread> starts = new LinkedBlockingQueue<>();
        private final Semaphore ready = new Semaphore(0);
        private final boolean[] kept; // by number: whether the JVM uses it
        private final int place; // a descriptor of this process, open as a place only
        private final long user = Unistd.geteuid();
        private volatile int result = -Errno.ETIMEDOUT;

        Root(boolean[] kept, int place) {
            this.kept = kept;
            this.place = place;
        }

        boolean isUsable() {
            return result == 0;
        }

        @Override
        public void run() {
            int emptied = empty(kept.length); // never without what the JVM uses
            result = emptied < 0 ? emptied : reserve();
            ready.release();
            while (isUsable()) {
                SpawnThread next;
                try {
                    next = starts.take();
                } catch (InterruptedException e) {
                    continue; // no code interrupts this thread
                }
                next.begin();
            }
        }

        /**
         * Puts the pidfd of this process behind the numbers that the JVM uses, a place behind that,
         * and under each other number below it.
         */
        private int reserve() {
            int self = move(SysPidfd.open(Unistd.getpid(), 0), kept.length);
            int copy = self < 0 ? self : move(SysPidfd.getfd(self, place), kept.length + 1);
            int r = copy;
            for (int number = 0; number < kept.length && r >= 0; number++) {
                r =
                        kept[number]
                                ? Fcntl.setDescriptorFlags(number, Fcntl.FD_CLOEXEC)
                                : Libc.intCall(DUP3, copy, number, Fcntl.O_CLOEXEC, 0, 0, 0);
                if (r == -Errno.EBADF) { // what the JVM used is closed since
                    r = Libc.intCall(DUP3, copy, number, Fcntl.O_CLOEXEC, 0, 0, 0);
                }
            }
            return Math.min(r, 0);
        }
    }

    /**
     * Moves a descriptor of the calling thread's table to a number, close-on-exec: the number, or
     * -errno.
     */
    static int move(int from, int to) {
        if (from < 0 || from == to) {
            return from;
        }
        int r = Libc.intCall(DUP3, from, to, Fcntl.O_CLOEXEC, 0, 0, 0);
        Unistd.close(from);
        return r;
    }

    /**
     * Starts the root thread if it does not run yet. Called before this process receives its first
     * descriptor, so that the root's table cannot contain a file whose close never returns. A
     * failure is ignored; the next start tries again and reports it.
     */
    public static void prepare() {
        try {
            boolean ignored = Feature.OWN_TABLE.isPresent();
        } catch (ErrnoException | OutOfMemoryError e) {
            // no descriptor, thread or memory at this moment
        }
    }

    /**
     * Returns whether threads with tables of their own can be made here; the first call makes the
     * root.
     *
     * @throws ErrnoException EMFILE or another shortage
     */
    public static boolean hasOwnTable() {
        return root().isUsable();
    }

    /**
     * Returns whether the threads have the effective user of the calling thread, which may have
     * changed its own; otherwise that thread starts the one that spawns.
     *
     * @throws ErrnoException EMFILE or another shortage, at the first call
     */
    public static boolean haveUserOfCaller() {
        return root().user == Unistd.geteuid();
    }

    private static Root root() {
        Root known = root;
        return known == null ? PlatformThreads.run(SpawnThread::makeRoot) : known;
    }

    private static synchronized Root makeRoot() {
        Root known = root;
        if (known != null) {
            return known;
        }
        try (Fd place = Fcntl.open("/", Fcntl.O_PATH);
                Fd self = Fd.adopt(SysPidfd.open(Unistd.getpid(), 0), "pidfd_open", "self")) {
            boolean[] kept = usedByTheJvm();
            Root made = place.with(number -> new Root(kept, number));
            int copy = SysPidfd.getfd(self, made.place); // loads what it needs
            if (copy >= 0) {
                Fd.adopt(copy).close();
                thread("holdfast-spawn-root").start(made);
                boolean _ =
                        Uninterruptible.await(
                                () -> made.ready.tryAcquire(ROOT_SECONDS, TimeUnit.SECONDS));
                copy = made.result;
            }
            if (copy == -Errno.EMFILE || copy == -Errno.ENFILE || copy == -Errno.ENOMEM) {
                throw new ErrnoException("pidfd_getfd", "self", -copy);
            }
            root = made; // usable, or never
            return made;
        }
    }

    /**
     * Returns for each number whether the JVM uses it, up to the highest that it uses; the same at
     * each call.
     *
     * @throws ErrnoException EMFILE
     */
    private static synchronized boolean[] usedByTheJvm() {
        boolean[] known = kept;
        if (known != null) {
            return known;
        }
        boolean[] used = new boolean[HIGHEST_USED];
        int end = PosixSpawn.STREAMS;
        String[] open = new File("/proc/self/fd").list();
        if (open == null) {
            throw new ErrnoException("open", "/proc/self/fd", Errno.EMFILE);
        }
        for (String each : open) {
            int number = Integer.parseInt(each);
            if (number >= PosixSpawn.STREAMS && number < used.length && isUsedByTheJvm(number)) {
                used[number] = true;
                end = Math.max(end, number + 1);
            }
        }
        known = Arrays.copyOf(used, end);
        kept = known;
        return known;
    }

    private static boolean isUsedByTheJvm(int number) {
        try {
            String file = Unistd.readlinkat(null, "/proc/self/fd/" + number);
            return file.endsWith(".jar")
                    || file.endsWith("/lib/modules")
                    || file.startsWith("/memfd:java_heap");
        } catch (ErrnoException e) {
            return false; // closed since
        }
    }

    /**
     * Returns how many numbers, from 0 on, are not for copies in the tables of the threads: those
     * that the JVM uses, {@link #self}, and {@link #ofChild}.
     *
     * @throws ErrnoException EMFILE, at the first call
     */
    static int reserved() {
        return usedByTheJvm().length + 2;
    }

    /** The number of a pidfd of this process in a table of its own. */
    private static int self() {
        return reserved() - 2;
    }

    /** The number of the pidfd of the child that the thread has spawned last, or of a place. */
    private static int ofChild() {
        return reserved() - 1;
    }

    /** Returns whether the JVM uses a number below {@link #reserved}. */
    static boolean isUsed(int number) {
        boolean[] used = usedByTheJvm();
        return number < used.length && used[number];
    }

    /**
     * Takes a thread for one call. The caller must be a platform thread, which this one resumes.
     *
     * @param own whether the thread has a table of its own ({@link #hasOwnTable})
     * @param once whether the call changes the thread, which is not used again then
     * @param kinds of attributes that the call gives the thread ({@link ThreadAttributes#kinds})
     * @throws ErrnoException if a thread with a copy of the table cannot be made here
     * @throws OutOfMemoryError if no thread can be started
     */
    static SpawnThread take(boolean own, boolean once, int kinds) {
        if (Thread.currentThread().isVirtual()) {
            throw new IllegalStateException("a virtual thread cannot wait for a spawn");
        }
        SpawnThread idle = own && !once ? IDLE.get(kinds).pollFirst() : null;
        return idle != null ? idle : started(own, once || !own, kinds);
    }

    private static SpawnThread started(boolean own, boolean once, int kinds) {
        SpawnThread made = new SpawnThread(own, once, kinds);
        if (own) {
            root().starts.add(made);
        } else {
            made.begin();
        }
        made.awaitDone();
        if (made.unshared < 0) {
            throw new ErrnoException(
                    "close_range(CLOSE_RANGE_UNSHARE)",
                    "",
                    -made.unshared,
                    "a seccomp filter refuses it: allow close_range or unshare in the profile of"
                            + " the container or service");
        }
        return made;
    }

    private void begin() {
        try {
            thread.start();
        } catch (OutOfMemoryError e) {
            failure = e;
            done.release();
        }
    }

    private void awaitDone() {
        done.acquireUninterruptibly();
        Throwable failed = failure;
        if (failed instanceof OutOfMemoryError) {
            throw new OutOfMemoryError(failed.getMessage());
        }
        if (failed != null) {
            throw new IllegalStateException(failed);
        }
    }

    /**
     * Has the thread make a call, once.
     *
     * @param outlivesChild whether the thread ends only when the child has exited
     * @return the result: a number in the thread's table, a PID, or -errno
     */
    int spawn(SpawnCall made, boolean outlivesChild) {
        this.call = made;
        this.outlivesChild = outlivesChild;
        work.release();
        awaitDone();
        return result;
    }

    /**
     * Opens what {@link #pidfd} needs.
     *
     * @throws ErrnoException EMFILE
     */
    Fd open(boolean forPidfd) {
        int number =
                forPidfd
                        ? SysPidfd.open(id, SysPidfd.PIDFD_THREAD)
                        : SysPidfd.open(Unistd.getpid(), 0);
        return SysPidfd.adopt(number, "self");
    }

    /** Returns the TID. */
    int id() {
        return id;
    }

    /**
     * Returns a pidfd of the child in the table of the process: a number to adopt, or -errno. Waits
     * for free numbers for a while ({@link CoreLimits#DESCRIPTOR_TIMEOUT}); after a failure the
     * thread kills and reaps the child, which would run without an owner.
     *
     * @param opened what {@link #open} has opened before the spawn
     */
    int pidfd(Fd opened) {
        long start = System.nanoTime();
        for (; ; ) {
            int copy = isPidfd ? SysPidfd.getfd(opened, result) : SysPidfd.open(result, 0);
            boolean isShort =
                    copy == -Errno.EMFILE || copy == -Errno.ENFILE || copy == -Errno.ENOMEM;
            if (!isShort || System.nanoTime() - start >= DESCRIPTOR_NANOS) {
                discards = copy < 0;
                return copy;
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    /** Kills and reaps the child of the call. */
    private void discard() {
        int pidfd = isPidfd ? result : SysPidfd.open(result, 0);
        int kill = Signal.KILL.number();
        int _ = Libc.intCall(SYSCALL, SysPidfd.NR_PIDFD_SEND_SIGNAL, pidfd, kill, 0, 0, 0);
        int r;
        do {
            r = waitForExit(P_PIDFD, pidfd, WEXITED);
        } while (r == -Errno.EINTR);
    }

    /** Lets the thread serve the next caller, or end, once it has closed its copies. */
    @Override
    public void close() {
        if (isReady && !discards && failure == null) {
            idle.addFirst(this);
        } else {
            work.release();
        }
    }

    @Override
    public void run() {
        try {
            id = Unistd.gettid();
            unshared = own ? empty(reserved()) : copyTable();
            done.release();
            while (unshared == 0 && awaitWork() && serve()) {
                // the next caller
            }
        } catch (RuntimeException | Error e) { // such as a lack of memory
            failure = e;
            done.release();
        }
    }

    /** Makes a call, or does what is left after it; returns whether another one may come. */
    private boolean serve() {
        SpawnCall made = call;
        if (made != null) {
            call = null;
            make(made);
            done.release();
            return true;
        }
        if (discards) {
            discards = false;
            discard();
        } else if (outlivesChild && result >= 0) {
            int ignored = closeFrom(reserved());
            awaitExit();
        }
        if (once) {
            return false; // the kernel closes the table
        }
        int ignored = closeFrom(reserved());
        isReady = true;
        idle.addFirst(this);
        return true;
    }

    private void make(SpawnCall made) {
        result = made.run(own ? self() : -1);
        isPidfd = made.isPidfd();
        boolean late = made.table().hasReceived(); // their close may take for ever
        if (isPidfd && result >= 0) {
            int moved = Libc.intCall(DUP3, result, ofChild(), Fcntl.O_CLOEXEC, 0, 0, 0);
            late |= moved < 0; // the child is not lost
            result = moved < 0 ? result : moved;
        }
        if (!late) {
            int ignored = closeFrom(reserved());
        }
        isReady = !late && !once;
    }

    /**
     * Waits for a call; false if none has come for a while, and no child of this thread is left:
     * for the kernel, the parent of a child dies when the thread that has spawned it ends, and a
     * child can ask to be killed then.
     */
    private boolean awaitWork() {
        for (; ; ) {
            try {
                if (work.tryAcquire(IDLE_SECONDS, TimeUnit.SECONDS)) {
                    return true;
                }
            } catch (InterruptedException e) {
                continue; // no code interrupts this thread
            }
            boolean hasChild =
                    waitForExit(P_ALL, 0, WEXITED | WNOWAIT | WNOTHREAD | WNOHANG) != -Errno.ECHILD;
            if (hasChild) {
                work.acquireUninterruptibly(); // an idle process is not woken
                return true;
            }
            if (idle.remove(this)) {
                return false;
            }
        }
    }

    /** Waits until the only child of this thread has exited. */
    private static void awaitExit() {
        int r;
        do {
            r = waitForExit(P_ALL, 0, WEXITED | WNOWAIT | WNOTHREAD);
        } while (r == -Errno.EINTR);
    }

    /** {@code waitid(2)}: 0, or -errno. */
    private static int waitForExit(int kind, int id, int options) {
        Scratch scratch = Scratch.take();
        try {
            return Libc.intCall(WAITID, scratch.errno, kind, id, scratch.address, options, 0, 0);
        } finally {
            scratch.release();
        }
    }

    /**
     * Gives the calling thread a copy of the table of this process: 0, or -errno. Containers allow
     * close_range(2), which copies it too, where they refuse unshare(2).
     */
    private static int copyTable() {
        int r =
                Libc.intCall(
                        SYSCALL,
                        NR_CLOSE_RANGE,
                        EVERY_NUMBER,
                        EVERY_NUMBER,
                        CLOSE_RANGE_UNSHARE,
                        0,
                        0);
        return r == 0 ? 0 : Libc.intCall(UNSHARE, CLONE_FILES, 0, 0, 0, 0, 0);
    }

    /**
     * Gives the calling thread a table of its own, without the numbers from one on: 0, or -errno.
     */
    private static int empty(int from) {
        return Libc.intCall(SYSCALL, NR_CLOSE_RANGE, from, EVERY_NUMBER, CLOSE_RANGE_UNSHARE, 0, 0);
    }

    /** Closes the numbers from one on in the calling thread's own table: 0, or -errno. */
    private static int closeFrom(int from) {
        return Libc.intCall(SYSCALL, NR_CLOSE_RANGE, from, EVERY_NUMBER, 0, 0, 0);
    }
}
