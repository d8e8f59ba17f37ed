package io.holdfast.manager.exec;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.file.FileException;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.machine.Accounts.Account;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.HeldChild;
import io.holdfast.core.process.Isolation;
import io.holdfast.core.process.Namespace;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Resource;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.privilege.ProgramCheck;
import io.holdfast.core.process.privilege.SetprivCommand;
import io.holdfast.core.sys.Termios;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysResource;
import io.holdfast.manager.credential.CredentialException;
import io.holdfast.manager.credential.UnitCredentials;
import io.holdfast.manager.log.JournalSocket;
import io.holdfast.manager.process.RunMark;
import io.holdfast.manager.process.UserRuns;
import io.holdfast.manager.seccomp.SystemCallFilters;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.file.FileRoot;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.settings.LogSettings;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import io.holdfast.manager.unit.settings.SandboxSettings;
import io.holdfast.manager.unit.settings.SchedulingSettings;
import io.holdfast.manager.unit.value.Capability;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.ResourceLimit;
import io.holdfast.manager.unit.value.SecureBit;
import io.holdfast.manager.unit.value.WorkingDirectory;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Executes the commands of one run of a service with the user, folders, environment and limits that
 * its unit wants.
 *
 * <p>A run is everything between the start of a unit and its end: the commands before, the main
 * process, the commands after. It has one {@code Execution}, which passes through these steps. Each
 * of them blocks and runs on a worker, never on the loop:
 *
 * <pre>
 *   prepare   capabilities that may be kept, the account (UserAndGroups, or a dynamic one), the folders
 *             of the unit (ExecDirectories), its credentials (UnitCredentials), the view of the file
 *             system (Sandbox)
 *      │
 *      ▼      once for each command
 *   start     streams (ExecStreams) ─▶ environment (ExecEnvironment) ─▶ a {@link Spawn}
 *      │
 *      │      in the child, in this order, before the first instruction of the program:
 *      │        born in the unit's cgroup
 *      │        session, umask, nice value, signal mask and dispositions
 *      │        namespaces of the sandbox are entered            (only with a sandbox)
 *      │        working directory, streams, descriptors from 3 on
 *      │        held: resource limits, oom score, scheduler are set from outside
 *      │        groups, user, capabilities: setpriv(1)           (only if they change)
 *      │          or ProcessSetup, with a filter of system calls (only if its unit wants one)
 *      │        execve
 *      ▼
 *   close     runtime folders and the private /tmp are removed, a dynamic user is released
 * </pre>
 *
 * <p>Three decisions shape it:
 *
 * <ul>
 *   <li>No code of ours runs between fork and exec: {@code pidfd_spawn} executes at once. Settings
 *       that it does not support are applied to the child from outside while it is held before its
 *       exec ({@link HeldChild}), or by a program that executes the next.
 *   <li>Identity and capabilities change in the child alone, by setpriv(1): a thread of the manager
 *       that took them over, even for a tenth of a millisecond, could be signalled by that user,
 *       and a signal that kills a thread kills the manager. Where neither changes, setpriv is not
 *       needed. A filter of system calls could end setpriv before it is done: then a program that
 *       is made for it does all that ({@link ProcessSetup}).
 *   <li>A setting that cannot be applied either refuses the start ({@link SetupException}, with the
 *       step and so the exit status that systemd has for it) or, where the unit is only less
 *       confined than it says, causes one warning a run.
 * </ul>
 */
public final class Execution {
    /**
     * The resources of a run.
     *
     * @param cgroupSettings of its cgroup
     * @param output receives what is written to {@code journal}, unless a receiver does
     * @param journal the receiver of log messages; empty if there is none for this unit
     * @param runtimeFolder that of the manager
     * @param notifySocket the path for {@code $NOTIFY_SOCKET}; empty if the unit sends no messages
     * @param defaults of the manager's configuration
     * @param reapedLater whether the caller that starts the processes reaps them ({@link
     *     Spawn#reapLater})
     */
    public record Surroundings(
            Optional<Cgroup> cgroup,
            CgroupSettings cgroupSettings,
            Fd output,
            Optional<JournalSocket> journal,
            Path runtimeFolder,
            Optional<Path> notifySocket,
            String invocationId,
            ManagerDefaults defaults,
            boolean reapedLater) {
        /** Describes a run whose cgroup has no settings. */
        public Surroundings(
                Optional<Cgroup> cgroup,
                Fd output,
                Path runtimeFolder,
                Optional<Path> notifySocket,
                String invocationId,
                ManagerDefaults defaults,
                boolean reapedLater) {
            this(
                    cgroup,
                    CgroupSettings.NONE,
                    output,
                    Optional.empty(),
                    runtimeFolder,
                    notifySocket,
                    invocationId,
                    defaults,
                    reapedLater);
        }
    }

    private static final String ROOT = "/";

    private static final UserAndGroups OURS =
            new UserAndGroups(Optional.empty(), OptionalLong.empty(), Optional.empty(), true);

