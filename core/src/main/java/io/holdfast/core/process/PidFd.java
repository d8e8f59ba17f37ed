package io.holdfast.core.process;

import com.google.errorprone.annotations.MustBeClosed;
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
import io.holdfast.core.sys.process.SpawnThread;
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
 * A process, held by a pidfd (pidfd_open(2)): the process itself, not its PID. When the process
 * ends, is reaped, and its PID goes to another process, this still refers to the first one, and
 * every operation reports that it is gone instead of reaching the other. It keeps alive the
 * kernel's identity of the process, but neither the process nor its PID.
 *
 * <p>Two are equal if they hold the same process: by pidfs identity (Linux 6.9), on older kernels
 * by PID while both are unreaped and by object afterwards.
 *
 * <p>Safe for use by any thread. Its owner closes it; methods that wait park the calling thread and
 * never pin a carrier thread. Needs Linux 5.4; methods that need a later kernel say so.
 */
public final class PidFd implements AutoCloseable {
    /** Whether a process runs, is a zombie, or is gone. */
    public enum State {
        /** It runs, sleeps or is stopped. */
        ALIVE,
        /**
         * It has exited and its parent has not waited for it: a zombie. No other process can have
         * its PID yet.
         */
        EXITED,
        /** It is gone; another process may have its PID. */
        REAPED
    }

    /** The target of a signal. */
    public enum Scope {
        /** Only the thread that the pidfd refers to. */
        THREAD(SysPidfd.PIDFD_SIGNAL_THREAD),
        /** The whole process. */
        PROCESS(SysPidfd.PIDFD_SIGNAL_THREAD_GROUP),
        /** The process group that the process leads; it must be a leader. */
        PROCESS_GROUP(SysPidfd.PIDFD_SIGNAL_PROCESS_GROUP);

        private final int flag;

        Scope(int flag) {
            this.flag = flag;
        }
    }

    private final Fd fd;
    private final PidFdIdentity identity;

    /** For a child of {@link Spawn}: completed by its reaper. Null for all other processes. */
    private volatile @Nullable CompletableFuture<Exit> reaped;

    private PidFd(Fd fd, PidFdIdentity identity) {
        this.fd = fd;
        this.identity = identity;
    }

    /** Holds a process that was just opened by this PID. */
    PidFd(Fd fd, int pid) {
        this(fd, new PidFdIdentity(fd, pid));
    }

    /**
     * Opens the process that has this PID now. The caller must verify that it is the intended one:
     * prefer {@link #open(int, long)}, {@link #restore}, a socket's peer or a child.
     *
     * @param pid the PID
     * @return the process, owned by the caller
     * @throws ErrnoException ESRCH if no process has this PID (a thread id does not count), EMFILE
     * @throws IllegalArgumentException if the PID is not positive
     */
    public static PidFd open(int pid) {
        return PidFdOpening.open(pid);
    }

    /**
     * Opens the process that has this PID now, if there is one.
     *
     * @param pid the PID
     * @return the process, owned by the caller; empty if there is none
     */
    public static Optional<PidFd> find(int pid) {
        return PidFdOpening.find(pid);
    }

    /**
     * Opens the process only if its pidfs identity is {@code id}, as {@link #id} returned it in
     * this boot.
     *
     * @param pid the PID
     * @param id the identity of the process, as {@link #id} returned it
     * @return the process, owned by the caller
     * @throws ErrnoException ESRCH if no process, or another one, has the PID by now
     * @throws NotSupportedException before Linux 6.9
     */
    public static PidFd open(int pid, long id) {
        return PidFdOpening.open(pid, id);
    }

    /**
     * Opens a single thread (PIDFD_THREAD). A {@code PidFd} of a process's leader thread has the
     * same identity as one of the whole process: the two are equal, though they behave differently:
     * the {@code PidFd} of the thread signals only the leader, and reports no exit while other
     * threads still run.
     *
     * @param tid the thread id
     * @return the thread, owned by the caller
     * @throws ErrnoException ESRCH if no thread has this id
     * @throws NotSupportedException before Linux 6.9
     */
    public static PidFd openThread(int tid) {
        return PidFdOpening.openThread(tid);
    }

    /**
     * Opens this process.
     *
     * @return the process, owned by the caller
     */
    public static PidFd self() {
        return open(Unistd.getpid());
    }

    /**
     * Opens a child that {@code ProcessBuilder} started. This method verifies that it is an
     * unreaped child of this JVM with the start time that Java recorded, and that Java has not seen
     * it end.
     *
     * @param process the process
     * @return the process, owned by the caller
     * @throws ErrnoException ESRCH if it has ended and was reaped
     */
    public static PidFd of(Process process) {
        return PidFdOpening.of(process);
    }

