package io.holdfast.core.process;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.event.Recorder;
import io.holdfast.core.process.privilege.UserIds;
import io.holdfast.core.sys.KernelPath;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.PosixSpawn;
import io.holdfast.core.sys.process.Stdlib;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The description of a process to start. It starts the process with {@code pidfd_spawn} (glibc
 * 2.39): held from its birth, with no copy of the JVM's memory, however large the heap.
 *
 * <pre>{@code
 * try (Child child = Spawn.of("sort", "-u").stdin(Stdio.pipe()).stdout(Stdio.pipe()).start()) {
 *     …
 *     Exit exit = child.await();
 * }
 * }</pre>
 *
 * <p>Whatever the JVM has set, the child has an empty signal mask, default dispositions, and no
 * descriptors but its three standard streams, by default those of this process, and those given to
 * it. One description may start many children. Not safe for use by several threads at once; {@link
 * #start} is quick for the caller, and coexists with {@code ProcessBuilder}.
 *
 * <p>The descriptors of this process neither slow a start down nor stop it, even if the close(2) of
 * one of them never returns (a file of another user's FUSE file system): a child is started from a
 * thread whose descriptor table has only what the child gets ({@link
 * io.holdfast.core.Feature#OWN_TABLE}). What the kernel keeps per thread, such as the scheduling
 * policy and the CPU affinity, is that of the thread that first started a child or received a
 * descriptor here; only a thread that has changed its own effective user starts children with its
 * own.
 */
public final class Spawn {
    /** The highest number under which a child can be given a descriptor. */
    public static final int MAX_DESCRIPTOR = 8191;

    final String program;
    final List<String> arguments = new ArrayList<>();
    final SortedMap<Integer, Fd> descriptors = new TreeMap<>();
    final Set<String> pidVariables = new LinkedHashSet<>();
    final Stdio[] streams = {Stdio.inherit(), Stdio.inherit(), Stdio.inherit()};
    @Nullable String argumentZero;
    @Nullable Map<String, String> environment; // null: that of this process
    @Nullable String idVariable;
    @Nullable Path programFolder; // where a relative program starts; null: our working directory
    @Nullable Path directory;
    @Nullable Cgroup cgroup;
    @Nullable Fd terminal;
    @Nullable Isolation isolation;
    @Nullable Consumer<HeldChild> held;
    @Nullable Signal parentDeath;
    UserIds ids = UserIds.OURS;
    boolean scriptsByShell;
    boolean pipeIgnored;
    boolean session;
    boolean foreground;
    boolean reapedLater;
    boolean noNewPrivileges;
    boolean ownKeyring;
    OptionalInt descriptor = OptionalInt.empty(); // the program, if it is one
    OptionalInt group = OptionalInt.empty();
    OptionalInt umask = OptionalInt.empty();
    OptionalInt nice = OptionalInt.empty();

    private Spawn(String program) {
        this.program = Objects.requireNonNull(program, "program");
    }

    /**
     * Copies this description. Changes to the copy do not affect this one.
     *
     * @return the copy
     */
    public Spawn copy() {
        Spawn copy = new Spawn(program).arguments(arguments);
        copy.descriptors.putAll(descriptors);
        copy.pidVariables.addAll(pidVariables);
        System.arraycopy(streams, 0, copy.streams, 0, streams.length);
        copy.argumentZero = argumentZero;
        copy.environment = environment == null ? null : new LinkedHashMap<>(environment);
        copy.idVariable = idVariable;
        copy.programFolder = programFolder;
        copy.directory = directory;
        copy.cgroup = cgroup;
        copy.terminal = terminal;
        copy.isolation = isolation;
        copy.held = held;
        copy.reapedLater = reapedLater;
        copy.parentDeath = parentDeath;
        copy.ids = ids;
        copy.scriptsByShell = scriptsByShell;
        copy.pipeIgnored = pipeIgnored;
        copy.session = session;
        copy.foreground = foreground;
        copy.noNewPrivileges = noNewPrivileges;
        copy.ownKeyring = ownKeyring;
        copy.descriptor = descriptor;
        copy.group = group;
        copy.umask = umask;
        copy.nice = nice;
        return copy;
    }

    /**
     * {@return a description of a process that executes this program}
     *
     * @param program a path, which starts at the working directory of this process if it is
     *     relative, or a name to look up in the {@code PATH} of this process
     * @param arguments the arguments
     */
    public static Spawn of(String program, String... arguments) {
        return new Spawn(program).arguments(Arrays.asList(arguments));
    }

    /**
     * {@return a description of a process that executes this program}
     *
     * @param command the program and its arguments
     * @throws IllegalArgumentException if the command is empty
     */
    public static Spawn of(List<String> command) {
        if (command.isEmpty()) {
            throw new IllegalArgumentException("no program to start");
        }
        return new Spawn(command.getFirst()).arguments(command.subList(1, command.size()));
    }

    /**
     * {@return a description of a process that executes a file which it is given as a descriptor}
     * With {@link #isolation} it starts in our own {@code /proc}, whatever {@link #directory} says,
     * since its namespaces may have no {@code /proc}: the program enters its directory itself.
     *
     * @param number of the descriptor
     */
    public static Spawn ofDescriptor(int number) {
        Spawn spawn = new Spawn(PosixSpawn.descriptorPath(number, false));
        spawn.descriptor = OptionalInt.of(number);
        return spawn;
    }

    /** {@return the program, as it was given} */
    public String program() {
        return program;
    }

    /**
     * Copies the description that a {@code ProcessBuilder} holds: command, environment, directory
     * and redirections. As there, a relative path of the program starts at the builder's directory.
     *
     * @param builder the builder; later changes to it have no effect
     * @return the description
     * @throws IllegalArgumentException if its command is empty, or a variable of its environment is
     *     invalid
     * @throws IllegalCallerException if this JVM denies native access
     */
    public static Spawn of(ProcessBuilder builder) {
        Spawn spawn =
                of(builder.command())
                        .environment(SpawnEnvironment.of(builder.environment()))
                        .scriptsByShell();
        if (builder.directory() != null) {
            spawn.programFolder = builder.directory().toPath();
            spawn.directory(spawn.programFolder);
        }
        return spawn.stdin(Stdio.of(builder.redirectInput()))
                .stdout(Stdio.of(builder.redirectOutput()))
                .stderr(
                        builder.redirectErrorStream()
                                ? Stdio.merged()
                                : Stdio.of(builder.redirectError()));
    }

    /**
     * Adds arguments.
     *
     * @param more the arguments
     * @return this
     */
    public Spawn arguments(List<String> more) {
        for (String each : more) {
            int number = arguments.size() + 1;
            arguments.add(
                    Objects.requireNonNull(
                            each, () -> "argument " + number + " of " + program + " is null"));
        }
        return this;
    }

    /**
     * Sets the name that the program gets as {@code argv[0]}, instead of {@link #program}. Together
     * with {@link #user}, {@link #group}, {@link #groups} or {@link #parentDeathSignal} it needs
     * env(1) of coreutils 9.5: with an older one, {@link #start} throws EOPNOTSUPP.
     *
     * @param name the value of {@code argv[0]}
     * @return this
     */
    public Spawn argumentZero(String name) {
        argumentZero = name;
        return this;
    }

    /**
     * Sets the whole environment. The child gets names and values in UTF-8.
     *
     * @param variables all variables
     * @return this
     */
    public Spawn environment(Map<String, String> variables) {
        variables.forEach(Spawn::checkVariable);
        environment = new LinkedHashMap<>(variables);
        return this;
    }

    /**
     * Sets a variable of the environment, which by default is that of this process. The child gets
     * the value in UTF-8, and all variables that are not set here byte for byte.
     *
     * @param name the name of the variable
     * @param value the value of the variable
     * @return this
     * @throws IllegalCallerException if this JVM denies native access
     */
    public Spawn environment(String name, String value) {
        checkVariable(name, value);
        variables().put(name, value);
        return this;
    }

    /**
     * Removes a variable from the environment.
     *
     * @param name the name of the variable
     * @return this
     * @throws IllegalCallerException if this JVM denies native access
     */
    public Spawn withoutEnvironment(String name) {
        variables().remove(name);
        return this;
    }

    private Map<String, String> variables() {
        Map<String, String> variables = environment;
        if (variables == null) {
            variables = new LinkedHashMap<>(Stdlib.environment());
            environment = variables;
        }
        return variables;
    }

    private static void checkVariable(String name, String value) {
        if (name.isEmpty() || name.indexOf('=') >= 0 || name.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("not a variable's name: \"" + name + "\"");
        }
        if (value.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("a NUL in the value of " + name);
        }
    }

    /**
     * Sets a variable to the child's own PID, as {@code LISTEN_PID} of sd_listen_fds(3) needs it.
     * The child is held for that, see {@link #whileHeld}. May be called for several variables.
     *
     * @param name the name of the variable
     * @return this
     */
    public Spawn environmentOfPid(String name) {
        checkVariable(name, "");
        pidVariables.add(name);
        return this;
    }

    /**
     * Sets a variable to the child's pidfs identity ({@code LISTEN_PIDFDID}); the variable is left
     * out before Linux 6.9.
     *
     * @param name the name of the variable
     * @return this
     */
    public Spawn environmentOfId(String name) {
        checkVariable(name, "");
        idVariable = name;
        return this;
    }

    /**
     * Sets the working directory; by default that of this process.
     *
     * @param path the directory
     * @return this
     */
    public Spawn directory(Path path) {
        directory = path;
        return this;
    }

    /**
     * Sets its standard input; by default that of this process.
     *
     * @param stdio the stream
     * @return this
     * @throws IllegalArgumentException if the stream is {@link Stdio#merged}
     */
    public Spawn stdin(Stdio stdio) {
        return stream(0, stdio);
    }

    /**
     * Sets its standard output; by default that of this process.
     *
     * @param stdio the stream
     * @return this
     * @throws IllegalArgumentException if the stream is {@link Stdio#merged}
     */
    public Spawn stdout(Stdio stdio) {
        return stream(1, stdio);
    }

    /**
     * Sets its standard error; by default that of this process.
     *
     * @param stdio the stream
     * @return this
     */
    public Spawn stderr(Stdio stdio) {
        return stream(2, stdio);
    }

    private Spawn stream(int number, Stdio stdio) {
        if (stdio instanceof StdioTarget.Merged && number != 2) {
            throw new IllegalArgumentException("only standard error can be merged");
        }
        streams[number] = stdio;
        return this;
    }

    /**
     * Gives it a descriptor under a number.
     *
     * @param target the number in the child, 3 to {@link #MAX_DESCRIPTOR}
     * @param fd lent until {@link #start} returns
     * @return this
     */
    public Spawn descriptor(int target, Fd fd) {
        if (target < 3 || target > MAX_DESCRIPTOR) {
            throw new IllegalArgumentException(
                    "descriptors of a child are 3 to " + MAX_DESCRIPTOR + ": " + target);
        }
        descriptors.put(target, fd);
        return this;
    }

    /**
     * Starts the child with SIGPIPE ignored, instead of the default disposition.
     *
     * @return this
     */
    public Spawn ignorePipe() {
        pipeIgnored = true;
        return this;
    }

    /**
     * Does not reap the child when it exits, but in {@link Child#reap} or {@link Child#close}:
     * until then it keeps its exit status, in case this process ends before it has processed that
     * status.
     *
     * <pre>{@code
     * Child child = Spawn.of("backup").reapLater().start();
     * journal.write("backup " + child.await()); // our successor finds this entry, or a zombie
     * child.reap();
     * }</pre>
     *
     * @return this
     */
    public Spawn reapLater() {
        reapedLater = true;
        return this;
    }

    /** {@return whether the owner of the child reaps it ({@link #reapLater})} */
    public boolean isReapedLater() {
        return reapedLater;
    }

    /**
     * Starts the child as the leader of a new session (setsid(2)).
     *
     * @return this
     */
    public Spawn newSession() {
        session = true;
        return this;
    }

    /**
     * Starts the child as the leader of a new process group, as the leader of a session is anyway.
     *
     * @return this
     */
    public Spawn newProcessGroup() {
        group = OptionalInt.of(0);
        return this;
    }

    /**
     * Gives it a terminal: with {@link #newSession} as its controlling terminal, with only {@link
     * #newProcessGroup} the child's group becomes the foreground process group of our terminal.
     * {@link #start} refuses a terminal with neither of the two, and a descriptor that is not a
     * terminal. If the terminal cannot become the controlling one, because it is another session's
     * or never is one ({@code /dev/console}, {@code /dev/ptmx}), the child never executes its
     * program: to check this, a child with a new session is held, see {@link #whileHeld}.
     *
     * @param fd the terminal, lent until {@link #start} returns; for a new session the terminal
     *     itself, not {@code /dev/tty}
     * @return this
     */
    public Spawn terminal(Fd fd) {
        terminal = fd;
        return this;
    }

    /**
     * Starts the child in a cgroup: it is there before its first instruction.
     *
     * @param cgroup the cgroup, lent until {@link #start} returns
     * @return this
     */
    public Spawn cgroup(Cgroup cgroup) {
        this.cgroup = cgroup;
        return this;
    }

    /** {@return whether a {@link #cgroup} was set} */
    public boolean hasCgroup() {
        return cgroup != null;
    }

    /**
     * Gives it namespaces of its own, in which its program and its working directory are looked up.
     * Its standard streams are opened outside. {@link #start} throws {@link
     * Isolation.FailedException} if the namespaces cannot be made.
     *
     * @param isolation the namespaces
     * @return this
     */
    public Spawn isolation(Isolation isolation) {
        this.isolation = isolation;
        return this;
    }

    /**
     * Runs it as a user, with no supplementary groups but those of {@link #groups}.
     *
     * <pre>{@code
     * Child child = Spawn.of("id").user(33, 33).groups(List.of(4L)).start(); // www-data, with adm
     * }</pre>
     *
     * <p>The child becomes that user by setpriv(1) of util-linux, and then executes its program
     * with the user's rights. {@link #start} reports a program that cannot be executed as far as
     * this process can see it; if only the user may not execute it, the child exits with status
     * 126. The callback of {@link #whileHeld} runs before all that, and the working directory is
     * entered before it, too.
     *
     * @param uid the user id
     * @param gid the primary group
     * @return this
     * @throws IllegalArgumentException if one is not a valid user or group id
     */
    public Spawn user(long uid, long gid) {
        ids =
                new UserIds(
                        OptionalLong.of(uid),
                        OptionalLong.of(gid),
                        Optional.of(ids.groups().orElse(List.of())));
        return this;
    }

    /**
     * Runs it with another primary group. See {@link #user}.
     *
     * @param gid the group id
     * @return this
     * @throws IllegalArgumentException if it is not a valid group id
     */
    public Spawn group(long gid) {
        ids = new UserIds(ids.uid(), OptionalLong.of(gid), ids.groups());
        return this;
    }

    /**
     * Runs it with these supplementary groups and no others. See {@link #user}.
     *
     * @param supplementary the supplementary groups
     * @return this
     * @throws IllegalArgumentException if one is not a valid group id
     */
    public Spawn groups(List<Long> supplementary) {
        ids = new UserIds(ids.uid(), ids.gid(), Optional.of(supplementary));
        return this;
    }

    /**
     * Has the kernel send the child a signal when this JVM ends, however it ends
     * (PR_SET_PDEATHSIG); the child's own children do not get it. A thread is kept for each such
     * child until the child has exited, since the kernel sends the signal when the thread that
     * started the child ends.
     *
     * <p>setpriv(1) sets it, in the millisecond before the program is executed: if the JVM is
     * killed within that time, the child gets no signal. A set-user-ID program, or one that becomes
     * another user, loses the setting. Use a {@code ProcessScope} for processes that must never be
     * left behind.
     *
     * @param signal the signal
     * @return this
     * @throws IllegalArgumentException if the signal is 0
     */
    public Spawn parentDeathSignal(Signal signal) {
        if (signal.number() == 0) {
            throw new IllegalArgumentException("signal 0 ends nothing");
        }
        parentDeath = signal;
        return this;
    }

    /**
     * Runs a program that the kernel cannot execute (ENOEXEC), a script without {@code #!}, by
     * {@code /bin/sh}, as execvp(3) and {@code ProcessBuilder} do. The callback of {@link
     * #whileHeld} is then called for the second attempt, too.
     *
     * @return this
     */
    public Spawn scriptsByShell() {
        scriptsByShell = true;
        return this;
    }

    /**
     * Keeps it and its descendants from ever gaining privileges by an exec (PR_SET_NO_NEW_PRIVS).
     *
     * @return this
     */
    public Spawn noNewPrivileges() {
        noNewPrivileges = true;
        return this;
    }

    /**
     * Gives it an empty session keyring (keyrings(7)), if the kernel allows that.
     *
     * @return this
     */
    public Spawn ownKeyring() {
        ownKeyring = true;
        return this;
    }

    /**
     * Sets the umask; by default that of this process.
     *
     * @param mask 0 to 0777
     * @return this
     * @throws IllegalArgumentException if the umask is out of range
     */
    public Spawn umask(int mask) {
        if (mask < 0 || mask > 0777) {
            throw new IllegalArgumentException("not a umask: " + Integer.toOctalString(mask));
        }
        umask = OptionalInt.of(mask);
        return this;
    }

    /**
     * Sets the nice value; by default that of this process.
     *
     * @param value -20 to 19
     * @return this
     * @throws IllegalArgumentException if the value is out of range
     */
    public Spawn nice(int value) {
        if (value < -20 || value > 19) {
            throw new IllegalArgumentException("nice values are -20 to 19: " + value);
        }
        nice = OptionalInt.of(value);
        return this;
    }

    /**
     * Holds the child before it executes its program, and calls back. If the callback throws, the
     * child is killed and {@link #start} throws the same exception. Not for a frozen cgroup, where
     * the child never reaches that point.
     *
     * <p>A child that is held never executes its program unless the callback has returned: if this
     * JVM is killed meanwhile, the child ends at once, with status 127. It also ends if it is held
     * for longer than the kernel waits for a lease (the sysctl fs.lease-break-time, 45 seconds by
     * default); {@link #start} then fails with ENXIO. Where leases are switched off
     * (fs.leases-enable) there is no such limit, and a JVM that is killed leaves the child waiting,
     * its program unexecuted, until another process kills it.
     *
     * @param action called with the child while it is held
     * @return this
     */
    public Spawn whileHeld(Consumer<HeldChild> action) {
        held = action;
        return this;
    }

    /**
     * Adds an action that runs before the one of {@link #whileHeld}.
     *
     * @param first called with the child while it is held
     * @return this
     */
    public Spawn alsoWhileHeld(Consumer<HeldChild> first) {
        Consumer<HeldChild> then = held;
        held = then == null ? first : first.andThen(then);
        return this;
    }

    /**
     * Starts the process. When this returns, the child executes its program. The calling thread
     * waits for that, about a tenth of a millisecond; a virtual thread is parked meanwhile. For a
     * stream that is a FIFO without a process at its other end, it waits until there is one, or the
     * thread is interrupted.
     *
     * @return the child, owned by the caller
     * @throws ErrnoException if it cannot be started. The program: ENOENT, EACCES, ENOEXEC. The
     *     {@link #directory}: ENOENT, ENOTDIR, EACCES. Limits: EAGAIN (of processes), EMFILE. The
     *     cgroup: EACCES, EBUSY, ENOENT. The terminal: ENOTTY (not a terminal, or not the one of
     *     our session), EPERM (it did not become the controlling one), EIO, ENXIO. The {@link
     *     #user}: EPERM if only root can run it as that user. A FIFO: EINTR if the thread, which
     *     keeps its interrupt status, is or gets interrupted while it waits for the other end
     * @throws IllegalArgumentException if a string contains a NUL
     * @throws IllegalCallerException if this JVM denies native access
     * @throws IllegalStateException if there is a {@link #terminal} without {@link #newSession} or
     *     {@link #newProcessGroup}
     */
    public Child start() {
        Libc.requireNativeAccess();
        return Recorder.isOn() ? recordedStart() : new Starter(this).start();
    }

    private Child recordedStart() {
        Recorder.Start start = Recorder.start(program);
        try {
            Child child = new Starter(this).start();
            start.started(child.toString());
            return child;
        } catch (RuntimeException | Error e) {
            start.failed(e);
            throw e;
        }
    }

    /** Returns the absolute path of the program. */
    String resolve() {
        if (program.isEmpty()) {
            throw new ErrnoException(
                    "pidfd_spawn", "\"\"", Errno.ENOENT, "the name of the program is empty");
        }
        if (program.contains("/")) {
            return absolute(programFolder == null ? "." : KernelPath.text(programFolder), program);
        }
        String path = Stdlib.environment().get("PATH");
        boolean denied = false;
        for (String folder : (path == null ? "/usr/bin:/bin" : path).split(":", -1)) {
            String candidate = (folder.isEmpty() ? "." : folder) + "/" + program;
            if (SysStat.type(candidate) == SysStat.S_IFREG) {
                if (Unistd.accessExecutable(candidate) == 0) {
                    return absolute(".", candidate);
                }
                denied = true;
            }
        }
        String advice = StartCommand.adviceOnWords(program);
        throw new ErrnoException(
                "pidfd_spawn",
                program,
                denied ? Errno.EACCES : Errno.ENOENT,
                advice == null ? "no such program in PATH=" + path : advice);
    }

    /** Returns an absolute path: the child may enter another directory before it uses the path. */
    private static String absolute(String folder, String path) {
        if (path.startsWith("/")) {
            return path;
        }
        return folder.startsWith("/")
                ? folder + "/" + path
                : absolute(Unistd.readlinkat(null, "/proc/self/cwd"), folder + "/" + path);
    }

    @Override
    public String toString() {
        return program + (arguments.isEmpty() ? "" : " " + String.join(" ", arguments));
    }
}