    private final ExecutedUnit unit;
    private final ManagerScope scope;
    private final Surroundings surroundings;
    private final DynamicUids uids;
    private final SandboxSupport support;
    private final Consumer<String> warnings;
    private final ExecEnvironment environment;
    private final UnitCgroup cgroup;
    private final Set<Object> warned = ConcurrentHashMap.newKeySet();
    private ExecSettings settings; // those that can be applied, once the run is prepared
    private ExecDirectories directories;
    private final UnitCredentials credentials;
    private volatile UserAndGroups identity = OURS; // a worker sets it, the loop reads it
    private DynamicUser dynamicUser = DynamicUser.NONE;
    private Optional<Sandbox> sandbox = Optional.empty();
    private List<byte[]> filters = List.of(); // of system calls
    private Set<Capability> boundingSet = Set.of();
    private Map<String, String> runVariables = Map.of();
    private UserRuns.@Nullable Run userRun; // counted
    private volatile boolean credentialsUsed; // by a command
    private volatile String lost = ""; // why no command can be started
    private volatile SharedParts.@Nullable Member member; // a worker or the loop sets it

    /**
     * @param uids provides the ids for {@code DynamicUser=}
     * @param support the parts of a sandbox that can be made here
     * @param warnings receives one line for each setting that could not be applied; called by any
     *     thread
     */
    public Execution(
            ExecutedUnit unit,
            ManagerScope scope,
            Surroundings surroundings,
            DynamicUids uids,
            SandboxSupport support,
            Consumer<String> warnings) {
        this.unit = unit;
        this.support = support;
        this.settings = unit.settings();
        this.scope = scope;
        this.uids = uids;
        this.surroundings = surroundings;
        this.warnings = warnings;
        this.environment =
                new ExecEnvironment(unit, scope, System.getenv(), surroundings.defaults());
        this.directories = new ExecDirectories(settings, scope);
        this.credentials = new UnitCredentials(settings.credentials(), scope, unit.name());
        this.cgroup = new UnitCgroup(surroundings.cgroup(), surroundings.cgroupSettings());
    }

    /** Returns the identity of the commands, if it is not ours; known once the run is prepared. */
    public Optional<UserAndGroups> identity() {
        return Optional.of(identity).filter(known -> known.account().isPresent());
    }

    /** Returns the name of its temporary folders, which another unit may have made; or "". */
    public String temporaryFolders() {
        SharedParts.Member joined = member;
        return joined == null ? "" : joined.parts().name();
    }

    /**
     * Returns the locks of its temporary folders, lent, as long as the run is not closed: without
     * them, another manager may remove a folder whose maker has ended.
     */
    public List<Fd> temporaryFolderLocks() {
        return sandbox.map(Sandbox::locks).orElse(List.of());
    }

    /**
     * Keeps what the run shares with others, as a killed manager has recorded it. Called for all
     * such runs before one of them can end, and before {@link #takeUp}.
     *
     * @param uid of the run; 0: it is not known, or ours
     * @param folders the name of its temporary folders; "" if it has none
     * @param locks of these folders, owned from now on
     * @param processes of the run, lent
     */
    public void keep(long uid, String folders, List<Fd> locks, List<PidFd> processes) {
        userRun =
                uids.runs()
                        .begin(
                                uid == 0 ? OptionalLong.empty() : OptionalLong.of(uid),
                                unit.settings().removeIpc());
        if (unit.settings().sandbox().isolates()) {
            member = Sandbox.rejoin(support.shared(), unit, folders, locks, processes);
        } else {
            locks.forEach(Fd::close);
        }
    }

    /**
     * Looks up the account and makes the folders; called once, before the first command.
     *
     * @throws SetupException saying what is missing
     */
    public void prepare() throws SetupException, InterruptedException {
        prepare(Optional.empty(), List.of());
    }

    /**
     * Prepares a run that an earlier manager has prepared: finds the folders that it has made. If
     * that fails, no command is started any more: it would have our identity and no sandbox.
     *
     * @param uid of the run; 0: ours, or one that is looked up by its name
     * @param processes of the run, lent, whose namespaces its other commands join
     */
    public void takeUp(long uid, List<PidFd> processes)
            throws SetupException, InterruptedException {
        lost = "the manager has restarted and did not find the user and the sandbox again";
        prepare(Optional.of(processes), uid == 0 ? List.of() : List.of(uid));
        lost = "";
    }

    private void prepare(Optional<List<PidFd>> before, List<Long> uid)
            throws SetupException, InterruptedException {
        boolean again = before.isPresent();
        if (!again) {
            refuse();
        }
        use(support.applied(unit.settings().sandbox()));
        credentialsUsed = again;
        boundingSet = new TreeSet<>(settings.capabilityBoundingSet());
        boundingSet.removeAll(unit.settings().sandbox().dropped());
        try {
            identity = takeIdentity(uid);
            cgroup.delegateTo(identity.uid(), identity.gid());
            if (userRun == null) {
                userRun = uids.runs().begin(identity.uid(), settings.removeIpc());
            }
            reportDropped();
            filters = filters();
            setVariables(again ? directories.variables() : createDirectories());
            if (!again) {
                makeCredentials();
            }
            sandbox = sandbox(before);
            if (!again) {
                tidyTerminal();
            }
        } catch (SetupException | InterruptedException | RuntimeException e) {
            if (!again) {
                close(true);
            }
            throw e;
        }
    }

    private void use(SandboxSettings applied) throws SetupException {
        settings = unit.settings().withSandbox(followed(applied));
        directories = new ExecDirectories(settings, scope);
    }