    /**
     * Opens the process of a handle: this process itself, or an unreaped child of it. All others
     * are refused.
     *
     * <p>A {@code ProcessHandle} is a PID and a start time in steps of 10 ms. A process that ends,
     * and another one that gets its PID within the same step, have equal handles, and an attacker
     * can hit such a step every time. So a handle cannot identify a process that is not a child,
     * whatever is compared. An unreaped child keeps its PID: no other process can have had it since
     * the child's birth. One case remains: a handle that was made before that birth, for another
     * process that had the PID in the same 10 ms, looks the same; {@link #of(Process)} has no such
     * handle.
     *
     * @param handle the handle
     * @return the process, owned by the caller
     * @throws ErrnoException ECHILD if it is not a child of this process (the message names other
     *     ways to identify it); ESRCH if it has ended, or its start time cannot be read
     */
    public static PidFd of(ProcessHandle handle) {
        return PidFdOpening.of(handle);
    }

    /**
     * Takes over a descriptor that came from elsewhere, if it is a pidfd; otherwise it stays the
     * caller's.
     *
     * @param received the descriptor; owned by the result if this method returns
     * @return the process, owned by the caller
     * @throws ErrnoException EBADF if it is not a pidfd (a {@code /proc/PID} directory is not one,
     *     nor is a pidfd opened with O_PATH)
     */
    public static PidFd adopt(Fd received) {
        return PidFdOpening.adopt(received);
    }

    /**
     * Opens the process that {@link #processId} named, by file handle where the kernel has them
     * (Linux 6.14), otherwise by PID and id. On every kernel both must match: a name whose PID and
     * id do not belong to the same process is refused. A name without a boot id refers to the
     * current boot. The PID is the one in our PID namespace, where it stays the same for life; so a
     * name that was written in another PID namespace, where the process has another PID, is refused
     * here and can be restored only there.
     *
     * @param name the name that was stored
     * @return the process, owned by the caller
     * @throws ErrnoException ESRCH if it has ended, even during this call, or its PID is another
     *     one; ESTALE if the name is of another boot
     * @throws NotSupportedException if the name has no id, or before Linux 6.9
     */
    public static PidFd restore(ProcessId name) {
        return PidFdOpening.restore(name);
    }

    /**
     * Takes over a pidfd that a system call has just returned. It is not checked, so that nothing
     * can fail or leak between the kernel and the owner: for descriptors from another process, use
     * {@link #adopt}.
     *
     * @param fd the pidfd; owned from now on
     * @return the process, owned by the caller
     */
    public static PidFd ofKernel(Fd fd) {
        return new PidFd(fd, new PidFdIdentity(fd));
    }

    /**
     * {@return the PID of the process (the thread id, if it holds a thread), for people}
     *
     * @throws ErrnoException ESRCH if it is reaped, and so has no PID; EREMOTE if it is not in our
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
     * {@return a name to store and {@link #restore} later; without id before Linux 6.9}
     *
     * @throws ErrnoException ESRCH if it is reaped, EREMOTE if it is not in our PID namespace
     * @throws IllegalStateException if this holds a thread: no kernel before Linux 7.2 could
     *     restore one, and a part of a process is not a process
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
     * {@return a snapshot of all that the kernel reports: one atomic call from Linux 6.13 on, on
     * older kernels read from {@code /proc} and verified} Needs no privilege.
     *
     * @throws ErrnoException EREMOTE if the process is not in our PID namespace
     */
    public ProcessInfo info() {
        return ProcessInfo.of(this);
    }

    /**
     * Opens its children. Each is verified to be its child after it was opened. A child that came
     * or went meanwhile may be missing. Zombies count.
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
    @MustBeClosed
    public Members children() {
        return Children.of(this, false);
    }

    /**
     * Opens its descendants: its children, their children, and so on. Each is verified to be a
     * child of the one above it after it was opened. A parent comes before its children. Processes
     * whose parent ends meanwhile may be missing, for another process adopts them. Only a cgroup or
     * a {@code ProcessScope} holds processes together that keep starting others.
     *
     * @return empty if this process has ended
     * @throws ErrnoException EACCES or ENOENT where {@code /proc} does not list children, EMFILE
     */
    @MustBeClosed
    public Members descendants() {
        return Children.of(this, true);
    }

    /**
     * Hands its children to the action one by one, the newest first, as {@link #children} finds
     * them: for more children than there are free descriptors.
     *
     * @param action called with each child, which it owns, and the child's PID, which is valid as
     *     long as the child is not reaped
     */
    public void visitChildren(ObjIntConsumer<PidFd> action) {
        Children.visit(this, action);
    }

