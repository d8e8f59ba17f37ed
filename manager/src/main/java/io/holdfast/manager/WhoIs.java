package io.holdfast.manager;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.CgroupPlace;
import io.holdfast.core.process.Credentials;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessInfo;
import io.holdfast.core.socket.Peer;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.loop.Workers;
import io.holdfast.manager.process.ProcessIndex;
import io.holdfast.manager.process.Workload;
import io.holdfast.manager.request.Jobs;
import io.holdfast.manager.unit.UnitName;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Finds the unit, slice and session of a process from its pidfd. Callable from any thread: for a
 * process in a unit's own cgroup the answer takes one kernel query and no turn of the manager's
 * loop.
 *
 * <p>Units of this manager are identified by the ids of their cgroups, whatever their names. The
 * slice and the session of every other process are names in the path of its cgroup, which count as
 * far as {@link CgroupPlace} trusts them.
 */
final class WhoIs {
    private final Workers readers;
    private final ProcessIndex processes;

    /**
     * The login session that this manager was started in; it is also that of its units, whose
     * cgroups are below the manager's.
     */
    private final Optional<String> ownSession;

    WhoIs(ProcessIndex processes, Workers readers) {
        this.processes = processes;
        this.readers = readers;
        try (PidFd self = PidFd.self()) {
            this.ownSession = CgroupPlace.of(self).flatMap(CgroupPath::session);
        }
    }

    /**
     * Returns the process that a descriptor refers to: the process of a pidfd, or the peer of a
     * connected AF_UNIX socket. The caller closes the result.
     *
     * @param received closed by this method
     * @throws ErrnoException EBADF if it is another kind of descriptor, ESRCH if the peer has no
     *     pidfd (it was reaped before, or the kernel is older than 6.5)
     */
    static PidFd processOf(Fd received) {
        try (received) {
            PidFd process = pidfd(received);
            if (process == null) {
                return peerOf(received);
            }
            if (process.isThread()) { // only whole processes have an identity here
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
                "no peer, or no pidfd of the peer");
    }

    /**
     * The findings about a process.
     *
     * @param workload the run that it belongs to
     * @param cgroup the path of its cgroup
     * @param slice present only if trusted
     * @param session present only if trusted
     */
    private record Found(
            Optional<Workload> workload,
            Optional<CgroupPath> cgroup,
            Optional<String> slice,
            Optional<String> session) {}

    /** Makes the answer from the findings. */
    private interface Answer<T> {
        T of(ProcessInfo info, Found found);
    }

    /**
     * Returns what the manager knows of the process; the caller closes the process, after the stage
     * has completed. Fails with ErrnoException ESRCH if the process is reaped.
     */
    CompletionStage<WorkloadIdentity> query(PidFd process) {
        return find(process, Workers.MANAGER, (info, found) -> identity(process, info, found));
    }

    /** Returns only the unit of the process, which takes half as long. */
    CompletionStage<Optional<Workload>> workloadOf(PidFd process) {
        return workloadOf(process, Workers.MANAGER);
    }

    /**
     * Returns only the unit of the process.
     *
     * @param owner whose turn among the {@link Workers} it takes
     */
    CompletionStage<Optional<Workload>> workloadOf(PidFd process, Object owner) {
        return find(process, owner, (_, found) -> found.workload());
    }

    private <T> CompletionStage<T> find(PidFd process, Object owner, Answer<T> answer) {
        try {
            ProcessInfo info = process.info();
            if (info.pid().isEmpty()) {
                throw new ErrnoException("PIDFD_GET_INFO", process.toString(), Errno.ESRCH);
            }
            Optional<Workload> exactly =
                    info.cgroupId().isPresent()
                            ? processes.ofCgroup(info.cgroupId().getAsLong())
                            : Optional.empty();
            if (exactly.isPresent()) {
                return CompletableFuture.completedStage(
                        answer.of(info, inUnit(exactly.get(), exactly.get().cgroup())));
            }
            return elsewhere(process, info, owner, answer);
        } catch (ErrnoException | RejectedExecutionException e) {
            return CompletableFuture.failedStage(e);
        }
    }

    private Found inUnit(Workload workload, CgroupPath cgroup) {
        return new Found(
                Optional.of(workload),
                Optional.of(cgroup),
                Optional.of(workload.slice().text()),
                ownSession);
    }

    /**
     * Handles a process in a cgroup below that of a unit, or in none of this manager's: a worker
     * reads the path of its cgroup.
     */
    private <T> CompletionStage<T> elsewhere(
            PidFd process, ProcessInfo info, Object owner, Answer<T> answer) {
        CompletableFuture<T> reply = new CompletableFuture<>();
        Work<Found> _ =
                readers.ownLane("who is " + process, owner)
                        .work("the reading of its cgroup", () -> byCgroup(process))
                        .begin((found, failure) -> {
                            try {
                                if (found == null) {
                                    throw Jobs.orUnknown(failure);
                                }
                                reply.complete(answer.of(info, found));
                            } catch (Exception e) {
                                reply.completeExceptionally(e);
                            }
                        });
        return reply;
    }

    private Found byCgroup(PidFd process) {
        Optional<CgroupPath> path = pathOf(process);
        Optional<Workload> within = path.flatMap(processes::at);
        if (within.isPresent()) {
            return inUnit(within.get(), path.get());
        }
        Optional<CgroupPath> believed = CgroupPlace.of(process);
        return new Found(
                processes.starterOf(process), // where units have no cgroups
                path,
                believed.map(CgroupPath::slice),
                believed.flatMap(CgroupPath::session));
    }

    private static Optional<CgroupPath> pathOf(PidFd process) {
        try {
            return Optional.of(process.cgroupPath());
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ESRCH) {
                throw e;
            }
            return Optional.empty(); // the process is in no cgroup2 hierarchy
        } catch (IllegalArgumentException e) {
            return Optional.empty(); // outside of our cgroup namespace
        }
    }

    private static WorkloadIdentity identity(PidFd process, ProcessInfo info, Found found) {
        Optional<Credentials> credentials = info.credentials();
        return new WorkloadIdentity(
                process.processId(),
                number(credentials.map(Credentials::effectiveUid)),
                number(credentials.map(Credentials::effectiveGid)),
                found.workload().map(Workload::unit),
                found.workload().map(Workload::invocationId),
                found.workload().map(Workload::slice).map(UnitName::text).or(found::slice),
                found.session(),
                found.cgroup().map(CgroupPath::path));
    }

    private static OptionalLong number(Optional<Long> value) {
        return value.map(OptionalLong::of).orElseGet(OptionalLong::empty);
    }
}
