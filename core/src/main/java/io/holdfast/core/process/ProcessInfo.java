package io.holdfast.core.process;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Feature;
import io.holdfast.core.linux.PidfdInfo;
import io.holdfast.core.linux.SysPidfd;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What there is to know of a process: one atomic snapshot from the kernel where it has
 * PIDFD_GET_INFO (Linux 6.13), else values read from {@code /proc} and verified, each true of a
 * moment of its own. What is empty the kernel did not say. A reaped process has an exit and at most
 * the cgroup where it died (Linux 6.15); a zombie still has everything but the exit.
 *
 * @param pid the number of the process or thread, for people
 * @param tgid the number of the thread's process; that of the process itself otherwise
 * @param ppid the number of the parent; empty if that is outside of our PID namespace
 * @param cgroupId the id of its cgroup: {@link Cgroup#ofId}
 * @param exit how it ended, once it was reaped
 * @param coreDump the core dump that it left
 * @param source where all this is from
 */
public record ProcessInfo(
        OptionalInt pid,
        OptionalInt tgid,
        OptionalInt ppid,
        Optional<Credentials> credentials,
        OptionalLong cgroupId,
        Optional<Exit> exit,
        Optional<CoreDump> coreDump,
        Source source) {

    /** Where the values come from. */
    public enum Source {
        /** PIDFD_GET_INFO: all of one moment. */
        KERNEL,
        /** {@code /proc}, verified against the pidfd afterwards. */
        PROC,
        /** The process is reaped, and this kernel keeps nothing of it. */
        NONE
    }

    /** What {@link PidFd#info} tells. */
    static ProcessInfo of(PidFd pidFd) {
        if (!Feature.PIDFD_INFO.isPresent()) {
            return verifiedOfProc(pidFd);
        }
        PidfdInfo info =
                SysPidfd.getInfo(
                        pidFd.fd(),
                        PidfdInfo.INFO_EXIT
                                | PidfdInfo.INFO_COREDUMP
                                | PidfdInfo.INFO_COREDUMP_SIGNAL
                                | PidfdInfo.INFO_COREDUMP_CODE);
        return switch (info.errno()) {
            case 0 -> of(info);
            case Errno.ESRCH -> goneOrRemote(pidFd);
            default -> throw new ErrnoException("PIDFD_GET_INFO", pidFd.toString(), info.errno());
        };
    }

    /** ESRCH means reaped, or up to Linux 6.17 also another PID namespace. */
    private static ProcessInfo goneOrRemote(PidFd pidFd) {
        if (pidFd.state() != PidFd.State.REAPED) {
            throw new ErrnoException("PIDFD_GET_INFO", pidFd.toString(), Errno.EREMOTE);
        }
        return ofNothing();
    }

    private static ProcessInfo verifiedOfProc(PidFd pidFd) {
        try {
            return ofProc(pidFd);
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ESRCH) {
                return ofNothing();
            }
            throw e;
        }
    }

    private static ProcessInfo of(PidfdInfo info) {
        boolean lives = info.has(PidfdInfo.INFO_PID);
        OptionalInt tgid = lives ? OptionalInt.of(info.tgid()) : OptionalInt.empty();
        return new ProcessInfo(
                lives && info.pid() != info.tgid() ? OptionalInt.of(info.pid()) : tgid,
                tgid,
                lives && info.ppid() != 0 ? OptionalInt.of(info.ppid()) : OptionalInt.empty(),
                info.has(PidfdInfo.INFO_CREDS)
                        ? Optional.of(Credentials.of(info))
                        : Optional.empty(),
                info.has(PidfdInfo.INFO_CGROUPID)
                        ? OptionalLong.of(info.cgroupId())
                        : OptionalLong.empty(),
                info.has(PidfdInfo.INFO_EXIT)
                        ? Optional.of(Exit.ofWaitStatus(info.exitCode()))
                        : Optional.empty(),
                CoreDump.of(info),
                Source.KERNEL);
    }

    /**
     * Of {@code status} and {@code cgroup} in {@code /proc}; the id of the cgroup is asked of its
     * folder.
     */
    private static ProcessInfo ofProc(PidFd pidFd) {
        Proc proc = pidFd.proc();
        String status = proc.status();
        int ppid = Integer.parseInt(Proc.field(status, "PPid"));
        return new ProcessInfo(
                OptionalInt.of(Integer.parseInt(Proc.field(status, "Pid"))),
                OptionalInt.of(Integer.parseInt(Proc.field(status, "Tgid"))),
                ppid == 0 ? OptionalInt.empty() : OptionalInt.of(ppid),
                Optional.of(proc.credentials(status)),
                CgroupLookup.idOf(proc),
                Optional.empty(),
                Optional.empty(),
                Source.PROC);
    }

    /** Of a process that is reaped, on a kernel that keeps nothing. */
    private static ProcessInfo ofNothing() {
        return new ProcessInfo(
                OptionalInt.empty(),
                OptionalInt.empty(),
                OptionalInt.empty(),
                Optional.empty(),
                OptionalLong.empty(),
                Optional.of(new Exit.Unknown()),
                Optional.empty(),
                Source.NONE);
    }
}