    /**
     * Returns how it ended, as far as the kernel reports it now: for a child of this process, for a
     * reaped process (Linux 6.15), and for a zombie that this process may trace, as root may. Does
     * not wait, and reaps nothing.
     *
     * <pre>{@code
     * process.exit().ifPresent(exit -> log("backup " + exit));
     * }</pre>
     *
     * @return {@link Exit.Unknown} if it has ended and its status is not available; empty if it has
     *     not ended
     */
    public Optional<Exit> exit() {
        return exitWatch().now();
    }

    /**
     * {@return its parent now, owned by the caller; empty if the parent is outside our PID
     * namespace}
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

    /** {@return whether it is an unreaped child of this process} */
    public boolean isChild() {
        return SysWait.waitid(fd, SysWait.WEXITED | SysWait.WNOHANG | SysWait.WNOWAIT)
                != -Errno.ECHILD;
    }

    /**
     * Sends a signal to the process, or only to the thread if it holds a thread. Signal 0 only
     * checks existence and permission.
     *
     * @param signal the signal
     * @return false if it is gone; a zombie ignores the signal
     * @throws ErrnoException EPERM without permission, EINVAL if it is not in our PID namespace or
     *     below
     */
    public boolean signal(Signal signal) {
        return sent(SysPidfd.sendSignal(fd, signal.number(), 0), signal);
    }

    /**
     * Sends a signal to the thread, the process or the process group.
     *
     * @param signal the signal
     * @param scope the target of the signal
     * @return false if it is gone
     * @throws ErrnoException EPERM; ESRCH if it exists but leads no process group
     * @throws NotSupportedException before Linux 6.9
     */
    public boolean signal(Signal signal, Scope scope) {
        Feature.SIGNAL_SCOPE.require("a signal with a scope");
        return sent(SysPidfd.sendSignal(fd, signal.number(), scope.flag), signal, scope);
    }

    /**
     * Sends a signal with a value, as {@code sigqueue(3)} does, to the process, or only to the
     * thread if it holds a thread.
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
     * Sends a signal with a value to the thread, the process, or each member of the process group.
     *
     * @param signal the signal
     * @param value the value that each receiver gets
     * @param scope the target of the signal
     * @return false if it is gone
     * @throws ErrnoException EPERM, EAGAIN if its queue is full (for a group, only if no member got
     *     the signal); ESRCH if it exists but leads no process group
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
            String outcome =
                    switch (-result) {
                        case 0 -> "sent";
                        case Errno.ESRCH -> "gone";
                        default -> Errno.name(-result);
                    };
            Recorder.signalled(toString(), signal.toString(), outcome);
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
     * Parks the calling thread until the process has exited. Does not reap a child of this process.
     *
     * <p>The status of a child that {@link Spawn} started is available on every kernel; before
     * Linux 6.15 always through {@link Child#pidFd} and its duplicates, through another {@code
     * PidFd} only if this is called before the child has ended. The status of a process that is not
     * a child of this process is available once its parent has reaped it (Linux 6.15); this method
     * waits for that for at most {@link ExitWatch#REAP_GRACE}, then reads it from {@code /proc} if
     * this process has access (ptrace(2), "access mode": the user of the process, and root).
     * Otherwise the result is {@link Exit.Unknown}.
     *
     * @return how it ended
     * @throws InterruptedException if the thread is interrupted
     * @throws ClosedException if this is closed meanwhile
     */
    public Exit await() throws InterruptedException {
        return exitWatch().await(null).orElseThrow();
    }

    /**
     * Parks the calling thread until the process has exited, with a time limit for the exit.
     *
     * @param limit the time limit
     * @return how it ended; empty when the time is over
     * @throws InterruptedException if the thread is or gets interrupted
     */
    public Optional<Exit> await(Duration limit) throws InterruptedException {
        return exitWatch().await(limit);
    }

    /**
     * Returns a future of the exit, with the status that {@link #await} returns. It completes on a
     * virtual thread: dependent stages may block. Fails with IllegalStateException if this is
     * closed first.
     *
     * @return the future
     */
    public CompletableFuture<Exit> onExit() {
        return exitWatch().future();
    }

    /**
     * Calls back on the loop's thread when the process has exited, with the status that {@link
     * #await} returns. May be called only on the loop's thread, once for each loop and {@code
     * PidFd}. There is no callback if this is closed first: unlike the future, a watch of a loop
     * ends silently with its descriptor.
     *
     * @param loop the event loop
     * @param exited called with how it ended
     * @return cancelled on the loop's thread
     */
    public Registration onExit(EventLoop loop, Consumer<Exit> exited) {
        return exitWatch().on(loop, exited);
    }

