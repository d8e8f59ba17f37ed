package io.holdfast.core.process;

import io.holdfast.core.ClosedException;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.NotSupportedException;
import io.holdfast.core.Registration;
import io.holdfast.core.Signal;
import io.holdfast.core.event.Recorder;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysPidfd;
import io.holdfast.core.sys.process.SysWait;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.ObjIntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * A process, held by descriptor (pidfd_open(2)): the process itself, not its number. It stays what
 * it is when the process ends, is reaped, and its number goes to another; every operation then says
 * so instead of meaning the other. It keeps the kernel's identity alive, not the process nor its
 * number.
 *
 * <p>Two are equal if they hold the same process: by pidfs identity (Linux 6.9), before that by
 * number while both are unreaped and by object afterwards.
 *
 * <p>Safe for use by any thread. Its owner closes it; methods that wait park the calling thread and
 * never pin a carrier. Needs Linux 5.4; what needs more says so.
 */
public final class PidFd implements AutoCloseable {
    /** What has become of a process. */
    public enum State {
        /** It runs, sleeps or is stopped. */
        ALIVE,
        /**
         * It has exited and its parent has not waited for it: a zombie. Its number is still its
         * own.
         */
        EXITED,
        /** It is gone; its number may be another's. */
        REAPED
    }

    /** Whom a signal goes to. */
    public enum Scope {
        /** The thread alone, whose pidfd it is. */
        THREAD(SysPidfd.PIDFD_SIGNAL_THREAD),
        /** The whole process. */
        PROCESS(SysPidfd.PIDFD_SIGNAL_THREAD_GROUP),
        /** The process group, which the process must be the leader of. */
        PROCESS_GROUP(SysPidfd.PIDFD_SIGNAL_PROCESS_GROUP);

        private final int flag;

        Scope(int flag) {
            this.flag = flag;
        }
    }

    private final Fd fd;
    private final Identity identity;

    /** Of a child of {@link Spawn}: completed by who reaps it. */
    private volatile @Nullable CompletableFuture<Exit> reaped;

    private PidFd(Fd fd, Identity identity) {
        this.fd = fd;
        this.identity = identity;
    }

    /** Of a process that was just opened by its number. */
    PidFd(Fd fd, int pid) {
        this(fd, new Identity(fd, pid));
    }

    /**
     * Holds the process that has this number now. Whether it is the one that you mean is yours to
     * verify: prefer {@link #open(int, long)}, {@link #restore}, a socket's peer or a child.
     *
     * @param pid the number
     * @return the process, owned by the caller
     * @throws ErrnoException ESRCH if no process has it (a thread id does not count), EMFILE
     * @throws IllegalArgumentException if it is not positive
     */
    public static PidFd open(int pid) {
        return PidFdOpening.open(pid);
    }

    /**
     * The same, empty if no process has the number.
     *
     * @param pid the number
     * @return the process, owned by the caller; empty if there is none
     */
    public static Optional<PidFd> find(int pid) {
        return PidFdOpening.find(pid);
    }

    /**
     * Holds the process only if its pidfs identity is {@code id}: what {@link #id} gave, in this
     * boot.
     *
     * @param pid the number
     * @param id the identity of the process, as {@link #id} gave it
     * @return the process, owned by the caller
     * @throws ErrnoException ESRCH if the number belongs to nobody, or to another process by now
     * @throws NotSupportedException before Linux 6.9
     */
    public static PidFd open(int pid, long id) {
        return PidFdOpening.open(pid, id);
    }

    /**
     * Holds a single thread (PIDFD_THREAD). Held by its leader's number a process has the same
     * identity as when it is held whole: the two are equal, though they differ in what they do.
     * This one signals the leader alone, and is not told of the exit while other threads run on.
     *
     * @param tid the number of the thread
     * @return the process, owned by the caller
     * @throws ErrnoException ESRCH if no thread has this number
     * @throws NotSupportedException before Linux 6.9
     */
    public static PidFd openThread(int tid) {
        return PidFdOpening.openThread(tid);
    }

    /**
     * Holds this process.
     *
     * @return the process, owned by the caller
     */
    public static PidFd self() {
        return open(Unistd.getpid());
    }

