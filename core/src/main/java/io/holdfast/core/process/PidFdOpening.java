package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.NotSupportedException;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysPidfd;
import java.util.Optional;
import java.util.UUID;

/**
 * Opens processes by PID, id, handle or descriptor. Each method ends with the check that it has
 * opened the intended process. The contracts are documented at the methods of {@link PidFd} that
 * call these.
 */
final class PidFdOpening {
    private static volatile long pidfs = -1;

    private PidFdOpening() {}

    static PidFd open(int pid) {
        int number = tryOpen(pid, 0);
        if (number == -Errno.EINVAL || number == -Errno.ENOENT) {
            throw new ErrnoException(
                    "pidfd_open",
                    Integer.toString(pid),
                    Errno.ESRCH,
                    "the PID is a thread id, or the process is being reaped");
        }
        return adopted(number, pid);
    }

    static Optional<PidFd> find(int pid) {
        int number = tryOpen(pid, 0);
        return isMissing(number) ? Optional.empty() : Optional.of(adopted(number, pid));
    }

    static PidFd open(int pid, long id) {
        Feature.PIDFS.require("opening a process by its id");
        PidFd opened = open(pid);
        if (opened.id() != id) {
            opened.close();
            throw new ErrnoException(
                    "pidfd_open",
                    Integer.toString(pid),
                    Errno.ESRCH,
                    "the PID belongs to another process now");
        }
        return opened;
    }

    static PidFd openThread(int tid) {
        Feature.PIDFD_THREAD.require("holding a thread");
        return adopted(tryOpen(tid, SysPidfd.PIDFD_THREAD), tid);
    }

    private static int tryOpen(int pid, int flags) {
        if (pid <= 0) {
            throw new IllegalArgumentException("not a PID: " + pid);
        }
        return SysPidfd.open(pid, flags);
    }

    private static boolean isMissing(int number) {
        return number == -Errno.ESRCH || number == -Errno.EINVAL || number == -Errno.ENOENT;
    }

    private static PidFd adopted(int number, int pid) {
        return new PidFd(SysPidfd.adopt(number, pid), pid);
    }

    static PidFd of(Process process) {
        PidFd opened = of(process.toHandle());
        if (process.isAlive()) {
            return opened;
        }
        opened.close();
        throw ended(process.pid());
    }

    static PidFd of(ProcessHandle handle) {
        PidFd opened = open(Math.toIntExact(handle.pid()));
        boolean kept = false;
        try {
            boolean isOurs = handle.pid() == Unistd.getpid() || opened.isChild();
            // isAlive() compares the start times with the boot time that Java read once; our own
            // comparison would fail after the clock was set
            boolean isSame = handle.info().startInstant().isPresent() && handle.isAlive();
            if (!isSame || opened.state() == PidFd.State.REAPED) {
                throw ended(handle.pid());
            }
            if (!isOurs) {
                throw notOurChild(handle.pid());
            }
            kept = true;
            return opened;
        } finally {
            if (!kept) {
                opened.close();
            }
        }
    }

    private static ErrnoException notOurChild(long pid) {
        return new ErrnoException(
                "ProcessHandle",
                "of process " + pid,
                Errno.ECHILD,
                "a handle is a PID and a start time, which a later process can have too, so it"
                        + " identifies only unreaped children of this process. Start the process"
                        + " with Spawn, keep its PidFd.processId and open that (PidFd.restore,"
                        + " PidFd.open(pid, id)), or take it from its socket (Peer);"
                        + " PidFd.open(pid) holds whichever process has the PID now");
    }

    private static ErrnoException ended(long pid) {
        return new ErrnoException(
                "pidfd_open", Long.toString(pid), Errno.ESRCH, "the process has ended");
    }

    static PidFd adopt(Fd received) {
        if (!isPidFd(received)) {
            throw new ErrnoException("pidfd", received.toString(), Errno.EBADF, "not a pidfd");
        }
        return PidFd.ofKernel(received.move());
    }

