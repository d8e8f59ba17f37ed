package io.holdfast.manager;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Fcntl;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.SysResource;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.HeldChild;
import io.holdfast.core.process.Resource;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.manager.unit.EnvironmentFile;
import io.holdfast.manager.unit.ExecCommand;
import io.holdfast.manager.unit.ExecSettings;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.ResourceLimit;
import io.holdfast.manager.unit.ServiceSection.NotifyAccess;
import io.holdfast.manager.unit.ServiceUnit;
import io.holdfast.manager.unit.StandardStream;
import io.holdfast.manager.unit.WorkingDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * How the commands of one run of a service are executed: as whom, where, with what environment and
 * limits.
 *
 * <p>Identity and capabilities change in the child alone, by setpriv(1), which then executes the
 * program: a thread of the manager that took them over, be it for a tenth of a millisecond, could
 * be signalled by that user, and a signal that kills a thread kills the manager. Everything else is
 * of {@link Spawn}. Blocking; called off the loop.
 */
final class Execution {
    /**
     * What a run has of its own.
     *
     * @param output takes what is written to {@code journal}
     */
    record Surroundings(
            Optional<Cgroup> cgroup, Fd output, String notifySocket, String invocationId) {}

    private static final String SETPRIV = "setpriv";
    private static final String BASE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin";

    private final ServiceUnit unit;
    private final ManagerScope scope;
    private final Surroundings surroundings;
    private final Consumer<String> warnings;
    private final Set<String> warned = new HashSet<>();
    private Optional<Accounts.Account> account = Optional.empty();
    private Map<String, String> environment = Map.of();

    Execution(
            ServiceUnit unit,
            ManagerScope scope,
            Surroundings surroundings,
            Consumer<String> warnings) {
        this.unit = unit;
        this.scope = scope;
        this.surroundings = surroundings;
        this.warnings = warnings;
    }

    private ExecSettings settings() {
        return unit.exec();
    }

    /**
     * Looks up the account, makes the folders and reads the environment files.
     *
     * @throws Exception saying what is missing
     */
    void prepare() throws Exception {
        if (settings().user().isPresent()) {
            account = Optional.of(Accounts.user(settings().user().get()));
        }
        Map<String, String> variables = base();
        variables.putAll(ExecDirectories.create(settings(), scope, account));
        settings()
                .environment()
                .passed()
                .forEach(name -> {
                    String value = System.getenv(name);
                    if (value != null) {
                        variables.put(name, value);
                    }
                });
        variables.putAll(settings().environment().assignments());
        for (EnvironmentFile file : settings().environment().files()) {
            try {
                variables.putAll(file.load());
            } catch (IOException e) {
                throw new IOException(file.place() + ": " + e.getMessage(), e);
            }
        }
        settings().environment().removeUnset(variables);
        environment = Map.copyOf(variables);
    }

    private Map<String, String> base() {
        Map<String, String> variables = new LinkedHashMap<>();
        variables.put(
                "PATH", scope.user() ? System.getenv().getOrDefault("PATH", BASE_PATH) : BASE_PATH);
        String language = System.getenv("LANG");
        if (language != null) {
            variables.put("LANG", language);
        }
        if (scope.user()) {
            for (String name : List.of("HOME", "USER", "LOGNAME", "SHELL", "XDG_RUNTIME_DIR")) {
                String value = System.getenv(name);
                if (value != null) {
                    variables.put(name, value);
                }
            }
        }
        account.ifPresentOrElse(
                user -> {
                    variables.put("USER", user.name());
                    variables.put("LOGNAME", user.name());
                    variables.put("SHELL", user.shell());
                    if (!user.home().equals("/")) {
                        variables.put("HOME", user.home());
                    }
                },
                () -> {
                    if (!scope.user()) {
                        variables.put("USER", "root");
                    }
                });
        variables.put("INVOCATION_ID", surroundings.invocationId());
        variables.put("MANAGERPID", Long.toString(ProcessHandle.current().pid()));
        if (unit.service().notifyAccess() != NotifyAccess.NONE) {
            variables.put("NOTIFY_SOCKET", surroundings.notifySocket());
        }
        unit.service()
                .timeouts()
                .watchdog()
                .duration()
                .filter(watchdog -> !watchdog.isZero())
                .ifPresent(watchdog ->
                        variables.put("WATCHDOG_USEC", Long.toString(watchdog.toNanos() / 1000)));
        return variables;
    }

