package io.holdfast.core.process;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.limit.CoreLimits;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.core.sys.KernelPath;
import io.holdfast.core.sys.Uninterruptible;
import io.holdfast.core.sys.process.ChildTable;
import io.holdfast.core.sys.process.NamespaceEntry;
import io.holdfast.core.sys.process.PosixSpawn;
import io.holdfast.core.sys.process.SignalDispositions;
import io.holdfast.core.sys.process.SpawnThread;
import io.holdfast.core.sys.process.Stdlib;
import io.holdfast.core.sys.process.SysPidfd;
import io.holdfast.core.sys.process.ThreadAttributes;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One start of one {@link Spawn}.
 *
 * <p>The system call sleeps until the child has executed its program. A thread with a descriptor
 * table of its own makes it ({@link PosixSpawn}) while the caller waits. A held child is handled by
 * the caller, while another thread waits for the system call.
 */
final class Starter {
    /** The number of virtual threads that can be starting a child at once. */
    static final int SPAWNERS = CoreLimits.SPAWNERS.intValue();

    /**
     * The threads that wait for virtual callers, created on first use. A thread that spawns must
     * not resume a virtual thread itself.
     */
    private static final class Lazy {
        static final ExecutorService PLATFORM = platform();

        private static ExecutorService platform() {
            var threads =
                    new ThreadPoolExecutor(
                            SPAWNERS,
                            SPAWNERS,
                            10,
                            TimeUnit.SECONDS,
                            new LinkedBlockingQueue<>(), // one entry for each waiting caller
                            Thread.ofPlatform().daemon().name("holdfast-spawn-", 0).factory());
            threads.allowCoreThreadTimeOut(true);
            return threads;
        }
    }

    static {
        SignalDispositions.keepChildren();
    }

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
                        .noneMatch(s -> s instanceof Stdio.Descriptor(Fd fd) && fd.isReceived());
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
        PidFd pidFd = throughGate ? startHeld(command) : startFreely(command);
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

    private PidFd startFreely(StartCommand command) {
        if (Thread.currentThread().isVirtual()) {
            Callable<PidFd> task = () -> spawnNow(command, null);
            return Uninterruptible.result(Lazy.PLATFORM.submit(task));
        }
        return spawnNow(command, null);
    }

    private PidFd startHeld(StartCommand command) {
        try (Gate gate = Gate.make()) {
            HeldSpawn attempt = new HeldSpawn(command, gate);
            Thread.ofPlatform().daemon().name("holdfast-spawn-held").start(attempt.task);
            attempt.handle();
            return attempt.finish();
        }
    }

    /** A spawn that a thread of its own waits for, and whose child waits at the gate. */
    private final class HeldSpawn {
        private final Gate gate;
        private final FutureTask<PidFd> task;
        private volatile int spawner;
        private volatile @Nullable Patch patch;
        private boolean arrived;
        private boolean handled;
        private boolean killed;
        private @Nullable Throwable refusal;

        HeldSpawn(StartCommand command, Gate gate) {
            this.gate = gate;
            this.task =
                    new FutureTask<>(() -> {
                        try {
                            return spawnNow(command, this);
                        } finally {
                            // the child has passed the gate, or will never reach it
                            gate.stopWaiting();
                        }
                    });
        }

        /**
         * Handles the child while it is held, and then lets it execute its program or refuses that.
         */
        void handle() {
            try {
                handled = Uninterruptible.await(this::isHandled);
            } catch (RuntimeException | Error e) {
                refusal = e;
            } finally {
                if (!handled && !killed) {
                    gate.refuse();
                }
            }
        }

        private boolean isHandled() throws InterruptedException {
            arrived = gate.awaitArrival();
            int pid = arrived ? onlyChildOf(spawner) : 0;
            if (pid == 0) {
                return false;
            }
            try (PidFd child = PidFd.open(pid)) {
                handle(new HeldChild(child, pid));
            }
            return true;
        }

        private void handle(HeldChild child) {
            try {
                if (terminal != null) {
                    terminal.requireControlling(child.pidFd());
                }
                if (spawn.cgroup != null && !intoCgroup) {
                    child.attachTo(spawn.cgroup);
                }
                Patch place = patch;
                if (place != null) {
                    place.fill(child);
                }
                if (spawn.held != null) {
                    spawn.held.accept(child);
                }
                gate.open();
            } catch (RuntimeException | Error e) {
                try {
                    killed = child.pidFd().signal(Signal.KILL); // runs nothing so far
                } catch (ErrnoException failure) {
                    e.addSuppressed(failure);
                }
                throw e;
            }
        }

