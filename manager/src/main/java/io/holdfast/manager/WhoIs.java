package io.holdfast.manager;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.Credentials;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessInfo;
import io.holdfast.core.socket.Peer;
import io.holdfast.manager.unit.ServiceUnit;
import io.holdfast.manager.unit.UnitName;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Tells whose a process is, from the descriptor that holds it. By any thread: what a unit's own
 * cgroup tells is answered at once, by one question to the kernel and without the manager's loop.
 */
final class WhoIs {
    private final ManagerContext context;
    private final Workers readers;
    private final UnitTable units;
    private final Workloads workloads;

    WhoIs(ManagerContext context, Workers readers, UnitTable units, Workloads workloads) {
        this.context = context;
        this.readers = readers;
        this.units = units;
        this.workloads = workloads;
    }

    /**
     * The process that a descriptor means: a pidfd, or a connected AF_UNIX socket, whose peer is
     * meant. Owned by the caller.
     *
     * @param received owned from now on
     * @throws ErrnoException EBADF if it is something else, ESRCH if the peer is not held (it was
     *     reaped before, or the kernel is older than 6.5)
     */
    static PidFd processOf(Fd received) {
        try (received) {
            PidFd process = pidfd(received);
            if (process == null) {
                return peerOf(received);
            }
            if (process.isThread()) { // a part of a process has no name
                process.close();
                throw new ErrnoException("pidfd", "a thread", Errno.EBADF, "send its process");
            }
            return process;
        }
    }

    private static @Nullable PidFd pidfd(Fd received) {
        try {
            return PidFd.adopt(received);
        } catch (ErrnoException e) {
            return null;
        }
    }

    private static PidFd peerOf(Fd socket) {
        Optional<Peer> peer;
        try {
            peer = Peer.of(socket);
        } catch (ErrnoException e) {
            throw new ErrnoException(
                    "getsockopt(SO_PEERCRED)",
                    "descriptor",
                    Errno.EBADF,
                    "send a pidfd or a connected AF_UNIX socket");
        }
        if (peer.isPresent() && peer.get() instanceof Peer.Held(var process, _, _, _, _, _)) {
            return process;
        }
        peer.ifPresent(Peer::close);
        throw new ErrnoException(
                "getsockopt(SO_PEERPIDFD)",
                "socket",
                Errno.ESRCH,
                "it has no peer, or one that is not held");
    }

    /** What is wanted of what was found. */
    private interface Telling<T> {
        T of(ProcessInfo info, Optional<Workload> workload, Optional<CgroupPath> path);
    }

    /**
     * Whose the process is; lent until the answer is there. Fails with ErrnoException ESRCH if it
     * is reaped.
     */
    CompletionStage<WorkloadIdentity> ask(PidFd process) {
        return find(process, (info, workload, path) -> of(process, info, workload, path));
    }

    /** The same of its unit alone, which takes half as long. */
    CompletionStage<Optional<Workload>> workloadOf(PidFd process) {
        return find(process, (_, workload, _) -> workload);
    }

    private <T> CompletionStage<T> find(PidFd process, Telling<T> telling) {
        try {
            ProcessInfo info = process.info();
            if (info.pid().isEmpty()) {
                throw new ErrnoException("PIDFD_GET_INFO", process.toString(), Errno.ESRCH);
            }
            Optional<Workload> exactly =
                    info.cgroupId().isPresent()
                            ? workloads.ofCgroup(info.cgroupId().getAsLong())
                            : Optional.empty();
            if (exactly.isPresent()) {
                return CompletableFuture.completedStage(
                        telling.of(info, exactly, Optional.of(exactly.get().cgroup())));
            }
            return elsewhere(process, info, telling);
        } catch (ErrnoException | RejectedExecutionException e) {
            return CompletableFuture.failedStage(e);
        }
    }

    /** In a cgroup below that of a unit, or in none of ours: its path is read, by a worker. */
    private <T> CompletionStage<T> elsewhere(PidFd process, ProcessInfo info, Telling<T> telling) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        readers.<Optional<CgroupPath>>run(
                () -> pathOf(process),
                (path, failure) -> {
                    try {
                        if (path == null) {
                            throw Jobs.orUnknown(failure);
                        }
                        Optional<Workload> within = path.flatMap(workloads::at);
                        answer.complete(telling.of(info, within.or(() -> heldBy(process)), path));
                    } catch (Exception e) {
                        answer.completeExceptionally(e);
                    }
                });
        return answer;
    }

    private static Optional<CgroupPath> pathOf(PidFd process) {
        try {
            return Optional.of(process.cgroupPath());
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ESRCH) {
                throw e;
            }
            return Optional.empty(); // no cgroup2
        } catch (IllegalArgumentException e) {
            return Optional.empty(); // outside of our cgroup namespace
        }
    }

    /** Where units have no cgroups. On the loop. */
    private Optional<Workload> heldBy(PidFd process) {
        Service owner = units.ownerOf(process);
        if (owner == null || !(owner.unit() instanceof ServiceUnit unit)) {
            return Optional.empty();
        }
        return Optional.of(
                new Workload(
                        unit.name(),
                        owner.status().invocationId(),
                        unit.cgroup().sliceOf(unit.name(), context.scope()),
                        CgroupPath.parse("/")));
    }

    private static WorkloadIdentity of(
            PidFd process,
            ProcessInfo info,
            Optional<Workload> workload,
            Optional<CgroupPath> path) {
        Optional<Credentials> credentials = info.credentials();
        return new WorkloadIdentity(
                process.processId(),
                number(credentials.map(Credentials::effectiveUid)),
                number(credentials.map(Credentials::effectiveGid)),
                workload.map(Workload::unit),
                workload.map(Workload::invocationId),
                workload.map(Workload::slice)
                        .map(UnitName::text)
                        .or(() -> path.map(CgroupPath::slice)),
                path.flatMap(CgroupPath::session),
                path.map(CgroupPath::path));
    }

    private static OptionalLong number(Optional<Long> value) {
        return value.map(OptionalLong::of).orElseGet(OptionalLong::empty);
    }
}