    /** Marks this as a child of {@link Spawn}, whose reaper completes the future. */
    void setReaper(CompletableFuture<Exit> exit) {
        reaped = exit;
    }

    private ExitWatch exitWatch() {
        CompletableFuture<Exit> own = reaped;
        return ExitWatch.watching(
                fd, own != null ? own : Child.exitOf(this), () -> new Proc(this).exitOfZombie());
    }

    /**
     * Reaps a child of this process that has exited ({@code waitid}), which frees its PID. Not for
     * children that {@link Spawn} or {@code ProcessBuilder} started: those are reaped by their
     * owner.
     *
     * @return how it ended, or empty if it has not ended
     * @throws ErrnoException ECHILD if it is not a child of this process, or was reaped
     */
    public Optional<Exit> reap() {
        long change = SysWait.waitid(fd, SysWait.WEXITED | SysWait.WNOHANG);
        if (change < 0) {
            throw new ErrnoException("waitid", toString(), (int) -change);
        }
        return change == SysWait.NOTHING ? Optional.empty() : Optional.of(ExitWatch.exitOf(change));
    }

    /**
     * {@return a duplicate of one of its descriptors, for the same open file (pidfd_getfd(2), Linux
     * 5.6)}
     *
     * @param theirs the number of the descriptor in the process
     * @throws ErrnoException EBADF if it has no such descriptor, EPERM if this process may not
     *     trace it, ESRCH if it has exited
     */
    public Fd getFd(int theirs) {
        SpawnThread.prepare(); // before a stranger's file can be in the table of this process
        int number = SysPidfd.getfd(fd, theirs);
        if (number == -Errno.EBADF && state() != State.ALIVE) {
            number = -Errno.ESRCH; // Linux 5.10 reports both as EBADF
        }
        return Fd.adopt(number, "pidfd_getfd", this + " number " + theirs);
    }

    /**
     * {@return one of its namespaces, held open: from the pidfd itself (Linux 6.11), otherwise
     * through {@code /proc}, verified}
     *
     * @param kind the kind of namespace
     * @throws ErrnoException ESRCH if it has exited, EACCES if this process may not trace it,
     *     EOPNOTSUPP if the kernel has no namespaces of that kind
     */
    public Namespace namespace(Namespace.Kind kind) {
        return Namespace.of(this, kind);
    }

    /** {@return its attributes in {@code /proc}, each verified against this pidfd} */
    public Proc proc() {
        return new Proc(this);
    }

    /**
     * {@return its cgroup now, held open: found by the id that the pidfd reports (Linux 6.13), on
     * older kernels by its path, verified} For a reaped process this is the cgroup that it died in
     * (Linux 6.15).
     *
     * @throws ErrnoException ESRCH if it is reaped, before Linux 6.15; ESTALE if it has exited and
     *     the cgroup was removed since (ENOENT before Linux 6.13); before Linux 6.13 also ESRCH if
     *     it is moved during this call
     */
    public Cgroup cgroup() {
        return CgroupLookup.of(this);
    }

    /**
     * {@return the unit of the system manager that it belongs to now, such as {@code ssh.service},
     * if only root could have given its cgroup that name: see {@link CgroupPlace}} Empty if others
     * could have, or if it belongs to no unit; an empty result proves nothing.
     *
     * @throws ErrnoException ESRCH if it is reaped
     */
    public Optional<String> unit() {
        return CgroupPlace.of(this).flatMap(CgroupPath::unit);
    }

    /**
     * {@return the path of its cgroup now, regardless of who owns the directories in it} A process
     * that is being born or is dying can show the root for a moment.
     *
     * @throws ErrnoException ESRCH if it is reaped, ENODATA if there is no cgroup2
     * @throws ForeignCgroupException if it is outside our cgroup namespace
     */
    public CgroupPath cgroupPath() {
        return CgroupPath.parse(proc().cgroup());
    }

    /**
     * {@return another descriptor of the same process, owned by the caller}
     *
     * @throws ErrnoException EMFILE
     */
    public PidFd duplicate() {
        Fd copy = fd.duplicate();
        PidFd same = new PidFd(copy, identity.of(copy));
        same.reaped = reaped;
        return same;
    }

    /** {@return the pidfd, lent: to pass on, or to watch} */
    public Fd fd() {
        return fd;
    }

    /** Closes the pidfd; the process is not affected. */
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

    /** {@return the PID, as last seen, and the identity, as far as they are known: for people} */
    @Override
    public String toString() {
        return identity.toString();
    }
}