    /**
     * Describes the process of a command.
     *
     * @param more variables of this command alone
     * @throws ErrnoException ENOENT or EACCES of the program
     * @throws IOException if a folder or a stream cannot be had
     */
    Spawn spawnOf(ExecCommand command, Map<String, String> more) throws IOException {
        Map<String, String> variables = new HashMap<>(environment);
        variables.putAll(more);
        Path program = locate(command);
        List<String> arguments = command.expand(variables);
        List<String> hop = hop(command);
        Spawn spawn;
        if (hop.isEmpty()) {
            spawn =
                    Spawn.of(program.toString())
                            .arguments(arguments.subList(1, arguments.size()))
                            .argumentZero(arguments.getFirst());
        } else {
            requireExecutable(program);
            spawn = Spawn.of(hop).arguments(List.of("--", program.toString()));
            spawn.arguments(arguments.subList(1, arguments.size()));
        }
        spawn.environment(variables).newSession().umask(settings().umask());
        settings().nice().ifPresent(spawn::nice);
        if (settings().noNewPrivileges() && hop.isEmpty()) {
            spawn.noNewPrivileges();
        }
        if (variables.containsKey("WATCHDOG_USEC")) {
            spawn.environmentOfPid("WATCHDOG_PID");
        }
        surroundings.cgroup().ifPresent(spawn::cgroup);
        directory().ifPresent(spawn::directory);
        streams(spawn);
        if (!settings().limits().isEmpty() || settings().oomScoreAdjust().isPresent()) {
            spawn.whileHeld(this::constrain);
        }
        return spawn;
    }

    private static Path locate(ExecCommand command) {
        if (command.executable().startsWith("/")) {
            return Path.of(command.executable());
        }
        for (String folder : ExecCommand.SEARCH_PATH) {
            Path candidate = Path.of(folder, command.executable());
            if (Files.isExecutable(candidate) && !Files.isDirectory(candidate)) {
                return candidate;
            }
        }
        throw new ErrnoException(
                "execve",
                command.executable(),
                Errno.ENOENT,
                "not in " + String.join(":", ExecCommand.SEARCH_PATH));
    }

    /** Behind setpriv nobody would tell the errno. */
    private static void requireExecutable(Path program) {
        if (!Files.exists(program)) {
            throw new ErrnoException("execve", program.toString(), Errno.ENOENT);
        }
        if (Files.isDirectory(program) || !Files.isExecutable(program)) {
            throw new ErrnoException("execve", program.toString(), Errno.EACCES);
        }
    }

    /**
     * The words of setpriv that give the child its identity and take its capabilities; none if it
     * keeps ours.
     */
    private List<String> hop(ExecCommand command) {
        if (command.has(ExecCommand.Flag.FULLY_PRIVILEGED)) {
            return List.of();
        }
        List<String> words = new ArrayList<>();
        boolean keepUser =
                command.has(ExecCommand.Flag.NO_SETUID)
                        || command.has(ExecCommand.Flag.AMBIENT_MAGIC);
        if (!keepUser) {
            identity(words);
        }
        if (settings().capabilityBoundingSet().size()
                < io.holdfast.manager.unit.Capability.values().length) {
            words.add("--bounding-set=" + capabilities());
        }
        if (words.isEmpty()) {
            return List.of();
        }
        if (settings().noNewPrivileges()) {
            words.add("--no-new-privs");
        }
        words.addFirst(SETPRIV);
        return words;
    }