        PidFd finish() {
            PidFd pidFd;
            try {
                pidFd = Uninterruptible.result(task);
            } catch (RuntimeException | Error e) {
                throw handled ? unchecked(e) : reason(e);
            }
            try {
                if (handled || (refusal == null && Proc.diedUnexecuted(pidFd))) {
                    return pidFd; // it was held, or runs nothing
                }
            } catch (RuntimeException | Error e) { // it cannot be determined
                refusal = e;
            }
            discard(pidFd);
            throw unchecked(refusal != null ? refusal : notFound());
        }

        /** Returns why there is no child: our refusal rather than its consequence. */
        private RuntimeException reason(Throwable failure) {
            boolean ours = failure instanceof ErrnoException e && Gate.isRefusal(e);
            if (refusal == null && !(arrived && ours)) {
                return unchecked(failure);
            }
            Throwable reason = refusal != null ? refusal : notFound();
            reason.addSuppressed(failure);
            return unchecked(reason);
        }

        /**
         * The child has arrived but could not be found: it must not run without having been held.
         */
        private ErrnoException notFound() {
            return new ErrnoException(
                    "/proc/self/task/" + spawner + "/children",
                    spawn.toString(),
                    Errno.ENOENT,
                    "holding a child needs CONFIG_PROC_CHILDREN and a /proc of our PID namespace");
        }

        private static RuntimeException unchecked(Throwable e) {
            return switch (e) {
                case RuntimeException runtime -> runtime;
                case Error error -> throw error;
                default -> new IllegalStateException(e);
            };
        }
    }

    /** Kills and reaps a child that is not handed to the caller. */
    private static void discard(PidFd child) {
        try {
            boolean ignored = child.signal(Signal.KILL);
            Exit _ = Uninterruptible.await(child::await);
            var _ = child.reap();
            child.close();
        } catch (RuntimeException e) { // no free descriptor for the wait
            Child.killAndReap(child);
        }
    }

