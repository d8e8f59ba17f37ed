package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.KernelPath;
import io.holdfast.core.sys.Uninterruptible;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.ChildTable;
import io.holdfast.core.sys.process.NamespaceEntry;
import io.holdfast.core.sys.process.PlatformThreads;
import io.holdfast.core.sys.process.PosixSpawn;
import io.holdfast.core.sys.process.SignalDispositions;
import io.holdfast.core.sys.process.SpawnThread;
import io.holdfast.core.sys.process.SysPidfd;
import io.holdfast.core.sys.process.ThreadAttributes;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One start of one {@link Spawn}.
 *
 * <p>The system call sleeps until the child has executed its program. A thread with a descriptor
 * table of its own makes it ({@link PosixSpawn}) while the caller waits, on a platform thread
 * ({@link PlatformThreads}). A held child is handled by the caller, while another thread waits for
 * the system call ({@link HeldSpawn}).
 */
final class Starter {
    static {
        SignalDispositions.keepChildren();
    }

    private static final int PROCESSES = Fcntl.O_PATH | Fcntl.O_DIRECTORY;

    private final Spawn spawn;
    private final ChildStreams streams = new ChildStreams();
    private final @Nullable ChildTerminal terminal;
    private boolean intoCgroup;
    private final boolean throughGate;

    Starter(Spawn spawn) {
        this.spawn = spawn;
        this.terminal = ChildTerminal.of(spawn);
        this.intoCgroup = isBornInCgroup(spawn);
        this.throughGate =
                spawn.held != null
                        || !spawn.pidVariables.isEmpty()
                        || spawn.idVariable != null
                        || (spawn.cgroup != null && !intoCgroup)
                        || (terminal != null && terminal.isControlling());
    }

    /**
     * Returns whether the kernel puts the child into its cgroup at its birth. A child that is given
     * a file of another process is moved there instead, while it is held: {@link #diedUnexecuted}
     * would wait for its execve(2), which closes a copy of that file, and the close may never
     * return. Nor is {@code /proc/PID/stat} readable during that execve (Linux 6.18).
     */
    private static boolean isBornInCgroup(Spawn spawn) {
        return spawn.cgroup != null
                && Feature.CLONE_INTO_CGROUP.isPresent()
                && spawn.descriptors.values().stream().noneMatch(Fd::isReceived)
                && Arrays.stream(spawn.streams)
                        .noneMatch(
                                s -> s instanceof StdioTarget.Descriptor(Fd fd) && fd.isReceived());
    }

    Child start() {
        try (streams) {
            SpawnThread.prepare(); // before the files of its streams are open
            StartCommand command = StartCommand.of(spawn);
            if (terminal != null) {
                terminal.requireTerminal();
            }
            streams.open(spawn.streams); // not counted as a start: it may wait for a FIFO's peer
            Child.starting();
            try {
                return startAndWatch(command);
            } finally {
                Child.startEnded();
            }
        }
    }

    private Child startAndWatch(StartCommand command) {
        PidFd pidFd = startedOrShell(command);
        try {
            Child child =
                    new Child(
                            pidFd,
                            spawn.reapedLater,
                            streams.takeOurs(0),
                            streams.takeOurs(1),
                            streams.takeOurs(2));
            child.watch();
            return child;
        } catch (RuntimeException | Error e) { // no memory or descriptors for the watch
            Child.killAndReap(pidFd);
            throw e;
        }
    }