    private void identity(List<String> words) {
        Optional<Long> group = settings().group().map(Accounts::group);
        if (account.isPresent()) {
            words.add("--reuid=" + account.get().uid());
            words.add("--regid=" + group.orElse(account.get().gid()));
            if (settings().supplementaryGroups().isEmpty()) {
                words.add(account.get().isNamed() ? "--init-groups" : "--clear-groups");
            }
        } else if (group.isPresent()) {
            words.add("--regid=" + group.get());
            if (settings().supplementaryGroups().isEmpty()) {
                words.add("--clear-groups");
            }
        }
        if (!settings().supplementaryGroups().isEmpty()) {
            List<String> groups =
                    settings().supplementaryGroups().stream()
                            .map(name -> Long.toString(Accounts.group(name)))
                            .toList();
            words.add("--groups=" + String.join(",", groups));
        }
    }

    private String capabilities() {
        StringBuilder set = new StringBuilder("-all");
        settings()
                .capabilityBoundingSet()
                .forEach(capability ->
                        set.append(",+")
                                .append(
                                        capability
                                                .name()
                                                .toLowerCase(java.util.Locale.ROOT)
                                                .replaceFirst("^cap_", "")));
        return set.toString();
    }

    private Optional<Path> directory() {
        if (settings().workingDirectory().isEmpty()) {
            return Optional.of(scope.user() ? Path.of(scope.account().home()) : Path.of("/"));
        }
        WorkingDirectory wanted = settings().workingDirectory().get();
        Path path =
                Path.of(
                        !wanted.home()
                                ? wanted.path()
                                : account.map(Accounts.Account::home)
                                        .orElse(scope.account().home()));
        return Optional.of(wanted.optional() && !Files.isDirectory(path) ? Path.of("/") : path);
    }

    private void streams(Spawn spawn) throws IOException {
        StandardStream input = settings().standardInput();
        Stdio in =
                switch (input.kind()) {
                    case NULL -> Stdio.devNull();
                    case FILE -> Stdio.from(Path.of(input.argument()));
                    default -> throw unsupported("StandardInput", input);
                };
        Stdio out = output("StandardOutput", settings().standardOutput(), in, Stdio.devNull());
        spawn.stdin(in).stdout(out);
        spawn.stderr(output("StandardError", settings().standardError(), out, out));
    }

    /**
     * @param inherited what {@code inherit} means
     * @param same of a stream that is the null device anyway
     */
    private Stdio output(String directive, StandardStream stream, Stdio inherited, Stdio same)
            throws IOException {
        return switch (stream.kind()) {
            case NULL -> Stdio.devNull();
            case INHERIT -> inherited instanceof Stdio.Null ? same : inherited;
            case JOURNAL, JOURNAL_CONSOLE, KMSG, KMSG_CONSOLE ->
                    Stdio.descriptor(surroundings.output());
            case FILE -> new Stdio.File(Path.of(stream.argument()), Fcntl.O_WRONLY | Fcntl.O_CREAT);
            case APPEND -> Stdio.appendTo(Path.of(stream.argument()));
            case TRUNCATE -> Stdio.to(Path.of(stream.argument()));
            default -> throw unsupported(directive, stream);
        };
    }

    private static IOException unsupported(String directive, StandardStream stream) {
        return new IOException(
                directive
                        + "="
                        + stream.kind().name().toLowerCase(java.util.Locale.ROOT).replace('_', '-')
                        + " is not supported yet");
    }

    /** Sets what belongs to the whole process, before its program runs. */
    private void constrain(HeldChild child) {
        settings().limits().forEach((resource, limit) -> limit(child, resource, limit));
        settings()
                .oomScoreAdjust()
                .ifPresent(adjustment -> {
                    try {
                        child.oomScoreAdjust(adjustment);
                    } catch (ErrnoException e) {
                        warnOnce("OOMScoreAdjust=" + adjustment + ": " + e.getMessage());
                    }
                });
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
                    "Limit"
                            + resource
                            + "="
                            + Long.toUnsignedString(limit.soft())
                            + " is clamped to "
                            + Long.toUnsignedString(most)
                            + ", the hard limit of this machine");
        }
    }

    /** Limits are unsigned: the largest is none. */
    private static long lower(long one, long other) {
        return Long.compareUnsigned(one, other) < 0 ? one : other;
    }

    private void warnOnce(String text) {
        if (warned.add(text)) {
            warnings.accept(text);
        }
    }

    /** Removes what was only for this run. */
    void close() {
        ExecDirectories.removeRuntime(settings(), scope);
    }
}