    /** Returns the settings with a root that is reached through no links. */
    private static SandboxSettings followed(SandboxSettings applied) throws SetupException {
        if (applied.root().isEmpty()) {
            return applied;
        }
        String path = applied.root().get().path();
        return applied.withRoot(MountPlan.ofMachine(path).map(MountPlan.Real::source).orElse(path));
    }

    /** Refuses a unit that would run without what its files ask for, although it must not. */
    private void refuse() throws SetupException {
        if (settings.sandbox().root().isPresent()) {
            refuse(settings.sandbox().root().get());
        }
        Optional<String> refusal = support.refusal(unit.settings(), unit.diagnostics());
        if (refusal.isPresent()) {
            throw new SetupException(SetupException.Step.NAMESPACE, refusal.get());
        }
    }

    /** Reports what the unit asks for and this manager cannot do, once per unit. */
    private void reportDropped() {
        String report = support.report(unit.settings());
        if (!report.isEmpty()) {
            warnOnce("sandbox", report);
        }
    }

    /** Makes the credentials, in a plain folder where no file system of their own can be made. */
    private void makeCredentials() throws SetupException, InterruptedException {
        if (credentials.path().isEmpty()) {
            return;
        }
        Optional<Long> uid = identity.uid().stream().boxed().findFirst();
        Optional<String> refusal = support.mountRefusal();
        try {
            credentials.make(uid, refusal.isEmpty());
        } catch (CredentialException e) {
            throw new SetupException(SetupException.Step.CREDENTIALS, e);
        }
        if (refusal.isPresent() && !scope.user()) {
            warnOnce(
                    "credentials",
                    "%s: its credentials are files in %s, not in a file system of their own: %s"
                            .formatted(
                                    String.join("=, ", settings.credentials().directives()) + "=",
                                    credentials.path().get(),
                                    refusal.get()));
        }
    }

    /**
     * Makes the credentials anew for the first main command, if a command before it may have
     * changed them.
     */
    private void renewCredentials(ExecCommand command) throws SetupException, InterruptedException {
        List<ExecCommand> main = unit.mainCommands();
        if (credentialsUsed && !main.isEmpty() && main.getFirst().equals(command)) {
            makeCredentials();
        }
        credentialsUsed = true;
    }

    private void setVariables(Map<String, String> ofDirectories) {
        Map<String, String> variables = new HashMap<>(ofDirectories);
        variables.putAll(credentials.variables());
        variables.put("INVOCATION_ID", surroundings.invocationId());
        variables.putAll(
                MemoryPressure.variables(
                        surroundings.cgroup(),
                        surroundings.cgroupSettings().resources(),
                        identity.uid(),
                        settings.sandbox().namespaces().cgroups()));
        runVariables = Map.copyOf(variables);
    }

    /** Compiles the filters of system calls, if they are not compiled yet. */
    private List<byte[]> filters() throws SetupException {
        try {
            return support.filters(unit.settings().sandbox());
        } catch (ErrnoException e) {
            if (!support.isWeak()) {
                throw new SetupException(SetupException.Step.SECCOMP, e);
            }
            warnOnce("seccomp", "system calls are not restricted: " + e.getMessage());
            return List.of();
        }
    }

    private Optional<Sandbox> sandbox(Optional<List<PidFd>> before)
            throws SetupException, InterruptedException {
        if (!settings.sandbox().isolates()) {
            return Optional.empty();
        }
        SharedParts.Member joined = member;
        if (joined == null) {
            joined = support.shared().join(unit.name(), unit.joined());
            member = joined;
        }
        try {
            return Optional.of(
                    Sandbox.of(
                            settings,
                            scope,
                            unit.name(),
                            identity,
                            surroundings,
                            joined.parts(),
                            PrivateFolder.name(
                                    unit.name(),
                                    surroundings.invocationId(),
                                    surroundings.cgroup()),
                            before.orElse(List.of())));
        } catch (SetupException e) {
            if (!support.isWeak() || settings.sandbox().root().isPresent()) {
                throw e;
            }
            if (before.isPresent()) {
                reportFailed(e); // the processes have the folders of a sandbox
            } else {
                dropSandbox(e);
            }
            return Optional.empty();
        }
    }

    /** Refuses a root that cannot be had: the machine's programs would be executed. */
    private void refuse(SandboxSettings.Root root) throws SetupException {
        Optional<String> mounts = support.mountRefusal();
        String problem =
                !Files.exists(Path.of(root.path()))
                        ? " is missing"
                        : !root.isFolder()
                                ? " is not supported: the machine's programs would be executed"
                                : mounts.map(reason -> " needs mounts: " + reason).orElse("");
        if (!problem.isEmpty()) {
            throw new SetupException(SetupException.Step.NAMESPACE, root + problem);
        }
    }

    private Map<String, String> createDirectories() throws SetupException {
        return directories.create(
                identity.account().map(Account::uid).orElse(ExecDirectories.UNCHANGED),
                identity.gid().orElse(ExecDirectories.UNCHANGED));
    }

