package io.holdfast.manager.exec;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.machine.Accounts.Account;
import io.holdfast.core.process.Namespace;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.privilege.ProgramCheck;
import io.holdfast.core.process.privilege.SetprivCommand;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.file.FileRoot;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.settings.SandboxSettings;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.WorkingDirectory;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The process of a command of a run: describes it as a {@link Spawn}, with all that {@link
 * Execution} has prepared.
 *
 * @param settings those that can be applied
 * @param cgroup of the run
 * @param runVariables of all its commands
 */
record ExecProcess(
        ExecutedUnit unit,
        ExecSettings settings,
        ManagerScope scope,
        Execution.Surroundings surroundings,
        SandboxSupport support,
        ExecEnvironment environment,
        UnitCgroup cgroup,
        ExecPrivileges privileges,
        ExecLimits limits,
        Optional<Sandbox> sandbox,
        Map<String, String> runVariables) {
    private static final String ROOT = "/";

    /**
     * Describes the process of a command.
     *
     * @param passed lent until the start
     * @param streams of this command alone; closed by the caller, after the start
     */
    Spawn spawn(
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
                environment.of(
                        main, privileges.identity().account(), surroundings.notifySocket(), run);
        List<String> arguments = arguments(command, variables);
        int free = PassedDescriptors.FIRST + listed.list().size();
        boolean confined = !command.has(ExecCommand.Flag.FULLY_PRIVILEGED);
        Optional<Sandbox.View> view = Optional.empty();
        if (sandbox.isPresent() && confined) {
            view = Optional.of(sandbox.get().view());
        }
        boolean changesUser = privileges.changesUser(command);
        ProcessSetup.Directory directory = directory(view.isPresent(), changesUser);
        Optional<PamSession> session = confined ? session(command, variables) : Optional.empty();
        boolean enters = !directory.path().equals(ROOT) && (changesUser || view.isPresent());
        boolean isSetUp = confined && (enters || isSetUpByProgram(command, view));
        Spawn spawn =
                session.isPresent() || isSetUp
                        ? filteredSpawn(command, arguments, free, streams, view, directory, session)
                        : plainSpawn(command, arguments, variables);
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
        return spawn.whileHeld(limits::apply);
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
        return privileges.needsSetup()
                || users().isPresent()
                || view.filter(own ->
                                own.setup().isNeeded()
                                        || !privileges.setprivOptions(command).isEmpty())
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
        UserAndGroups identity = privileges.identity();
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
        UserAndGroups identity = privileges.identity();
        UserAndGroups changed =
                session.isPresent() ? identity.withGroupsKept() : identity; // a session sets them
        OptionalInt users = users().isPresent() ? OptionalInt.of(number + 1) : OptionalInt.empty();
        Fd setup =
                streams.adopt(
                        privileges
                                .setup(command, changed, users, own, directory)
                                .file(program, number));
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

    /** Describes a process that executes its program at once, or by setpriv(1). */
    private Spawn plainSpawn(
            ExecCommand command, List<String> arguments, Map<String, String> variables)
            throws SetupException {
        Path program = locate(command.executable());
        boolean privileged = command.has(ExecCommand.Flag.FULLY_PRIVILEGED);
        List<String> options = privileged ? List.of() : privileges.setprivOptions(command);
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
                        ? privileges
                                .identity()
                                .account()
                                .map(Account::home)
                                .orElse(scope.account().home())
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
}