    /**
     * Holds a child that {@code ProcessBuilder} started. It is an unreaped child of this JVM with
     * the start time that Java noted, and Java has not seen it end.
     *
     * @param process the process
     * @return the process, owned by the caller
     * @throws ErrnoException ESRCH if it has ended and was reaped
     */
    public static PidFd of(Process process) {
        return PidFdOpening.of(process);
    }

    /**
     * Holds the process of a handle: this process itself, or a child of it that nobody has reaped.
     * All others are refused.
     *
     * <p>A {@code ProcessHandle} is a number and a start time in steps of 10 ms. A process that
     * ends, and the one that gets its number within the same step, have the same handle, and the
     * step is long enough to be hit every time. So a stranger cannot be identified by its handle,
     * whatever is compared. The number of an unreaped child is its own from its birth on: as long
     * as it is a child of ours, nobody else can have taken it since. A handle that was made before
     * that birth, of another process that had the number in the same 10 ms, cannot be told apart;
     * {@link #of(Process)} has no such handle.
     *
     * @param handle the handle
     * @return the process, owned by the caller
     * @throws ErrnoException ECHILD if it is no child of ours, and the message names other ways to
     *     identify it; ESRCH if it has ended, or its start time cannot be read
     */
    public static PidFd of(ProcessHandle handle) {
        return PidFdOpening.of(handle);
    }

    /**
     * Takes over a descriptor that came from elsewhere, if it is a pidfd; a refused one stays the
     * giver's.
     *
     * @param received the descriptor; owned from now on if it is taken over
     * @return the process, owned by the caller
     * @throws ErrnoException EBADF if it is something else (a {@code /proc/PID} folder is none, nor
     *     is a pidfd opened with O_PATH)
     */
    public static PidFd adopt(Fd received) {
        return PidFdOpening.adopt(received);
    }

    /**
     * Holds the process that {@link #processId} named, by file handle where the kernel has them
     * (Linux 6.14), else by number and id. On every kernel both must be its own: a name whose
     * number and id are not of one process is of none. A name without a boot counts in this one.
     * The number counts as our PID namespace has it, where it stays the same for life; a name that
     * was written in another PID namespace, where the process has another number, is refused, and
     * serves in that one alone.
     *
     * @param name the name that was written down
     * @return the process, owned by the caller
     * @throws ErrnoException ESRCH if it has ended, be it at this moment, or its number is another
     *     one; ESTALE if the name is of another boot
     * @throws NotSupportedException if the name has no id, or before Linux 6.9
     */
    public static PidFd restore(ProcessId name) {
        return PidFdOpening.restore(name);
    }

    /**
     * Takes over what a system call has just returned as a pidfd. Not checked, so that nothing can
     * fail or leak between the kernel and the owner: for descriptors that others sent, see {@link
     * #adopt}.
     *
     * @param fd the pidfd; owned from now on
     * @return the process, owned by the caller
     */
    public static PidFd ofKernel(Fd fd) {
        return new PidFd(fd, new Identity(fd));
    }

    /**
     * {@return the number of the process (of the thread, for a thread's), for people}
     *
     * @throws ErrnoException ESRCH if it is reaped: it has none then; EREMOTE if it is not of our
     *     PID namespace
     */
    public int pid() {
        return identity.pid();
    }

    /**
     * {@return the pidfs inode number: unique in this boot, never used again, kept after the reap}
     *
     * @throws NotSupportedException before Linux 6.9
     */
    public long id() {
        return identity.id();
    }

    /**
     * {@return a name to write down and {@link #restore} later; without id before Linux 6.9}
     *
     * @throws ErrnoException ESRCH if it is reaped, EREMOTE if it is not of our PID namespace
     * @throws IllegalStateException if this holds a thread: no kernel before Linux 7.2 would give
     *     that back, and a part of a process is no process
     */
    public ProcessId processId() {
        if (isThread()) {
            throw new IllegalStateException(this + " is held as a thread, which has no name");
        }
        return Feature.PIDFS.isPresent()
                ? new ProcessId(pid(), OptionalLong.of(id()), Optional.of(ProcessId.currentBoot()))
                : new ProcessId(pid(), OptionalLong.empty(), Optional.empty());
    }