    private UserAndGroups takeIdentity(List<Long> before)
            throws SetupException, InterruptedException {
        if (!settings.dynamicUser()) {
            return UserAndGroups.of(settings.user(), settings, Accounts.SYSTEM, DynamicUser.NONE);
        }
        if (Unistd.geteuid() != 0) {
            throw new SetupException(
                    SetupException.Step.USER, "DynamicUser= needs a manager that runs as root");
        }
        List<Long> preferred = new ArrayList<>(before);
        preferred.addAll(directories.owners());
        dynamicUser = DynamicUser.of(settings, unit.name(), Accounts.SYSTEM, uids, preferred);
        String user = DynamicUser.userName(settings, unit.name());
        return UserAndGroups.of(Optional.of(user), settings, Accounts.SYSTEM, dynamicUser);
    }

    /**
     * Starts the process of a command.
     *
     * @param more variables of this command alone, such as {@code MAINPID}
     * @param passed descriptors: a socket for its standard streams, if the unit wants that, or else
     *     all from 3 on; lent
     * @throws ErrnoException ENOENT, EACCES or ENOEXEC for the program
     * @throws SetupException if an environment file, the working directory or a tool is missing, if
     *     a file of a standard stream cannot be opened, or if {@link #takeUp} has failed
     */
    public Child start(ExecCommand command, Map<String, String> more, PassedDescriptors passed)
            throws SetupException, InterruptedException {
        if (!lost.isEmpty()) {
            throw new SetupException(SetupException.Step.RESOURCES, lost);
        }
        renewCredentials(command);
        try (ExecStreams streams = streams(command, passed)) {
            Spawn spawn = spawnOf(command, more, passed, streams);
            giveTerminal(streams);
            return streams.controlling().isPresent()
                    ? startOnTerminal(spawn, streams.controlling().get())
                    : start(spawn, streams);
        } catch (Isolation.FailedException e) {
            return startWithout(e, command, more, passed);
        } catch (SetupException e) {
            if (e.step() != SetupException.Step.NAMESPACE) {
                throw e;
            }
            return startWithout(e, command, more, passed);
        }
    }

    /** Makes the user of the unit the owner of the terminal that is its standard input. */
    private void giveTerminal(ExecStreams streams) {
        UnitTerminal terminal = new UnitTerminal(settings.streams().terminal());
        Optional<Fd> input =
                streams.controlling().or(() -> streams.passedInput().filter(terminal::isPassed));
        if (input.isPresent() && identity.uid().isPresent()) {
            try {
                terminal.giveTo(input.get(), identity.uid().getAsLong());
            } catch (ErrnoException e) {
                warnOnce("TTYPath", "its user does not own its terminal: " + e.getMessage());
            }
        }
    }

    /**
     * Starts a process with the terminal that was passed as its standard input, if there is one, as
     * its controlling terminal. A terminal that belongs to another session stays an input only.
     */
    private static Child start(Spawn spawn, ExecStreams streams) {
        Optional<Fd> terminal = streams.passedInput().filter(Execution::isTerminal);
        if (terminal.isPresent()) {
            try {
                return spawn.copy().terminal(terminal.get()).start();
            } catch (Isolation.FailedException e) {
                throw e;
            } catch (ErrnoException e) {
                // of the terminal, or else the next start fails in the same way
            }
        }
        return spawn.start();
    }

    /**
     * Starts a process with the terminal of the unit as its controlling terminal. The console of
     * the machine is an input only: it never becomes the controlling terminal when it is opened.
     */
    private Child startOnTerminal(Spawn spawn, Fd fd) throws SetupException {
        UnitTerminal terminal = new UnitTerminal(settings.streams().terminal());
        try {
            return spawn.copy().terminal(fd).start();
        } catch (Isolation.FailedException e) {
            throw e;
        } catch (ErrnoException e) {
            if (!terminal.isTaken(e)) {
                throw e;
            }
            if (terminal.isConsole()) {
                return spawn.start();
            }
            throw new SetupException(
                    SetupException.Step.STDIN,
                    terminal
                            + " is the terminal of another session: end that one, or set"
                            + " StandardInput=tty-force");
        }
    }

    private static boolean isTerminal(Fd fd) {
        try {
            Termios _ = Termios.of(fd);
            return true;
        } catch (ErrnoException e) {
            return false;
        }
    }

    /** Starts a command without its sandbox, if the manager is weak, or throws the failure. */
    private <E extends Exception> Child startWithout(
            E failure, ExecCommand command, Map<String, String> more, PassedDescriptors passed)
            throws E, SetupException, InterruptedException {
        if (!support.isWeak() || sandbox.isEmpty() || settings.sandbox().root().isPresent()) {
            throw failure;
        }
        dropSandbox(failure);
        return start(command, more, passed);
    }

    private void reportFailed(Exception failure) {
        warnOnce("failed sandbox", "runs without its sandbox: " + failure.getMessage());
    }

    /** Goes on without a sandbox. A dynamic user reaches its folders only where all can. */
    private void dropSandbox(Exception failure) throws SetupException {
        reportFailed(failure);
        closeSandbox();
        use(unit.settings().sandbox().without(SandboxProbe.KINDS));
        setVariables(createDirectories());
    }

