package io.holdfast.core.sys.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Scratch;
import io.holdfast.core.sys.Unistd;
import java.io.File;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
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
 *   caller        ── run ──▶                                  ◀── copies the pidfd ── release ──▶
 *   this thread             copies the descriptors, spawns ──▶                       closes its copies
 * </pre>
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
 * this table.
 *
 * <p>Where pidfd_getfd is not available ({@link io.holdfast.core.Feature#OWN_TABLE}), each start
 * has a thread whose table is a copy of that of the process, and the child closes the rest of it.
 */
public final class SpawnThread implements Runnable {
    private static final long IDLE_SECONDS = 10;
    private static final long PAUSE_NANOS = 5_000_000;

    // asm/unistd.h, the same on x86_64 and aarch64
    private static final int NR_CLOSE_RANGE = 436;

    // linux/close_range.h
    private static final int CLOSE_RANGE_UNSHARE = 2;

    private static final int CLONE_FILES = 0x400; // sched.h
    private static final short POLLIN = 1; // poll.h
    private static final long EVERY_NUMBER = 0xFFFFFFFFL;

    /** The JVM opens what it uses by number at its start; higher numbers are not looked at. */
    private static final int HIGHEST_USED = 64;

    private static final Libc.Function SYSCALL = Libc.bind("syscall");
    private static final Libc.Function UNSHARE = Libc.bind("unshare");
    private static final Libc.Function DUP3 = Libc.bind("dup3");
    private static final Libc.Function POLL = Libc.bind("poll");

    private static final ConcurrentLinkedDeque<SpawnThread> IDLE = new ConcurrentLinkedDeque<>();

    private static volatile @Nullable Root root; // written under the lock of the class

    private final Semaphore work = new Semaphore(0);
    private final Semaphore done = new Semaphore(0);
    private final Thread thread;
    private final boolean own;
    private final boolean once;
    private int id;
    private @Nullable SpawnCall call;
    private boolean outlivesChild;
    private @Nullable Throwable failure;
    private int result;

    private SpawnThread(boolean own, boolean once) {
        this.own = own;
        this.once = once;
        this.thread = Thread.ofPlatform().daemon().name("holdfast-spawn").unstarted(this);
    }

    /** The thread that starts the others. */
    private static final class Root implements Runnable {
        private final LinkedBlockingQueue<SpawnThread> starts = new LinkedBlockingQueue<>();
        private final Semaphore ready = new Semaphore(0);
        private final boolean[] kept; // by number: whether the JVM uses it
        private final int place; // a descriptor of this process, open as a place only
        private volatile boolean usable;

        Root(boolean[] kept, int place) {
            this.kept = kept;
            this.place = place;
        }

        /** The number of the pidfd of this process in the tables of the threads. */
        int self() {
            return kept.length;
        }

        @Override
        public void run() {
            usable = empty(0) == 0 && fill();
            ready.release();
            while (usable) {
                SpawnThread next;
                try {
                    next = starts.take();
                } catch (InterruptedException e) {
                    continue; // no code interrupts this thread
                }
                next.begin();
            }
        }

        private boolean fill() {
            int self = move(SysPidfd.open(Unistd.getpid(), 0), self());
            boolean filled = self == self();
            for (int number = 0; number < self && filled; number++) {
                int copy = SysPidfd.getfd(self, kept[number] ? number : place);
                filled = move(copy, number) == number;
            }
            return filled;
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
            boolean ignored = hasOwnTable();
        } catch (ErrnoException | OutOfMemoryError e) {
            // no descriptor or no thread at this moment
        }
    }

    /**
     * Returns whether threads with tables of their own can be made here; the first call makes the
     * root.
     *
     * @throws ErrnoException EMFILE
     */
    public static boolean hasOwnTable() {
        return root().usable;
    }

    private static Root root() {
        Root known = root;
        return known == null ? onPlatformThread(SpawnThread::makeRoot) : known;
    }

    /**
     * Runs a task that waits for a thread with a table of its own. Such a thread must not resume a
     * virtual thread.
     */
    private static <T> T onPlatformThread(Supplier<T> task) {
        if (!Thread.currentThread().isVirtual()) {
            return task.get();
        }
        FutureTask<T> result = new FutureTask<>(task::get);
        Thread.ofPlatform().daemon().name("holdfast-spawn-wait").start(result);
        boolean interrupted = false;
        try {
            for (; ; ) {
                try {
                    return result.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    switch (e.getCause()) {
                        case RuntimeException runtime -> throw runtime;
                        case Error error -> throw error;
                        case null, default -> throw new AssertionError(e);
                    }
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
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
            int copy = place.with(number -> SysPidfd.getfd(self, number)); // loads what it needs
            if (copy >= 0) {
                Fd.adopt(copy).close();
                Thread.ofPlatform().daemon().name("holdfast-spawn-root").start(made);
                made.ready.acquireUninterruptibly();
            } else if (copy == -Errno.EMFILE || copy == -Errno.ENFILE) {
                throw new ErrnoException("pidfd_getfd", "self", -copy);
            }
            root = made;
            return made;
        }
    }

    /** Returns for each number whether the JVM uses it, up to the highest that it uses. */
    private static boolean[] usedByTheJvm() {
        boolean[] used = new boolean[HIGHEST_USED];
        int end = PosixSpawn.STREAMS;
        String[] open = new File("/proc/self/fd").list();
        for (String each : open == null ? new String[0] : open) {
            int number = Integer.parseInt(each);
            if (number >= PosixSpawn.STREAMS && number < used.length && isUsedByTheJvm(number)) {
                used[number] = true;
                end = Math.max(end, number + 1);
            }
        }
        return Arrays.copyOf(used, end);
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
     * Returns how many numbers, from 0 on, are not for copies in the tables of the threads.
     *
     * @throws ErrnoException EMFILE, at the first call
     */
    static int reserved() {
        return root().self() + 1;
    }

    /**
     * Has a thread run a call. The caller takes what it needs of the result, and then calls {@link
     * #release}.
     *
     * @param call the call
     * @param own whether the thread has a table of its own ({@link #hasOwnTable})
     * @param once whether the call changes the thread, which is not used again then
     * @param outlivesChild whether the thread ends only when the child has exited
     * @throws OutOfMemoryError if no thread can be started
     */
    static SpawnThread run(SpawnCall call, boolean own, boolean once, boolean outlivesChild) {
        return onPlatformThread(() -> runHere(call, own, once, outlivesChild));
    }

    private static SpawnThread runHere(
            SpawnCall call, boolean own, boolean once, boolean outlivesChild) {
        SpawnThread thread = own && !once ? IDLE.pollFirst() : null;
        if (thread == null) {
            thread = new SpawnThread(own, once || !own);
            if (own) {
                root().starts.add(thread);
            } else {
                thread.begin();
            }
        }
        thread.call = call;
        thread.outlivesChild = outlivesChild;
        thread.work.release();
        thread.done.acquireUninterruptibly();
        return switch (thread.failure) {
            case null -> thread;
            case OutOfMemoryError e -> throw new OutOfMemoryError(e.getMessage());
            case Throwable e -> throw new IllegalStateException(e);
        };
    }

    private void begin() {
        try {
            thread.start();
        } catch (OutOfMemoryError e) {
            failure = e;
            done.release();
        }
    }

    /** Returns the result of the call: a number in the thread's table, a PID, or -errno. */
    int result() {
        return result;
    }

    /**
     * Copies the descriptor that is the result into the table of the process (Linux 6.9). Waits for
     * free numbers rather than fail: a child would run without an owner otherwise.
     *
     * @return a number to adopt
     */
    int copyOfResult() {
        for (; ; ) {
            int copy = copyNow();
            if (copy != -Errno.EMFILE && copy != -Errno.ENFILE) {
                return copy;
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    private int copyNow() {
        int number = SysPidfd.open(id, SysPidfd.PIDFD_THREAD);
        if (number < 0) {
            return number;
        }
        try (Fd pidfd = Fd.adopt(number)) {
            return SysPidfd.getfd(pidfd, result);
        }
    }

    /** Lets the thread close its copies; it is used again afterwards, or ends. */
    void release() {
        work.release();
    }

    @Override
    public void run() {
        id = Unistd.gettid();
        int reserved = reserved();
        int unshared = own ? empty(reserved) : Libc.intCall(UNSHARE, CLONE_FILES, 0, 0, 0, 0, 0);
        while (awaitWork()) {
            SpawnCall made = Objects.requireNonNull(call);
            call = null;
            try {
                result = unshared < 0 ? unshared : made.run(id, own ? reserved - 1 : -1);
            } catch (RuntimeException | Error e) { // such as a lack of memory
                failure = e;
                done.release();
                return;
            }
            boolean outlives = outlivesChild && result >= 0;
            int child = outlives && !made.isPidfd() ? SysPidfd.open(result, 0) : result;
            done.release();
            work.acquireUninterruptibly(); // the caller has what it needs of the table
            if (outlives) {
                awaitExit(move(child, reserved), reserved);
            }
            if (once || unshared < 0) {
                return; // the kernel closes the table
            }
            int ignored = closeFrom(reserved);
            IDLE.addFirst(this);
        }
    }

    /** Waits for a call; false if none has come for a while. */
    private boolean awaitWork() {
        for (; ; ) {
            try {
                if (work.tryAcquire(IDLE_SECONDS, TimeUnit.SECONDS)) {
                    return true;
                }
            } catch (InterruptedException e) {
                continue; // no code interrupts this thread
            }
            if (IDLE.remove(this)) {
                return false;
            }
        }
    }

    /**
     * Waits until the child has exited: for the kernel, the parent dies when the thread that has
     * spawned the child ends. The copies of the child's descriptors are closed before.
     */
    private static void awaitExit(int pidfd, int reserved) {
        int ignored = closeFrom(reserved + 1);
        Scratch scratch = Scratch.take();
        scratch.bytes.putInt(0, pidfd);
        scratch.bytes.putShort(4, POLLIN);
        scratch.bytes.putShort(6, (short) 0);
        int r;
        do {
            r = Libc.intCall(POLL, scratch.errno, scratch.address, 1, -1, 0, 0, 0);
        } while (r == -Errno.EINTR);
        scratch.release();
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