    /** {@return whether it holds a single thread} */
    public boolean isThread() {
        return Feature.PIDFD_THREAD.isPresent() && (Fcntl.getfl(fd) & SysPidfd.PIDFD_THREAD) != 0;
    }

    /**
     * {@return a snapshot of all that the kernel tells: one atomic call from Linux 6.13 on, before
     * that read from {@code /proc} and verified} Needs no privilege.
     *
     * @throws ErrnoException EREMOTE if the process is not of our PID namespace
     */
    public ProcessInfo info() {
        return ProcessInfo.of(this);
    }

    /**
     * Its children now, each held, and verified to be its child after that. One that came or went
     * meanwhile may be missing. Zombies count.
     *
     * <pre>{@code
     * try (Members children = process.children()) {
     *     children.forEach(child -> child.signal(Signal.TERM));
     * }
     * }</pre>
     *
     * @return empty if this process has ended
     * @throws ErrnoException EACCES or ENOENT where {@code /proc} does not list children, EMFILE
     */
    public Members children() {
        return Children.of(this, false);
    }

    /**
     * Its descendants now: its children, theirs, and so on, each held, and verified to be a child
     * of the one above it after that. A parent comes before its children. Processes whose parent
     * ends meanwhile may be missing, for they are children of somebody else then; what may start
     * others all the time is held together by a cgroup or a {@code ProcessScope} alone.
     *
     * @return empty if this process has ended
     * @throws ErrnoException EACCES or ENOENT where {@code /proc} does not list children, EMFILE
     */
    public Members descendants() {
        return Children.of(this, true);
    }

    /**
     * Hands over its children one by one, the newest first, as {@link #children} finds them: for
     * more of them than there are descriptors.
     *
     * @param action gets each child, which it owns, and its number, which is its own as long as it
     *     is not reaped
     */
    public void visitChildren(ObjIntConsumer<PidFd> action) {
        Children.visit(this, action);
    }

    /**
     * How it ended, as far as that is told at this moment: of a child of ours, of one that is
     * reaped (Linux 6.15), and of a zombie to whoever may look into it, as root may. Needs no wait,
     * and reaps nothing.
     *
     * <pre>{@code
     * process.exit().ifPresent(exit -> log("backup " + exit));
     * }</pre>
     *
     * @return unknown if it has ended and nobody tells how; empty if it has not ended
     */
    public Optional<Exit> exit() {
        return exitWatch().now();
    }

    /**
     * {@return its parent now; empty if that is outside of our PID namespace}
     *
     * @throws ErrnoException ESRCH if this process is reaped
     */
    public Optional<PidFd> parent() {
        return PidFdOpening.parentOf(this);
    }

    /** {@return the state of the process} */
    public State state() {
        return Liveness.of(fd);
    }

    /** {@return whether it has not exited} */
    public boolean isAlive() {
        return state() == State.ALIVE;
    }

    void requireUnreaped(String call) {
        if (!Liveness.isUnreaped(fd)) {
            throw new ErrnoException(call, toString(), Errno.ESRCH);
        }
    }

    /** Whether it is an unreaped child of ours. */
    boolean isChild() {
        return SysWait.waitid(fd, SysWait.WEXITED | SysWait.WNOHANG | SysWait.WNOWAIT)
                != -Errno.ECHILD;
    }

    /**
     * Sends a signal to the process; to the thread alone, if it holds a thread. Signal 0 only asks.
     *
     * @param signal the signal
     * @return false if it is gone; a zombie swallows the signal
     * @throws ErrnoException EPERM if we may not, EINVAL if it is not in our PID namespace or below
     */
    public boolean signal(Signal signal) {
        return sent(SysPidfd.sendSignal(fd, signal.number(), 0), signal);
    }

    /**
     * Sends a signal to the thread, the process or the group.
     *
     * @param signal the signal
     * @param scope whom the signal is for
     * @return false if it is gone
     * @throws ErrnoException EPERM; ESRCH if it is there but leads no group
     * @throws NotSupportedException before Linux 6.9
     */
    public boolean signal(Signal signal, Scope scope) {
        Feature.SIGNAL_SCOPE.require("a signal with a scope");
        return sent(SysPidfd.sendSignal(fd, signal.number(), scope.flag), signal, scope);
    }