    private PidFd startedOrShell(StartCommand command) {
        try {
            return started(command);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ENOEXEC || !spawn.scriptsByShell) {
                throw e;
            }
            return started(command.byShell());
        }
    }

    /**
     * Starts the child, if need be in a second attempt. A child that was born in its cgroup may
     * have been killed before it executed its program. Kernels in which cgroup.kill counts kills
     * (seen: 6.18) do that to every child once its cgroup was killed: they compare the target's
     * count with that of our own cgroup. Children can only be moved into such a cgroup, not be born
     * there.
     */
    private PidFd started(StartCommand command) {
        PidFd pidFd =
                throughGate
                        ? startHeld(command)
                        : PlatformThreads.run(() -> spawnNow(command, null));
        try {
            if (!intoCgroup || !diedUnexecuted(pidFd)) {
                return pidFd;
            }
        } catch (RuntimeException | Error e) { // it cannot be determined
            discard(pidFd);
            throw e;
        }
        discard(pidFd);
        intoCgroup = false;
        return startHeld(command);
    }

    /**
     * Returns whether the child has died without executing its program. This is checked for each
     * child that was born in a cgroup, so it starts with one quick call: from Linux 6.9 on,
     * pidfd_getfd(2) of a descriptor number that does not exist shows whether the process is
     * exiting. A child that was killed before it executed its program is exiting before its spawn
     * returns; any other hardly ever is, and then {@code /proc} decides.
     */
    private static boolean diedUnexecuted(PidFd child) {
        boolean mayBe =
                !Feature.PIDFS.isPresent()
                        || SysPidfd.getfd(child.fd(), Integer.MAX_VALUE) != -Errno.EBADF;
        return mayBe && Proc.diedUnexecuted(child);
    }

    private PidFd startHeld(StartCommand command) {
        try (Gate gate = Gate.make()) {
            return new HeldSpawn(
                            spawn, terminal, !intoCgroup, gate, hold -> spawnNow(command, hold))
                    .start();
        }
    }

    /** Kills and reaps a child that is not handed to the caller. */
    static void discard(PidFd child) {
        try {
            boolean ignored = child.signal(Signal.KILL);
            Exit _ = Uninterruptible.await(child::await);
            var _ = child.reap();
            child.close();
        } catch (RuntimeException e) { // no free descriptor for the wait
            Child.killAndReap(child);
        }
    }

    /** Makes the call itself, and waits for it. */
    private PidFd spawnNow(StartCommand command, @Nullable HeldSpawn hold) {
        Isolation isolation = spawn.isolation;
        Path path = spawn.directory;
        Fd directory = path == null || isolation != null ? null : workingDirectory(path);
        Fd processes = isolation == null ? null : Fcntl.open("/proc", PROCESSES);
        ThreadAttributes ofThread = ofThread();
        try (directory;
                processes;
                ChildTable table = new ChildTable(streams.all(spawn));
                NamespaceEntry entry = isolation == null ? null : isolation.entry(table);
                PosixSpawn call = new PosixSpawn(table, ofThread)) {
            if (entry != null && processes != null) {
                call.from(entry, processes, spawn.descriptor.isPresent() ? null : seen(path));
            }
            if (directory != null) {
                call.fchdir(directory);
            }
            if (spawn.pipeIgnored) {
                call.ignorePipe();
            }
            if (spawn.session) {
                call.newSession();
            }
            if (spawn.group.isPresent() && !spawn.session) { // a session leader gets EPERM
                call.processGroup(spawn.group.getAsInt());
            }
            if (intoCgroup && spawn.cgroup != null) {
                call.cgroup(spawn.cgroup.fd());
            }
            if (spawn.parentDeath != null) {
                call.outliveChild();
            }
            if (spawn.terminal != null && !spawn.session) {
                call.foreground(spawn.terminal);
            }
            call.open(openings(hold));
            if (hold != null) {
                call.beginning(hold::beginning);
            }
            ChildEnvironment environment = ChildEnvironment.of(spawn, command.environment(), call);
            if (hold != null) {
                hold.environment(environment);
            }
            try {
                return spawned(call, command, environment.memory());
            } catch (ErrnoException e) {
                if (ofThread.refused() != null) {
                    throw new ErrnoException(ofThread.refused(), spawn.toString(), e.errno());
                }
                ErrnoException refused = entry == null ? null : entry.failure();
                throw refused == null ? e : new Isolation.FailedException(refused);
            }
        }
    }

    /** Returns the path of the working directory of a child with namespaces of its own. */
    private static String seen(@Nullable Path path) {
        return path == null ? Unistd.readlinkat(null, "/proc/self/cwd") : KernelPath.text(path);
    }

    private Fd workingDirectory(Path path) {
        String text = KernelPath.text(path);
        int number = Fcntl.openat(null, text, Fcntl.O_PATH | Fcntl.O_DIRECTORY, 0);
        if (number < 0) {
            String advice = "the working directory of " + spawn;
            throw new ErrnoException("chdir", text, -number, advice);
        }
        return Fd.adopt(number);
    }

    private ThreadAttributes ofThread() {
        ThreadAttributes attributes = new ThreadAttributes();
        if (spawn.umask.isPresent()) {
            attributes.addUmask(spawn.umask.getAsInt());
        }
        if (spawn.nice.isPresent()) {
            attributes.addNice(spawn.nice.getAsInt());
        }
        if (spawn.ownKeyring) {
            attributes.addOwnKeyring();
        }
        if (spawn.noNewPrivileges) {
            attributes.addNoNewPrivileges();
        }
        return attributes;
    }

    /** Returns what the child opens before it executes its program. */
    private List<PosixSpawn.Opening> openings(@Nullable HeldSpawn hold) {
        List<PosixSpawn.Opening> openings = new ArrayList<>();
        if (spawn.terminal != null && spawn.session) {
            // a leader's first terminal becomes its controlling one
            openings.add(new PosixSpawn.Opening(spawn.terminal, Fcntl.O_RDWR));
        }
        if (hold != null) {
            openings.addAll(hold.openings());
        }
        return openings;
    }

    private PidFd spawned(
            PosixSpawn call, StartCommand command, @Nullable MemorySegment environment) {
        String program = command.program();
        String file =
                spawn.descriptor.isPresent() && spawn.isolation != null
                        ? PosixSpawn.descriptorPath(spawn.descriptor.getAsInt(), true)
                        : program;
        int number = call.spawn(file, command.arguments(), environment);
        if (number < 0) {
            throw new SpawnFailure(spawn, terminal, throughGate)
                    .of("posix_spawn", program, -number);
        }
        return PidFd.ofKernel(Fd.adopt(number));
    }
}