    ExecStreams streams(ExecCommand command, PassedDescriptors passed) throws InterruptedException {
        ExecStreams streams = new ExecStreams(settings, surroundings.output(), passed);
        if (surroundings.journal().isPresent() && streams.useJournal()) {
            JournalSocket receiver = surroundings.journal().get();
            LogSettings log = settings.streams().log();
            String program = String.valueOf(Path.of(command.executable()).getFileName());
            try {
                streams.journal(
                        receiver.connect(
                                unit.name(),
                                new JournalSocket.Description(
                                        surroundings.invocationId(),
                                        log.identifier().orElse(program),
                                        log.priority(),
                                        log.levelPrefix(),
                                        streams.useConsole())));
            } catch (ErrnoException e) {
                warnOnce(
                        receiver,
                        "its output passes through the manager, and is lost if that is killed: "
                                + e.getMessage());
            }
        }
        return streams;
    }

    /**
     * Describes the process of a command.
     *
     * @param passed lent until the start
     * @param streams of this command alone; closed by the caller, after the start
     */
    Spawn spawnOf(
            ExecCommand command,
            Map<String, String> more,
            PassedDescriptors passed,
            ExecStreams streams)
            throws SetupException, InterruptedException {
        boolean main = unit.mainCommands().contains(command);
        Map<String, String> run = new HashMap<>(runVariables);
        run.putAll(more);
        run.putAll(passed.variables());
        streams.journalStream().ifPresent(stream -> run.put("JOURNAL_STREAM", stream));
        List<PassedDescriptors.Passed> files = main ? streams.files() : List.of();
        boolean useSocket = ExecStreams.useSocket(settings);
        PassedDescriptors listed =
                new PassedDescriptors(
                        Stream.concat(
                                        useSocket ? Stream.empty() : passed.list().stream(),
                                        files.stream())
                                .toList(),
                        Map.of());
        if (!listed.isEmpty()) {
            run.putAll(listed.listenVariables());
        }
        Map<String, String> variables =
                environment.of(main, identity.account(), surroundings.notifySocket(), run);
        List<String> arguments = arguments(command, variables);
        int free = PassedDescriptors.FIRST + listed.list().size();
        boolean confined = !command.has(ExecCommand.Flag.FULLY_PRIVILEGED);
        Optional<Sandbox.View> view = Optional.empty();
        if (sandbox.isPresent() && confined) {
            view = Optional.of(sandbox.get().view());
        }
        boolean changesUser =
                confined && !command.has(ExecCommand.Flag.NO_SETUID) && !identity.isOurs();
        ProcessSetup.Directory directory = directory(view.isPresent(), changesUser);
        Optional<PamSession> session = confined ? session(command, variables) : Optional.empty();
        boolean enters = !directory.path().equals(ROOT) && (changesUser || view.isPresent());
        boolean isSetUp = confined && (enters || isSetUpByProgram(command, view));
        Spawn spawn =
                session.isPresent() || isSetUp
                        ? filteredSpawn(command, arguments, free, streams, view, directory, session)
                        : spawnOf(command, arguments, variables);
        Path start = Path.of(session.isPresent() || isSetUp ? ROOT : directory.path());
        spawn.environment(session.isPresent() ? Map.of() : variables)
                .umask(settings.umask())
                .directory(start);
        if (unit.ownSession()) {
            spawn.newSession();
        }
        settings.nice().stream().filter(support::permits).forEach(spawn::nice);
        if (settings.keyring() != ExecSettings.KeyringMode.INHERIT) {
            spawn.ownKeyring();
        }
        if (settings.ignorePipe()) {
            spawn.ignorePipe();
        }
        if (surroundings.reapedLater()) {
            spawn.reapLater();
        }
        if (variables.containsKey(ExecEnvironment.WATCHDOG_TIME)) {
            spawn.environmentOfPid("WATCHDOG_PID");
        }
        if (variables.containsKey(ExecEnvironment.EXEC_PID)) {
            spawn.environmentOfPid(ExecEnvironment.EXEC_PID);
        }
        cgroup.of(main).ifPresent(spawn::cgroup);
        view.ifPresent(own -> spawn.isolation(own.isolation()));
        streams.connect(spawn, main);
        if (!listed.isEmpty()) {
            int number = PassedDescriptors.FIRST;
            for (PassedDescriptors.Passed one : listed.list()) {
                spawn.descriptor(number++, one.fd());
            }
            spawn.environmentOfPid(PassedDescriptors.PID).environmentOfId(PassedDescriptors.ID);
        }
        return spawn.whileHeld(this::constrain);
    }

    /** Returns at least argv[0], even if it is a variable that is not set. */
    private static List<String> arguments(ExecCommand command, Map<String, String> variables) {
        List<String> arguments = command.expand(variables);
        return arguments.isEmpty() ? List.of(command.executable()) : arguments;
    }

    /**
     * Returns whether a {@link ProcessSetup} sets a process up. In a sandbox it always does what
     * setpriv(1) would do, since a sandbox may hide that program.
     */
    private boolean isSetUpByProgram(ExecCommand command, Optional<Sandbox.View> view) {
        return !filters.isEmpty()
                || support.deniesWriteExecute(unit.settings().sandbox())
                || users().isPresent()
                || settings.keyring() == ExecSettings.KeyringMode.SHARED
                || view.filter(own -> own.setup().isNeeded() || !setprivOptions(command).isEmpty())
                        .isPresent();
    }