    /**
     * Sends a signal with a value, as {@code sigqueue(3)} does: to the process; to the thread
     * alone, if it holds a thread.
     *
     * @param signal the signal
     * @param value the value that the receiver gets
     * @return false if it is gone
     * @throws ErrnoException EPERM, EAGAIN if its queue is full
     */
    public boolean signalWithValue(Signal signal, long value) {
        return sent(SysPidfd.sendSignal(fd, signal.number(), value, 0), signal);
    }

    /**
     * Sends a signal with a value to the thread, the process or the group, each member of which
     * gets the value.
     *
     * @param signal the signal
     * @param value the value that the receiver gets
     * @param scope whom the signal is for
     * @return false if it is gone
     * @throws ErrnoException EPERM, EAGAIN if its queue is full, of a group only if no member got
     *     it; ESRCH if it is there but leads no group
     * @throws NotSupportedException before Linux 6.9
     */
    public boolean signalWithValue(Signal signal, long value, Scope scope) {
        Feature.SIGNAL_SCOPE.require("a signal with a scope");
        return sent(SysPidfd.sendSignal(fd, signal.number(), value, scope.flag), signal, scope);
    }

    private boolean sent(int result, Signal signal, Scope scope) {
        if (result == -Errno.ESRCH && scope == Scope.PROCESS_GROUP && state() != State.REAPED) {
            throw new ErrnoException(
                    "pidfd_send_signal", toString(), Errno.ESRCH, "it leads no process group");
        }
        return sent(result, signal);
    }

    private boolean sent(int result, Signal signal) {
        if (Recorder.isOn()) {
            String told =
                    switch (-result) {
                        case 0 -> "sent";
                        case Errno.ESRCH -> "gone";
                        default -> Errno.name(-result);
                    };
            Recorder.signalled(toString(), signal.toString(), told);
        }
        if (result == -Errno.ESRCH) {
            return false;
        }
        if (result < 0) {
            throw new ErrnoException("pidfd_send_signal " + signal, toString(), -result);
        }
        return true;
    }

    /**
     * Parks the calling thread until the process has exited. A child of ours is not reaped; one
     * that {@link Spawn} started tells its status on every kernel; before Linux 6.15 to {@link
     * Child#pidFd} and its duplicates always, to another {@code PidFd} if this is called before it
     * has ended. A process of others tells its status when its parent has reaped it (Linux 6.15),
     * for which {@link ExitWatch#REAP_GRACE} is waited at most; after that {@code /proc} has it,
     * for whoever may look into the process (ptrace(2), "access mode": its user, and root). Else
     * the answer is {@link Exit.Unknown}.
     *
     * @return how it ended
     * @throws InterruptedException if the thread is interrupted
     * @throws ClosedException if this is closed meanwhile
     */
    public Exit await() throws InterruptedException {
        return exitWatch().await(null).orElseThrow();
    }

    /**
     * The same with a time limit for the exit; empty when it is over.
     *
     * @param limit the time limit
     * @return how it ended; empty when the time is over
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public Optional<Exit> await(Duration limit) throws InterruptedException {
        return exitWatch().await(limit);
    }

    /**
     * A future of the same. It completes on a virtual thread: what depends on it may block. Fails
     * with IllegalStateException if this is closed before.
     *
     * @return the future
     */
    public CompletableFuture<Exit> onExit() {
        return exitWatch().future();
    }

    /**
     * Calls back on the loop's thread when the process has exited, with what {@link #await} would
     * tell. Once for each loop and {@code PidFd}; only on the loop's thread. Never, if this is
     * closed before: unlike the future, a watch of a loop ends silently with its descriptor.
     *
     * @param loop the loop on whose thread it is called back
     * @param exited called with how it ended
     * @return cancelled on the loop's thread
     */
    public Registration onExit(EventLoop loop, Consumer<Exit> exited) {
        return exitWatch().on(loop, exited);
    }

    /** It is a child of {@link Spawn}, to be completed by who reaps it. */
    void isReapedHere(CompletableFuture<Exit> exit) {
        reaped = exit;
    }

