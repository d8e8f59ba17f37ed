package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Feature;
import io.holdfast.core.sys.process.PidfdInfo;
import io.holdfast.core.sys.process.SysPidfd;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * What the kernel reports about a process: one atomic snapshot where it has PIDFD_GET_INFO (Linux
 * 6.13), otherwise values read from {@code /proc} one after the other and verified. A value that
 * the kernel did not report is empty. A reaped process has an exit and at most the cgroup where it
 * died (Linux 6.15); a zombie still has everything but the exit.
 *
 * <p>Immutable. Two are equal if all their values are equal.
 */
public final class ProcessInfo {
    /** The source of the values. */
    public enum Source {
        /** PIDFD_GET_INFO: one atomic snapshot. */
        KERNEL,
        /** {@code /proc}, verified against the pidfd afterwards. */
        PROC,
        /** The process is reaped, and this kernel keeps no information about it. */
        NONE
    }

    private static final ProcessInfo NOTHING =
            new ProcessInfo(PidfdInfo.failed(Errno.ESRCH), Source.NONE);

    private final PidfdInfo info;
    private final Source source;

    private ProcessInfo(PidfdInfo info, Source source) {
        this.info = info;
        this.source = source;
    }

    /** See {@link PidFd#info}. */
    static ProcessInfo of(PidFd pidFd) {
        if (!Feature.PIDFD_INFO.isPresent()) {
            return verifiedOfProc(pidFd);
        }
        PidfdInfo info = ofKernel(pidFd);
        if (info.errno() == Errno.ESRCH || isBetween(info)) {
            info = ofKernel(pidFd);
        }
        return switch (info.errno()) {
            case 0 -> new ProcessInfo(info, Source.KERNEL);
            case Errno.ESRCH -> goneOrRemote(pidFd);
            default -> throw new ErrnoException("PIDFD_GET_INFO", pidFd.toString(), info.errno());
        };
    }

    private static PidfdInfo ofKernel(PidFd pidFd) {
        return SysPidfd.getInfo(
                pidFd.fd(),
                PidfdInfo.INFO_EXIT
                        | PidfdInfo.INFO_COREDUMP
                        | PidfdInfo.INFO_COREDUMP_SIGNAL
                        | PidfdInfo.INFO_COREDUMP_CODE);
    }

    /**
     * Returns whether the process was reaped while the kernel looked: for its exit first, which was
     * not there yet, and then for the process. The next answer has the exit. In the same case the
     * kernel may also report ESRCH.
     */
    private static boolean isBetween(PidfdInfo info) {
        return info.errno() == 0 && !info.has(PidfdInfo.INFO_PID) && !info.has(PidfdInfo.INFO_EXIT);
    }

    /** Handles ESRCH, which means reaped, or up to Linux 6.17 also another PID namespace. */
    private static ProcessInfo goneOrRemote(PidFd pidFd) {
        if (pidFd.state() != PidFd.State.REAPED) {
            throw new ErrnoException("PIDFD_GET_INFO", pidFd.toString(), Errno.EREMOTE);
        }
        return NOTHING;
    }

    private static ProcessInfo verifiedOfProc(PidFd pidFd) {
        try {
            return ofProc(pidFd);
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ESRCH) {
                return NOTHING;
            }
            throw e;
        }
    }

    /**
     * Reads {@code status} and {@code cgroup} in {@code /proc}; the id of the cgroup is that of its
     * directory.
     */
    private static ProcessInfo ofProc(PidFd pidFd) {
        Proc proc = pidFd.proc();
        String status = proc.status();
        Credentials ids = proc.credentials(status);
        OptionalLong cgroup = CgroupLookup.idOf(proc);
        long mask = PidfdInfo.INFO_PID | PidfdInfo.INFO_CREDS;
        return new ProcessInfo(
                new PidfdInfo(
                        0,
                        cgroup.isPresent() ? mask | PidfdInfo.INFO_CGROUPID : mask,
                        cgroup.orElse(0),
                        Integer.parseInt(Proc.field(status, "Pid")),
                        Integer.parseInt(Proc.field(status, "Tgid")),
                        Integer.parseInt(Proc.field(status, "PPid")),
                        (int) ids.realUid(),
                        (int) ids.realGid(),
                        (int) ids.effectiveUid(),
                        (int) ids.effectiveGid(),
                        (int) ids.savedUid(),
                        (int) ids.savedGid(),
                        (int) ids.fileSystemUid(),
                        (int) ids.fileSystemGid(),
                        0,
                        0,
                        0,
                        0),
                Source.PROC);
    }

    private OptionalInt number(int number) {
        return info.has(PidfdInfo.INFO_PID) ? OptionalInt.of(number) : OptionalInt.empty();
    }

    /** {@return the PID of the process, or the id of the thread, for people} */
    public OptionalInt pid() {
        return number(info.pid());
    }

    /** {@return the PID of the process, or of the thread's process} */
    public OptionalInt tgid() {
        return number(info.tgid());
    }

    /** {@return the PID of the parent; empty if the parent is outside our PID namespace} */
    public OptionalInt ppid() {
        return info.ppid() != 0 ? number(info.ppid()) : OptionalInt.empty();
    }

    /** {@return the users and groups} */
    public Optional<Credentials> credentials() {
        return info.has(PidfdInfo.INFO_CREDS)
                ? Optional.of(Credentials.of(info))
                : Optional.empty();
    }

    /** {@return the id of its cgroup: {@link Cgroup#ofId}} */
    public OptionalLong cgroupId() {
        return info.has(PidfdInfo.INFO_CGROUPID)
                ? OptionalLong.of(info.cgroupId())
                : OptionalLong.empty();
    }

    /** {@return how it ended; empty until it is reaped} */
    public Optional<Exit> exit() {
        if (source == Source.NONE) {
            return Optional.of(new Exit.Unknown());
        }
        return info.has(PidfdInfo.INFO_EXIT)
                ? Optional.of(Exit.ofWaitStatus(info.exitCode()))
                : Optional.empty();
    }

    /** {@return its core dump, if it left one} */
    public Optional<CoreDump> coreDump() {
        return CoreDump.of(info);
    }

    /** {@return the source of this snapshot} */
    public Source source() {
        return source;
    }

    private List<Object> values() {
        return List.of(
                pid(), tgid(), ppid(), credentials(), cgroupId(), exit(), coreDump(), source);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ProcessInfo that && values().equals(that.values());
    }

    @Override
    public int hashCode() {
        return values().hashCode();
    }

    @Override
    public String toString() {
        return "ProcessInfo[pid=%s, tgid=%s, ppid=%s, credentials=%s, cgroupId=%s, exit=%s, coreDump=%s, source=%s]"
                .formatted(values().toArray());
    }
}