    /**
     * Returns the session of a command; empty if it has none. The program that opens it is given no
     * variables by the unit, which the loader of its libraries would obey.
     */
    private Optional<PamSession> session(ExecCommand command, Map<String, String> variables) {
        Map<String, String> seen = new HashMap<>(variables);
        seen.remove(ExecEnvironment.EXEC_PID); // the process has the true one in its environment
        Optional<String> terminal =
                Optional.of(settings.streams().terminal().path())
                        .filter(_ -> UnitTerminal.isOf(settings));
        return settings.pamService()
                .filter(_ -> !command.has(ExecCommand.Flag.NO_SETUID))
                .flatMap(service ->
                        identity.account()
                                .map(user ->
                                        new PamSession(
                                                service, user.name(), terminal, seen, identity)));
    }

    /**
     * Describes a process that a {@link ProcessSetup} sets up, after its PAM session is open.
     *
     * @param number of a descriptor that the process has no use for, like all that follow
     */
    private Spawn filteredSpawn(
            ExecCommand command,
            List<String> arguments,
            int number,
            ExecStreams streams,
            Optional<Sandbox.View> view,
            ProcessSetup.Directory directory,
            Optional<PamSession> session)
            throws SetupException {
        Optional<SandboxSettings.Root> root = settings.sandbox().root();
        Path program =
                root.isPresent()
                        ? locateIn(root.get(), command.executable())
                        : locate(command.executable());
        if (root.isEmpty()) {
            ProgramCheck.requireExecutable(program, false);
        }
        int mounts = number + 1 + (users().isPresent() ? 1 : 0);
        List<MountPlan.Late> late = view.map(shown -> shown.setup().late()).orElse(List.of());
        int last = session.isPresent() ? mounts + late.size() : number;
        Optional<ProcessSetup.View> own =
                view.map(shown -> new ProcessSetup.View(shown.setup(), mounts));
        UserAndGroups changed =
                session.isPresent() ? identity.withGroupsKept() : identity; // a session sets them
        Fd setup =
                streams.adopt(
                        setup(command, changed, number + 1, own, directory).file(program, number));
        Spawn spawn =
                Spawn.ofDescriptor(last)
                        .descriptor(number, setup)
                        .arguments(arguments.subList(1, arguments.size()))
                        .argumentZero(arguments.getFirst());
        users().ifPresent(namespace -> spawn.descriptor(number + 1, namespace.fd()));
        for (int i = 0; i < late.size(); i++) {
            try {
                spawn.descriptor(mounts + i, streams.adopt(late.get(i).tree().open()));
            } catch (ErrnoException e) {
                throw new SetupException(SetupException.Step.NAMESPACE, e);
            }
        }
        if (session.isPresent()) {
            Fd file = session.get().file(PassedDescriptors.FIRST, last, number);
            spawn.descriptor(last, streams.adopt(file));
        }
        return spawn;
    }

    /** Returns the path of a program in a root of the unit's own. */
    private static Path locateIn(SandboxSettings.Root root, String executable) {
        if (executable.startsWith("/")) {
            return Path.of(executable);
        }
        FileRoot folder = new FileRoot(Path.of(root.path()));
        return ExecCommand.SEARCH_PATH.stream()
                .map(path -> Path.of(path, executable))
                .filter(path -> Files.isRegularFile(folder.follow(path)))
                .findFirst()
                .orElse(Path.of("/usr/bin", executable)); // the execve(2) says that it is missing
    }

    /** Returns the user namespace of the commands, lent. */
    private Optional<Namespace> users() {
        return sandbox.flatMap(Sandbox::users);
    }

    /**
     * @param changed the identity that the process takes on
     * @param number of the descriptor of the user namespace
     */
    private ProcessSetup setup(
            ExecCommand command,
            UserAndGroups changed,
            int number,
            Optional<ProcessSetup.View> view,
            ProcessSetup.Directory directory) {
        boolean changes = !command.has(ExecCommand.Flag.NO_SETUID) && !changed.isOurs();
        boolean otherUser = changes && changed.uid().orElse(0) != 0;
        boolean admin = support.owns(Capability.SYS_ADMIN);
        boolean keepsAdmin =
                otherUser
                        && admin
                        && !filters.isEmpty()
                        && !settings.noNewPrivileges()
                        && SystemCallFilters.permitsDropping(unit.settings().sandbox());
        boolean denies = support.deniesWriteExecute(unit.settings().sandbox());
        boolean mayInstall =
                filters.isEmpty() ? !denies || admin : admin && (!otherUser || keepsAdmin);
        return new ProcessSetup(
                view,
                directory,
                users().isPresent() ? OptionalInt.of(number) : OptionalInt.empty(),
                Optional.of(changed).filter(_ -> changes),
                settings.keyring() == ExecSettings.KeyringMode.SHARED,
                Optional.of(boundingSet).filter(_ -> isBoundingSetChanged()),
                ambientCapabilities(),
                secureBits(),
                support.capabilities(),
                settings.noNewPrivileges() || !mayInstall,
                denies,
                filters,
                keepsAdmin);
    }

