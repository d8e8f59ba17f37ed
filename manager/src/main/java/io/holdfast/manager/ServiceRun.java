package io.holdfast.manager;

import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Members;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.unit.ExecCommand;
import io.holdfast.manager.unit.ServiceUnit;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What one run of a service holds: its cgroup, the pipe for its output, its main process and the
 * one that runs a command beside it. All methods on the loop; what may block is done by the
 * workers.
 */
final class ServiceRun {
    /** What {@link Service} is told. */
    interface Listener {
        void mainExited(Exit exit);

        void controlExited(Exit exit);

        /** A spawn that was asked for did not work. */
        void spawnFailed(ExecCommand command, Exception failure);

        /** A spawn that was asked for has worked. */
        void spawned(ExecCommand command);

        /** No living process is left in the cgroup. */
        void emptied();
    }

    private final ManagerContext context;
    private final ServiceUnit unit;
    private final Listener listener;
    private final OutputPipe output;
    private final Execution execution;
    private final Optional<Cgroup> cgroup;
    private @Nullable PidFd main; // of mainChild, or a process that was named by MAINPID=
    private @Nullable Child mainChild;
    private @Nullable Child control;
    private @Nullable AutoCloseable mainWatch;
    private @Nullable AutoCloseable emptyWatch;
    private int pendingSpawns;
    private boolean mainIsAlive;
    private boolean ended;

    ServiceRun(
            ManagerContext context,
            ServiceUnit unit,
            Listener listener,
            OutputPipe output,
            Execution execution,
            Optional<Cgroup> cgroup) {
        this.context = context;
        this.unit = unit;
        this.listener = listener;
        this.output = output;
        this.execution = execution;
        this.cgroup = cgroup;
    }

    Optional<Cgroup> cgroup() {
        return cgroup;
    }

    Optional<PidFd> main() {
        return Optional.ofNullable(main);
    }

    boolean mainIsAlive() {
        return mainIsAlive;
    }

    boolean controlIsAlive() {
        return control != null;
    }

    boolean isSpawning() {
        return pendingSpawns > 0;
    }

    /** Whether the process is the main one. */
    boolean isMain(PidFd process) {
        return process.equals(main);
    }

    /** Whether the process runs a command beside the main one. */
    boolean isControl(PidFd process) {
        return control != null && process.equals(control.pidFd());
    }

    /** Spawns a command as the main process, or beside it. */
    void spawn(ExecCommand command, boolean asMain, Map<String, String> variables) {
        Map<String, String> all = new HashMap<>(variables);
        mainPid().ifPresent(pid -> all.put("MAINPID", Integer.toString(pid)));
        pendingSpawns++;
        context.workers()
                .run(
                        () -> execution.spawnOf(command, all).start(),
                        (child, failure) -> {
                            pendingSpawns--;
                            if (ended) {
                                release(child); // left over, as KillMode= wants it
                            } else if (child == null) {
                                listener.spawnFailed(command, orUnknown(failure));
                            } else {
                                hold(child, asMain);
                                listener.spawned(command);
                            }
                            context.stateChange().spawned();
                        });
    }

    private Optional<Integer> mainPid() {
        PidFd known = main;
        if (known == null || !mainIsAlive) {
            return Optional.empty();
        }
        try {
            return Optional.of(known.pid());
        } catch (ErrnoException e) {
            return Optional.empty(); // reaped, and we shall be told in a moment
        }
    }

    private static Exception orUnknown(@Nullable Exception failure) {
        return failure == null ? new IllegalStateException("no child, and no reason") : failure;
    }

    private void hold(Child child, boolean asMain) {
        if (asMain) {
            releaseMain();
            mainChild = child;
            main = child.pidFd();
            mainIsAlive = true;
        } else {
            release(control);
            control = child;
        }
        var ignored =
                child.onExit().thenAccept(exit -> context.loop().post(() -> exited(child, exit)));
    }

    private void exited(Child child, Exit exit) {
        if (ended) {
            return;
        }
        if (sameAs(child, control)) {
            control = null;
            child.close();
            listener.controlExited(exit);
        } else if (main != null && main.equals(child.pidFd()) && mainIsAlive) {
            mainIsAlive = false;
            listener.mainExited(exit);
        }
    }

    @SuppressWarnings("ReferenceEquality") // the very object
    private static boolean sameAs(Child one, @Nullable Child other) {
        return one == other;
    }

    private static void release(@Nullable Child child) {
        if (child != null) {
            child.close();
        }
    }

    private void releaseMain() {
        if (mainChild != null) {
            release(mainChild);
            mainChild = null;
        } else if (main != null) {
            main.close();
        }
        main = null;
    }