    private ExitWatch exitWatch() {
        CompletableFuture<Exit> own = reaped;
        return ExitWatch.watching(
                fd, own != null ? own : Child.exitOf(this), () -> new Proc(this).exitOfZombie());
    }

    /**
     * Waits for a child of ours that has exited ({@code waitid}), which ends its zombie and frees
     * its number. Not for children that {@link Spawn} or {@code ProcessBuilder} started: those are
     * reaped by their owner.
     *
     * @return how it ended, or empty if it has not
     * @throws ErrnoException ECHILD if it is not a child of ours, or was reaped
     */
    public Optional<Exit> reap() {
        long change = SysWait.waitid(fd, SysWait.WEXITED | SysWait.WNOHANG);
        if (change < 0) {
            throw new ErrnoException("waitid", toString(), (int) -change);
        }
        return change == SysWait.NOTHING ? Optional.empty() : Optional.of(Exit.ofChange(change));
    }

    /**
     * {@return a copy of one of its descriptors, of the same open file (pidfd_getfd(2), Linux 5.6)}
     *
     * @param theirs the number that the descriptor has in the process
     * @throws ErrnoException EBADF if it has no such number, EPERM if we may not trace it, ESRCH if
     *     it exits
     */
    public Fd getFd(int theirs) {
        int number = SysPidfd.getfd(fd, theirs);
        if (number == -Errno.EBADF && state() != State.ALIVE) {
            number = -Errno.ESRCH; // Linux 5.10 does not tell them apart
        }
        return Fd.adopt(number, "pidfd_getfd", this + " number " + theirs);
    }

    /**
     * {@return one of its namespaces, held open: from the pidfd itself (Linux 6.11), else through
     * {@code /proc}, verified}
     *
     * @param kind the kind of namespace
     * @throws ErrnoException ESRCH if it has exited, EACCES if we may not trace it, EOPNOTSUPP if
     *     the kernel has no namespaces of that kind
     */
    public Namespace namespace(Namespace.Kind kind) {
        return Namespace.of(this, kind);
    }

    /** {@return its attributes in {@code /proc}, each verified against this} */
    public Proc proc() {
        return new Proc(this);
    }

    /**
     * {@return its cgroup now, held open; the id is from the pidfd where the kernel tells it (Linux
     * 6.13)} Of a process that is reaped it is the one that it died in (Linux 6.15).
     *
     * @throws ErrnoException ESRCH if it is reaped, before Linux 6.15; ESTALE if it has exited and
     *     the cgroup was removed since, before Linux 6.13 ENOENT; there also ESRCH if it moves at
     *     this moment
     */
    public Cgroup cgroup() {
        return CgroupLookup.of(this);
    }

    /**
     * {@return the unit of the system manager that it belongs to now, such as {@code ssh.service},
     * if root alone could have given its cgroup that name: see {@link CgroupPlace}} Empty where
     * that is not so, and in no unit; an empty answer proves nothing.
     *
     * @throws ErrnoException ESRCH if it is reaped
     */
    public Optional<String> unit() {
        return CgroupPlace.of(this).flatMap(CgroupPath::unit);
    }

    /**
     * {@return the path of its cgroup now: where it is, not who named that} A process that is being
     * born or is dying can show the root for a moment.
     *
     * @throws ErrnoException ESRCH if it is reaped, ENODATA if there is no cgroup2
     * @throws ForeignCgroupException if it is outside of our cgroup namespace
     */
    public CgroupPath cgroupPath() {
        return CgroupPath.parse(proc().cgroup());
    }

    /**
     * {@return another descriptor of the same process, with an owner of its own}
     *
     * @throws ErrnoException EMFILE
     */
    public PidFd duplicate() {
        Fd copy = fd.duplicate();
        PidFd same = new PidFd(copy, identity.of(copy));
        same.reaped = reaped;
        return same;
    }

    /** {@return the descriptor, lent: to pass on, or to watch} */
    public Fd fd() {
        return fd;
    }

    /** Ends nothing but the holding. */
    @Override
    public void close() {
        fd.close();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof PidFd that && identity.equals(that.identity);
    }

    @Override
    public int hashCode() {
        return identity.hashCode();
    }

    /** The number, as last seen, and the identity, as far as they can be told: for people. */
    @Override
    public String toString() {
        return identity.toString();
    }
}