    private Spawn spawnOf(
            ExecCommand command, List<String> arguments, Map<String, String> variables)
            throws SetupException {
        Path program = locate(command.executable());
        boolean privileged = command.has(ExecCommand.Flag.FULLY_PRIVILEGED);
        List<String> options = privileged ? List.of() : setprivOptions(command);
        if (options.isEmpty()) {
            Spawn spawn =
                    Spawn.of(program.toString())
                            .arguments(arguments.subList(1, arguments.size()))
                            .argumentZero(arguments.getFirst());
            return settings.noNewPrivileges() && !privileged ? spawn.noNewPrivileges() : spawn;
        }
        ProgramCheck.requireExecutable(program, false);
        boolean ownName = !arguments.getFirst().equals(command.executable());
        try {
            return Spawn.of(SetprivCommand.line(options, program, arguments, ownName, variables));
        } catch (ErrnoException | IllegalArgumentException e) {
            throw new SetupException(SetupException.Step.RESOURCES, e);
        }
    }

    private static Path locate(String executable) {
        if (executable.startsWith("/")) {
            return Path.of(executable);
        }
        for (String folder : ExecCommand.SEARCH_PATH) {
            Path candidate = Path.of(folder, executable);
            if (Files.isRegularFile(candidate) && Files.isExecutable(candidate)) {
                return candidate;
            }
        }
        throw new ErrnoException(
                "execve",
                executable,
                Errno.ENOENT,
                "it is not in " + String.join(":", ExecCommand.SEARCH_PATH));
    }

    /**
     * Returns the options of setpriv(1); none if the command keeps our identity and all
     * capabilities.
     */
    private List<String> setprivOptions(ExecCommand command) {
        List<String> options = new ArrayList<>();
        if (!command.has(ExecCommand.Flag.NO_SETUID)) {
            options.addAll(identity.options());
        }
        if (isBoundingSetChanged()) {
            options.add("--bounding-set=" + only(boundingSet));
        }
        Set<Capability> ambient = ambientCapabilities();
        if (!ambient.isEmpty()) {
            options.add("--inh-caps=" + only(ambient));
            options.add("--ambient-caps=" + only(ambient));
        }
        Set<SecureBit> bits = secureBits();
        if (!bits.isEmpty()) {
            options.add(
                    "--securebits="
                            + bits.stream()
                                    .map(bit -> "+" + bit.name().toLowerCase(Locale.ROOT))
                                    .collect(Collectors.joining(",")));
        }
        if (!options.isEmpty() && settings.noNewPrivileges()) {
            options.add("--no-new-privs");
        }
        return options;
    }

    private boolean isBoundingSetChanged() {
        return !hasAllCapabilities() && support.owns(Capability.SETPCAP);
    }

    private Set<Capability> ambientCapabilities() {
        Set<Capability> ambient = new TreeSet<>(settings.ambientCapabilities());
        ambient.retainAll(boundingSet);
        ambient.removeIf(each -> !support.owns(each));
        return ambient;
    }

    private Set<SecureBit> secureBits() {
        Set<SecureBit> bits = new TreeSet<>(settings.secureBits());
        bits.remove(SecureBit.KEEP_CAPS); // cleared by the exec
        return support.owns(Capability.SETPCAP) ? bits : Set.of();
    }

    private static String only(Set<Capability> capabilities) {
        StringBuilder set = new StringBuilder("-all");
        capabilities.forEach(
                capability -> set.append(",+").append(capability.name().toLowerCase(Locale.ROOT)));
        return set.toString();
    }

    private boolean hasAllCapabilities() {
        return boundingSet.size() == Capability.values().length;
    }

    /**
     * Returns the working directory. Whether a user may enter it, or what a view of its own shows
     * there, only the process itself finds out.
     */
    private ProcessSetup.Directory directory(boolean ownView, boolean changesUser)
            throws SetupException {
        if (settings.workingDirectory().isEmpty()) {
            String home = scope.user() ? scope.account().home() : ROOT;
            String usual = problemOf(home, false) == null ? home : ROOT; // a home may be missing
            return new ProcessSetup.Directory(usual, true);
        }
        WorkingDirectory wanted = settings.workingDirectory().get();
        String path =
                wanted.home()
                        ? identity.account().map(Account::home).orElse(scope.account().home())
                        : wanted.path();
        String problem = ownView && path.startsWith("/") ? null : problemOf(path, changesUser);
        if (problem == null) {
            return new ProcessSetup.Directory(path, wanted.optional());
        }
        if (wanted.optional()) {
            return new ProcessSetup.Directory(ROOT, true);
        }
        throw new SetupException(
                SetupException.Step.CHDIR, "the working directory " + path + " " + problem);
    }

    private static @Nullable String problemOf(String path, boolean changesUser) {
        if (!path.startsWith("/")) {
            return "is not absolute";
        }
        try {
            Path folder = Path.of(path);
            boolean is = Files.readAttributes(folder, BasicFileAttributes.class).isDirectory();
            return !is
                    ? "is not a directory"
                    : changesUser || Files.isExecutable(folder) ? null : "may not be entered";
        } catch (NoSuchFileException e) {
            return "is missing";
        } catch (AccessDeniedException e) {
            return changesUser ? null : "cannot be reached: a directory above it denies access";
        } catch (IOException e) {
            return "cannot be entered: " + e.getMessage();
        }
    }

