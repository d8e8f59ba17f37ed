package io.holdfast.manager.exec;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.file.FileException;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.machine.Accounts.Account;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.HeldChild;
import io.holdfast.core.process.Isolation;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.sys.Unistd;
import io.holdfast.manager.credential.CredentialException;
import io.holdfast.manager.credential.UnitCredentials;
import io.holdfast.manager.log.JournalSocket;
import io.holdfast.manager.process.UserRuns;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.settings.LogSettings;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import io.holdfast.manager.unit.settings.SandboxSettings;
import io.holdfast.manager.unit.value.ExecCommand;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
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
 *   start     streams (ExecStreams) ─▶ environment (ExecEnvironment) ─▶ a {@link Spawn} (ExecProcess)
 *      │
 *      │      in the child, in this order, before the first instruction of the program:
 *      │        born in the unit's cgroup
 *      │        session, umask, nice value, signal mask and dispositions
 *      │        namespaces of the sandbox are entered            (only with a sandbox)
 *      │        working directory, streams, descriptors from 3 on
 *      │        held: resource limits, oom score, scheduler are set from outside (ExecLimits)
 *      │        groups, user, capabilities (ExecPrivileges): setpriv(1)  (only if they change)
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
            boolean reapedLater) {}

    private static final UserAndGroups OURS =
            new UserAndGroups(Optional.empty(), OptionalLong.empty(), Optional.empty(), true);

    private final ExecutedUnit unit;
    private final ManagerScope scope;
    private final Surroundings surroundings;
    private final DynamicUids uids;
    private final SandboxSupport support;
    private final ExecWarnings warnings;
    private final ExecEnvironment environment;
    private final UnitCgroup cgroup;
    private final ExecTerminal terminal;
    private final ExecLimits limits;
    private ExecSettings settings; // those that can be applied, once the run is prepared
    private ExecDirectories directories;
    private final UnitCredentials credentials;
    private volatile UserAndGroups identity = OURS; // a worker sets it, the loop reads it
    private DynamicUser dynamicUser = DynamicUser.NONE;
    private Optional<Sandbox> sandbox = Optional.empty();
    private ExecPrivileges privileges;
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
        this.warnings = new ExecWarnings(warnings);
        this.terminal = new ExecTerminal(settings, this.warnings);
        this.limits = new ExecLimits(settings, surroundings, this.warnings);
        this.privileges = new ExecPrivileges(settings, support, OURS, List.of());
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
        try {
            identity = takeIdentity(uid);
            cgroup.delegateTo(identity.uid(), identity.gid());
            if (userRun == null) {
                userRun = uids.runs().begin(identity.uid(), settings.removeIpc());
            }
            reportDropped();
            privileges = new ExecPrivileges(unit.settings(), support, identity, filters());
            setVariables(again ? directories.variables() : createDirectories());
            if (!again) {
                makeCredentials();
            }
            sandbox = sandbox(before);
            if (!again) {
                terminal.tidy();
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
            warnings.once("sandbox", report);
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
            warnings.once(
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
            warnings.once("seccomp", "system calls are not restricted: " + e.getMessage());
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
            Spawn spawn = process().spawn(command, more, passed, streams);
            terminal.giveTo(identity.uid(), streams);
            return terminal.start(spawn, streams);
        } catch (Isolation.FailedException e) {
            return startWithout(e, command, more, passed);
        } catch (SetupException e) {
            if (e.step() != SetupException.Step.NAMESPACE) {
                throw e;
            }
            return startWithout(e, command, more, passed);
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
        warnings.once("failed sandbox", "runs without its sandbox: " + failure.getMessage());
    }

    /** Goes on without a sandbox. A dynamic user reaches its folders only where all can. */
    private void dropSandbox(Exception failure) throws SetupException {
        reportFailed(failure);
        closeSandbox();
        use(unit.settings().sandbox().without(SandboxProbe.KINDS));
        setVariables(createDirectories());
    }

    /** Returns the description of its processes, as far as the run is prepared. */
    ExecProcess process() {
        return new ExecProcess(
                unit,
                settings,
                scope,
                surroundings,
                support,
                environment,
                cgroup,
                privileges,
                limits,
                sandbox,
                runVariables);
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
                warnings.once(
                        receiver,
                        "its output passes through the manager, and is lost if that is killed: "
                                + e.getMessage());
            }
        }
        return streams;
    }

    /**
     * Removes the resources of this run. Logs a warning for each that cannot be removed.
     *
     * @param restarting whether another run follows at once
     */
    public void close(boolean restarting) {
        terminal.tidy();
        terminal.takeBackFrom(identity.uid());
        try {
            directories.removeRuntime(restarting);
        } catch (FileException e) {
            warnings.once("RuntimeDirectory", "a runtime folder is left: " + e.getMessage());
        }
        try {
            if (!restarting && dynamicUser.uid().isPresent()) {
                directories.takeBack();
            }
        } catch (FileException e) {
            warnings.once("DynamicUser", "its next user will own a folder: " + e.getMessage());
        }
        closeSandbox();
        try {
            credentials.remove();
        } catch (FileException | ErrnoException e) {
            warnings.once("credentials left", "its credentials are left: " + e.getMessage());
        }
        UserRuns.Run counted = userRun;
        userRun = null;
        if (counted != null) {
            counted.close();
        }
        dynamicUser.close();
        cgroup.close();
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
            warnings.once("PrivateTmp", "a temporary folder is left: " + e.getMessage());
        }
    }
}