    /** Takes over another process of the unit as its main one. It is owned from now on. */
    void replaceMain(PidFd process) {
        closeQuietly(mainWatch);
        releaseMain();
        main = process;
        mainIsAlive = true;
        mainWatch =
                process.onExit(
                        context.loop(),
                        exit -> {
                            mainWatch = null;
                            mainIsAlive = false;
                            listener.mainExited(exit);
                        });
    }

    /** Signals the main process, the one beside it, and if wanted all others. */
    void signal(Signal signal, boolean all, boolean hangup) {
        boolean wake = !signal.equals(Signal.KILL) && !signal.equals(Signal.CONT);
        if (main != null && mainIsAlive) {
            signalOne(main, signal, hangup, wake);
        }
        if (control != null) {
            signalOne(control.pidFd(), signal, hangup, wake);
        }
        if (!all) {
            return;
        }
        if (cgroup.isEmpty()) {
            signalGroup(signal);
            return;
        }
        Cgroup group = cgroup.get();
        PidFd alreadyMain = main;
        context.workers()
                .<Integer>run(
                        () -> signalMembers(group, signal, hangup, wake, alreadyMain),
                        (count, failure) -> {
                            if (failure != null) {
                                context.warn(
                                        unit.name(), "cannot signal all: " + failure.getMessage());
                            }
                        });
    }

    private static int signalMembers(
            Cgroup group, Signal signal, boolean hangup, boolean wake, @Nullable PidFd but) {
        if (signal.equals(Signal.KILL)) {
            group.kill();
            return 0;
        }
        int count = 0;
        try (Members members = group.membersBelow()) {
            for (PidFd member : members) {
                if (!member.equals(but)) {
                    signalOne(member, signal, hangup, wake);
                    count++;
                }
            }
        }
        return count;
    }

    private static void signalOne(PidFd process, Signal signal, boolean hangup, boolean wake) {
        boolean ignored = process.signal(signal);
        if (hangup) {
            ignored = process.signal(Signal.HUP);
        }
        if (wake) {
            ignored = process.signal(Signal.CONT);
        }
    }

    /** Without a cgroup, the process group of the main process is what can be reached. */
    private void signalGroup(Signal signal) {
        PidFd leader = main;
        if (leader != null) {
            try {
                boolean ignored = leader.signal(signal, PidFd.Scope.PROCESS_GROUP);
            } catch (ErrnoException | UnsupportedOperationException e) {
                // it leads no group any more, or the kernel is older than 6.9: only itself is
                // reached
            }
        }
    }

    /** Tells once when the cgroup is empty; at once if it is, or if there is none. */
    void watchEmpty() {
        closeQuietly(emptyWatch);
        emptyWatch = null;
        if (cgroup.isEmpty()) {
            context.loop().post(listener::emptied);
            return;
        }
        try {
            emptyWatch =
                    cgroup.get()
                            .onEmpty(
                                    context.loop(),
                                    () -> {
                                        emptyWatch = null;
                                        listener.emptied();
                                    });
        } catch (ErrnoException e) { // removed by somebody else
            context.loop().post(listener::emptied);
        }
    }

    /** Lets go of everything: what lives still in the cgroup is killed, if that is wanted. */
    void close(boolean killLeftovers, Runnable closed) {
        ended = true;
        closeQuietly(mainWatch);
        closeQuietly(emptyWatch);
        output.close();
        release(control);
        releaseMain();
        context.workers()
                .<Boolean>run(
                        () -> clean(killLeftovers),
                        (clean, failure) -> {
                            if (failure != null) {
                                context.warn(
                                        unit.name(), "cannot clean up: " + failure.getMessage());
                            } else if (Boolean.FALSE.equals(clean)) {
                                context.warn(
                                        unit.name(),
                                        "processes are left over, as KillMode="
                                                + unit.kill().mode().name().toLowerCase(Locale.ROOT)
                                                + " wants it");
                            }
                            closed.run();
                        });
    }

    private boolean clean(boolean killLeftovers) throws InterruptedException {
        execution.close();
        if (cgroup.isEmpty()) {
            return true;
        }
        Cgroup group = cgroup.get();
        if (killLeftovers && group.isPopulated()) {
            group.kill();
            boolean ignored = group.awaitEmpty(Limits.KILL_PATIENCE);
        }
        return UnitCgroups.remove(group);
    }

    private static void closeQuietly(@Nullable AutoCloseable closeable) {
        if (closeable != null) {
            try {
                closeable.close();
            } catch (Exception e) {
                throw new AssertionError(e); // watches do not throw
            }
        }
    }
}