    /** Sets limits of the whole process, before its program runs. */
    private void constrain(HeldChild child) {
        if (!settings.limits().containsKey(Resource.NOFILE)) {
            ResourceLimit usual = surroundings.defaults().limit(Resource.NOFILE);
            child.limit(Resource.NOFILE, usual.soft(), usual.hard());
        }
        mark(child);
        settings.limits().forEach((resource, limit) -> limit(child, resource, limit));
        settings.oomScoreAdjust().ifPresent(adjustment -> oomScoreAdjust(child, adjustment));
        schedule(child);
    }

    /**
     * Marks a process that has no cgroup of its unit. A mark that this manager has itself stays on
     * its processes, so that whoever set it finds them: a process scope, or another manager.
     */
    private void mark(HeldChild child) {
        long[] ours = SysResource.limit(Resource.LOCKS.number());
        boolean isFree = ours[0] == SysResource.INFINITY && ours[1] == SysResource.INFINITY;
        if (surroundings.cgroup().isEmpty() && isFree) {
            child.limit(Resource.LOCKS, RunMark.of(surroundings.invocationId()), ours[1]);
        }
    }

    private void limit(HeldChild child, Resource resource, ResourceLimit limit) {
        try {
            child.limit(resource, limit.soft(), limit.hard());
        } catch (ErrnoException e) {
            if (e.errno() != Errno.EPERM) {
                throw e;
            }
            long most = SysResource.limit(resource.number())[1];
            child.limit(resource, lower(limit.soft(), most), lower(limit.hard(), most));
            warnOnce(
                    resource,
                    "Limit%s=%s is clamped to %s, the hard limit of this manager"
                            .formatted(
                                    resource,
                                    ResourceLimit.text(limit.hard()),
                                    ResourceLimit.text(most)));
        }
    }

    /** Returns the lower limit. Limits are unsigned: the largest value means no limit. */
    private static long lower(long one, long other) {
        return Long.compareUnsigned(one, other) < 0 ? one : other;
    }

    private void oomScoreAdjust(HeldChild child, int adjustment) {
        orWarn("OOMScoreAdjust=" + adjustment, () -> child.oomScoreAdjust(adjustment));
    }

    private void schedule(HeldChild child) {
        SchedulingSettings wanted = settings.scheduling();
        wanted.cpuPolicy()
                .ifPresent(policy ->
                        orWarn(
                                "CPUSchedulingPolicy=" + policy.name().toLowerCase(Locale.ROOT),
                                () ->
                                        child.scheduler(
                                                policy,
                                                wanted.cpuPriority(),
                                                wanted.resetOnFork())));
        wanted.ioClass()
                .ifPresent(kind ->
                        orWarn(
                                "IOSchedulingClass=" + kind.name().toLowerCase(Locale.ROOT),
                                () -> child.ioPriority(kind, wanted.ioPriority())));
    }

    private void orWarn(String setting, Runnable action) {
        try {
            action.run();
        } catch (ErrnoException e) {
            if (e.errno() != Errno.EACCES && e.errno() != Errno.EPERM) {
                throw e;
            }
            warnOnce(setting, setting + " cannot be set: permission denied");
        }
    }

    private void warnOnce(Object subject, String text) {
        if (warned.add(subject)) {
            warnings.accept(text);
        }
    }

    /**
     * Removes the resources of this run. Logs a warning for each that cannot be removed.
     *
     * @param restarting whether another run follows at once
     */
    public void close(boolean restarting) {
        tidyTerminal();
        takeTerminalBack();
        try {
            directories.removeRuntime(restarting);
        } catch (FileException e) {
            warnOnce("RuntimeDirectory", "a runtime folder is left: " + e.getMessage());
        }
        try {
            if (!restarting && dynamicUser.uid().isPresent()) {
                directories.takeBack();
            }
        } catch (FileException e) {
            warnOnce("DynamicUser", "its next user will own a folder: " + e.getMessage());
        }
        closeSandbox();
        try {
            credentials.remove();
        } catch (FileException | ErrnoException e) {
            warnOnce("credentials left", "its credentials are left: " + e.getMessage());
        }
        UserRuns.Run counted = userRun;
        userRun = null;
        if (counted != null) {
            counted.close();
        }
        dynamicUser.close();
        cgroup.close();
    }

    /** Puts the unit's terminal in order, as far as the unit has one and wants that. */
    private void tidyTerminal() {
        if (UnitTerminal.isOf(unit.settings())) {
            try {
                new UnitTerminal(unit.settings().streams().terminal()).tidy();
            } catch (FileException | ErrnoException e) {
                warnOnce("TTYPath", "its terminal is left as it is: " + e.getMessage());
            }
        }
    }

    private void takeTerminalBack() {
        if (unit.settings().standardInput().isTerminal() && identity.uid().isPresent()) {
            try {
                new UnitTerminal(unit.settings().streams().terminal()).takeBack();
            } catch (FileException e) {
                // it no longer exists
            } catch (ErrnoException e) {
                warnOnce(
                        "TTYPath", "its user remains the owner of its terminal: " + e.getMessage());
            }
        }
    }

    /** Gives the sandbox up; the last unit that shares parts of it removes them. */
    private void closeSandbox() {
        sandbox.ifPresent(Sandbox::close);
        sandbox = Optional.empty();
        SharedParts.Member joined = member;
        member = null;
        try {
            if (joined != null) {
                joined.close();
            }
        } catch (FileException e) {
            warnOnce("PrivateTmp", "a temporary folder is left: " + e.getMessage());
        }
    }
}
