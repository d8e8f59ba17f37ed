package io.holdfast.manager.systemd1.caller;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Credentials;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.sys.Unistd;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.process.Workload;
import io.holdfast.manager.systemd1.format.Errors;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The processes that a caller wants to move into a unit: first held by pidfd, then checked, then
 * moved or handed over.
 *
 * <p>A PID is resolved once, when the call is read; from then on all checks use the pidfd. A caller
 * other than root may move only its own processes, and none that runs a set-user-ID program. Only
 * root and the manager's user may take a process out of another unit: the other unit would lose a
 * process that it has to stop.
 */
public final class AdoptedProcesses implements AutoCloseable {
    /** Returns the unit of a process. */
    public interface Units {
        CompletionStage<Optional<Workload>> workloadOf(PidFd process);
    }

    private final List<PidFd> held = new ArrayList<>();
    private boolean withCaller;

    private AdoptedProcesses() {}

    /**
     * @param processes closed by this
     * @param withCaller whether the caller is one of them
     */
    AdoptedProcesses(List<PidFd> processes, boolean withCaller) {
        held.addAll(processes);
        this.withCaller = withCaller;
    }

    /**
     * Opens pidfds of the processes, charged to the caller until the reply. Called on the reader
     * thread.
     *
     * @param pids 0 is the caller
     * @throws DBusException if a descriptor is not a pidfd, a process does not exist, or the caller
     *     holds too many descriptors
     */
    public static AdoptedProcesses of(MethodCall call, List<Long> pids, List<Handle> pidfds) {
        AdoptedProcesses processes = new AdoptedProcesses();
        call.opens(pids.size() + pidfds.size());
        try {
            for (Handle handle : pidfds) {
                processes.held.add(ProcessQuestions.pidfd(call.descriptor(handle)));
            }
            for (long pid : pids) {
                if (pid == 0) {
                    processes.withCaller = true;
                } else {
                    processes.held.add(find(pid));
                }
            }
            return processes;
        } catch (RuntimeException e) {
            processes.close();
            throw e;
        }
    }

    private static PidFd find(long pid) {
        return (pid > Integer.MAX_VALUE ? Optional.<PidFd>empty() : PidFd.find((int) pid))
                .orElseThrow(AdoptedProcesses::noSuchProcess);
    }

    private static DBusException noSuchProcess() {
        return new DBusException(
                "System.Error.ESRCH", "Failed to set unit properties: No such process");
    }

    boolean isEmpty() {
        return held.isEmpty() && !withCaller;
    }

    /**
     * Checks that the caller may move all of them. May wait.
     *
     * @throws DBusException if one of them is refused
     */
    public void check(Peer caller, Units units) throws InterruptedException {
        if (withCaller) {
            if (!(caller instanceof Peer.Held known)) {
                throw noSuchProcess();
            }
            held.add(known.process().duplicate());
            withCaller = false;
        }
        for (PidFd process : held) {
            try {
                check(process, caller, units);
            } catch (ErrnoException e) {
                throw e.errno() == Errno.ESRCH ? noSuchProcess() : e;
            }
        }
    }

    private static void check(PidFd process, Peer caller, Units units) throws InterruptedException {
        try (PidFd self = PidFd.self()) {
            if (process.equals(self)) {
                throw refused(process, "is a manager process, refusing.");
            }
        }
        if (isOfKernel(process)) {
            throw refused(process, "is a kernel thread, refusing.");
        }
        if (caller.uid() == 0) {
            return;
        }
        Credentials credentials =
                process.info().credentials().orElseThrow(AdoptedProcesses::noSuchProcess);
        long uid = caller.uid();
        if (credentials.realUid() != uid
                || credentials.effectiveUid() != uid
                || credentials.savedUid() != uid) {
            throw Errors.denied(
                    "Process " + process.pid() + " not owned by client's UID. Refusing.");
        }
        if (uid != Unistd.geteuid()) {
            Optional<Workload> unit = unitOf(process, units);
            if (unit.isPresent()) {
                throw Errors.denied(
                        "Process "
                                + process.pid()
                                + " belongs to "
                                + unit.get().unit()
                                + ", refusing.");
            }
        }
    }

    /**
     * Returns whether it is a kernel thread: it has no executable. Neither has an exited process,
     * which is excluded.
     */
    private static boolean isOfKernel(PidFd process) {
        try {
            return process.proc().executable().toString().isEmpty();
        } catch (ErrnoException e) {
            return e.errno() == Errno.ENOENT && process.isAlive();
        }
    }

    private static DBusException refused(PidFd process, String why) {
        return Errors.invalid("Process " + process.pid() + " " + why);
    }

    private static Optional<Workload> unitOf(PidFd process, Units units)
            throws InterruptedException {
        try {
            return units.workloadOf(process)
                    .toCompletableFuture()
                    .get(ManagerLimits.READ_TIMEOUT.duration().toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw Errors.denied("Cannot determine the unit of process " + process.pid() + ": " + e);
        }
    }

    /** Returns them; they are lent. */
    public List<PidFd> held() {
        return List.copyOf(held);
    }

    /** Hands them over: the new owner closes them. */
    List<PidFd> take() {
        List<PidFd> taken = List.copyOf(held);
        held.clear();
        return taken;
    }

    @Override
    public void close() {
        held.forEach(PidFd::close);
        held.clear();
    }
}