    /**
     * Returns whether a descriptor of any origin is a pidfd. It may be a file of a FUSE server that
     * never answers, so no call here reaches the file's own file system: fstatfs(2) would.
     */
    private static boolean isPidFd(Fd fd) {
        if ((Fcntl.getfl(fd) & Fcntl.O_PATH) != 0) {
            return false; // O_PATH gives a place in pidfs, which no pidfd call accepts
        }
        if (!Feature.PIDFS.isPresent()) {
            return FdInfo.of(fd).contains(FdInfo.PID);
        }
        try {
            return SysStat.cachedStat(fd).device() == pidfs();
        } catch (ErrnoException e) {
            return false; // such as EACCES, of a file system of another user
        }
    }

    /** Returns the device of pidfs, which has a single instance. */
    private static long pidfs() {
        long known = pidfs;
        if (known < 0) {
            try (PidFd self = PidFd.self()) {
                known = SysStat.cachedStat(self.fd()).device();
                pidfs = known;
            }
        }
        return known;
    }

    static PidFd restore(ProcessId name) {
        Feature.PIDFS.require("restoring a process");
        if (name.pidfdId().isEmpty()) {
            throw new NotSupportedException("restoring a name without id", Feature.PIDFS);
        }
        Optional<UUID> boot = name.bootId();
        if (boot.isPresent() && !boot.get().equals(ProcessId.currentBoot())) {
            throw new ErrnoException(
                    "restore", name.toString(), Errno.ESTALE, "the name is of another boot");
        }
        long id = name.pidfdId().getAsLong();
        if (name.pid() == 0) {
            throw mismatch(name); // no process has the PID 0
        }
        return Feature.FILE_HANDLE.isPresent() ? openByHandle(name, id) : open(name.pid(), id);
    }

    /** Opens the process by its id; its PID, which never changes, exposes a forged name. */
    private static PidFd openByHandle(ProcessId name, long id) {
        try (PidFd self = PidFd.self()) {
            int number = SysStat.openByInode(self.fd(), id, 0);
            if (number == -Errno.ESTALE || number == -Errno.ESRCH) {
                throw hasEnded(name);
            }
            PidFd opened = PidFd.ofKernel(Fd.adopt(number, "open_by_handle_at", name));
            try {
                if (opened.pid() == name.pid()) {
                    return opened;
                }
            } catch (ErrnoException e) {
                opened.close();
                throw e.errno() == Errno.ESRCH ? hasEnded(name) : e; // reaped meanwhile
            }
            opened.close();
            throw mismatch(name);
        }
    }

    private static ErrnoException hasEnded(ProcessId name) {
        return new ErrnoException(
                "open_by_handle_at", name.toString(), Errno.ESRCH, "it has ended");
    }

    private static ErrnoException mismatch(ProcessId name) {
        return new ErrnoException(
                "restore",
                name.toString(),
                Errno.ESRCH,
                "the process with this id has another PID");
    }

    static Optional<PidFd> parentOf(PidFd child) {
        for (; ; ) {
            ProcessInfo before = child.info();
            if (before.pid().isEmpty()) {
                throw new ErrnoException("parent", child.toString(), Errno.ESRCH);
            }
            if (before.ppid().isEmpty()) {
                return Optional.empty();
            }
            Optional<PidFd> parent = find(before.ppid().getAsInt());
            if (parent.isPresent() && isStillParent(parent.get(), child, before)) {
                return parent;
            }
        }
    }

    /**
     * A parent that is still the parent after it was opened was never reaped in between. Closes the
     * opened process if it is not, or if the child is gone or closed meanwhile.
     */
    private static boolean isStillParent(PidFd parent, PidFd child, ProcessInfo before) {
        boolean isStill = false;
        try {
            isStill =
                    child.info().ppid().equals(before.ppid())
                            && parent.state() != PidFd.State.REAPED;
            return isStill;
        } finally {
            if (!isStill) {
                parent.close();
            }
        }
    }
}