    /**
     * Returns the PID of the only child of a thread of this process, or 0; the PID is pinned, for
     * the child is not reaped meanwhile.
     */
    private static int onlyChildOf(int thread) {
        String children;
        try {
            children = KernelFile.text(null, "/proc/self/task/" + thread + "/children").strip();
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT) {
                return 0; // the thread has ended, and so has its spawn
            }
            throw e;
        }
        return children.isEmpty() ? 0 : Integer.parseInt(children);
    }

    /** The place in the child's environment where its PID or identity will be written. */
    private record Place(int index, int offset) {
        /** Adds an entry for the variable, with room for any number. */
        static Place in(List<String> entries, String variable) {
            entries.add(variable + "=" + "0".repeat(DIGITS));
            return new Place(entries.size() - 1, variable.getBytes(UTF_8).length + 1);
        }

        private static final int DIGITS = 20; // of an unsigned 64-bit number
    }

    private record Patch(MemorySegment environment, List<Place> pids, @Nullable Place id) {
        void fill(HeldChild child) {
            for (Place pid : pids) {
                PosixSpawn.patch(environment, pid.index, pid.offset, Integer.toString(child.pid()));
            }
            if (id != null) {
                String value = Long.toUnsignedString(child.pidFd().id());
                PosixSpawn.patch(environment, id.index, id.offset, value);
            }
        }
    }

    /** Makes the call itself, and waits for it. */
    private PidFd spawnNow(StartCommand command, @Nullable HeldSpawn hold) {
        Isolation isolation = spawn.isolation;
        Path path = spawn.directory;
        Fd directory = path == null || isolation != null ? null : workingDirectory(path);
        ThreadAttributes ofThread = ofThread();
        try (directory;
                ChildTable table = new ChildTable(streams.all(spawn));
                NamespaceEntry entry = isolation == null ? null : isolation.entry(table);
                PosixSpawn call = new PosixSpawn(table, ofThread)) {
            if (entry != null) {
                call.from(entry);
                if (path != null) {
                    call.chdir(KernelPath.text(path));
                }
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
                call.beginning(thread -> hold.spawner = thread);
            }
            MemorySegment environment = environment(command.environment(), call, hold);
            try {
                return spawned(call, command.program(), command.arguments(), environment);
            } catch (ErrnoException e) {
                if (ofThread.refused() != null) {
                    throw new ErrnoException(ofThread.refused(), spawn.toString(), e.errno());
                }
                ErrnoException refused = entry == null ? null : entry.failure();
                throw refused == null ? e : new Isolation.FailedException(refused);
            }
        }
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
            openings.addAll(hold.gate.openings());
        }
        return openings;
    }

    private @Nullable MemorySegment environment(
            @Nullable Map<String, String> given, PosixSpawn call, @Nullable HeldSpawn hold) {
        Set<String> pidVariables = spawn.pidVariables;
        String idVariable = Feature.PIDFS.isPresent() ? spawn.idVariable : null;
        HeldSpawn patched = pidVariables.isEmpty() && idVariable == null ? null : hold;
        if (given == null && pidVariables.isEmpty() && spawn.idVariable == null) {
            return null;
        }
        Map<String, String> variables = given == null ? Stdlib.environment() : given;
        List<String> entries = new ArrayList<>(variables.size() + pidVariables.size() + 1);
        variables.forEach((name, value) -> {
            if (!pidVariables.contains(name) && !name.equals(spawn.idVariable)) {
                entries.add(name + "=" + value);
            }
        });
        if (patched == null) {
            return call.strings(entries);
        }
        List<Place> pids =
                pidVariables.stream().map(variable -> Place.in(entries, variable)).toList();
        Place id = idVariable == null ? null : Place.in(entries, idVariable);
        MemorySegment environment = PosixSpawn.strings(Arena.ofAuto(), entries);
        patched.patch = new Patch(environment, pids, id);
        return environment;
    }

    private PidFd spawned(
            PosixSpawn call,
            String program,
            List<String> arguments,
            @Nullable MemorySegment environment) {
        int number = call.spawn(program, arguments, environment);
        if (number < 0) {
            throw failure("posix_spawn", program, -number);
        }
        return PidFd.ofKernel(Fd.adopt(number));
    }

    private ErrnoException failure(String call, String program, int errno) {
        ErrnoException ofTerminal = terminal == null ? null : terminal.failure(errno);
        if (ofTerminal != null) {
            return ofTerminal;
        }
        String ofDirectory = adviceOfDirectory(errno);
        String advice = ofDirectory != null ? ofDirectory : advice(KernelPath.of(program), errno);
        return new ErrnoException(call, program, errno, advice);
    }

    /**
     * Returns advice about the directory, or null. The child enters it before it executes the
     * program, and its single errno does not show which of the two was refused.
     */
    private @Nullable String adviceOfDirectory(int errno) {
        Path directory = spawn.directory;
        if (directory == null) {
            return null;
        }
        if (spawn.isolation != null) { // the namespaces of the look-ups are gone
            return switch (errno) {
                case Errno.ENOENT, Errno.ENOTDIR, Errno.EACCES, Errno.ELOOP ->
                        "check the program and its directory " + directory + " in its namespaces";
                default -> null;
            };
        }
        return errno == Errno.EACCES && !Files.isExecutable(directory)
                ? "its directory " + directory + " may not be entered"
                : null;
    }

    private @Nullable String advice(Path program, int errno) {
        String cgroup = spawn.cgroup == null ? null : spawn.cgroup.toString();
        return switch (errno) {
            case Errno.ENOENT ->
                    !Files.exists(program)
                            ? StartCommand.adviceOnWords(spawn.program)
                            : cgroup == null
                                    ? "its interpreter is missing"
                                    : "its interpreter is missing, or " + cgroup + " was removed";
            case Errno.EACCES ->
                    Files.isDirectory(program)
                            ? "it is a directory"
                            : cgroup != null && Files.isExecutable(program)
                                    ? "no permission to start processes in " + cgroup
                                    : null;
            case Errno.ENOEXEC -> "a script needs a #! line";
            case Errno.EAGAIN -> "a limit of processes is reached (RLIMIT_NPROC, pids.max)";
            case Errno.EBUSY ->
                    cgroup + " enables controllers for its children (cgroup.subtree_control)";
            case Errno.EOPNOTSUPP -> cgroup + " is threaded, or a relative of it is";
            case Errno.ENXIO ->
                    throughGate ? "it was held for longer than fs.lease-break-time allows" : null;
            default -> null;
        };
    }
}
