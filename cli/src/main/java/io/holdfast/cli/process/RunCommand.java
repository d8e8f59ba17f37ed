package io.holdfast.cli.process;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.ExitJson;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.Terminal;
import io.holdfast.cli.command.TransientUnits;
import io.holdfast.cli.output.Output;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Registration;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.scope.ProcessScope;
import io.holdfast.core.scope.ProcessesLeftException;
import io.holdfast.manager.unit.UnitType;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Runs a command as a transient unit: held by pidfd, in its own cgroup, in the foreground. */
public final class RunCommand implements Command {
    private static final List<Signal> FORWARDED = List.of(Signal.HUP, Signal.INT, Signal.TERM);
    private static final String SERVICE = "--service";
    private static final String SCOPE = "--scope";
    private static final List<String> OF_UNITS = List.of("--property", "--slice", "--collect");

    private final TransientUnits manager;

    /**
     * @param manager makes the units of --service and --scope
     */
    public RunCommand(TransientUnits manager) {
        this.manager = manager;
    }

    @Override
    public CommandSpec spec() {
        return Grammar.of(
                        this,
                        "Run a command in its own cgroup, and exit with the command's exit code.")
                .stopAtArgument()
                .footer(
                        "%nThe command inherits holdfast's standard streams. holdfast forwards"
                                + " SIGHUP, SIGINT and SIGTERM to the command; a Ctrl-C reaches the"
                                + " command from the terminal. When the command ends, holdfast"
                                + " kills all processes that are left in the cgroup.",
                        "%nWhere you may not create a cgroup, holdfast is the subreaper of the"
                                + " command instead, and finds the processes that it leaves by"
                                + " their parents and by a mark that they inherit (the variable"
                                + " HOLDFAST_SCOPE and a limit). It misses a process that removes"
                                + " the mark, leaves its session and loses its parent.",
                        "%nIf holdfast is killed by SIGKILL, the command continues in its cgroup. A"
                                + " later run in the same parent cgroup removes that cgroup once it"
                                + " is empty, unless --unit or --cgroup named it.",
                        "%nWith --service or --scope the command is a unit of the caller's manager,"
                                + " as with systemd-run(1): holdfast status shows it, holdfast"
                                + " stop ends it, and the processes that it leaves are the unit's."
                                + " A service has the environment of the manager.",
                        "%nExit code: the exit code of the command, or 128 plus the number of the"
                                + " signal that killed it; 125 if holdfast failed, 126 if the"
                                + " program cannot be executed, 127 if the program does not exist.",
                        "%nExamples:",
                        "  holdfast run -- make -j8",
                        "  holdfast run --unit backup --nice 10 --limit NOFILE=65536 -- /usr/local/bin/backup /srv",
                        "  holdfast run --uid nobody --no-new-privs --cwd / --setenv HOME=/ -- id",
                        "  holdfast run --service --unit backup --property MemoryMax=1G -- /usr/local/bin/backup",
                        "  holdfast run --cgroup /tests.slice/one.scope -- ./test")
                .with(RunCommand::addOptions)
                .with(manager::addOptions)
                .arguments("COMMAND", "1..*", String.class, "The program and its arguments.")
                .spec();
    }

    private static void addOptions(Grammar grammar) {
        grammar.option(
                        "--unit NAME",
                        "The name of the cgroup, which is created below holdfast's own cgroup;"
                                + " .scope is appended unless NAME ends in .scope or .service"
                                + " (default: run-pPID-iID.scope). If the cgroup cannot be created,"
                                + " the command runs without it.")
                .option(
                        "--cgroup PATH",
                        "The path of the cgroup, instead of --unit: from the root if PATH begins"
                                + " with a slash, else below holdfast's own cgroup. An existing"
                                + " cgroup is used; its processes are not killed, and it is not"
                                + " removed.")
                .options(
                        "--setenv NAME=VALUE",
                        String.class,
                        "Set an environment variable of the command (default: the environment of"
                                + " holdfast); may be given several times.")
                .option("--cwd DIR", "The working directory of the command.")
                .option("--nice N", "The nice value of the command, -20 to 19.")
                .option("--umask MODE", "The umask of the command, in octal.")
                .flag(
                        "--no-new-privs",
                        "The command and its children gain no privileges by execve(2), as with"
                                + " PR_SET_NO_NEW_PRIVS.")
                .options(
                        "--limit NAME=SOFT[:HARD]",
                        String.class,
                        "Set a limit of getrlimit(2), such as NOFILE, CORE or NPROC, to a number or"
                                + " infinity (default for HARD: SOFT); may be given several times.")
                .option(
                        "--uid USER",
                        "Run the command as this user and with the user's supplementary groups, by"
                                + " setpriv(1).")
                .option(
                        "--gid GROUP",
                        "Run the command as this group (default: the primary group of --uid).")
                .flag(SERVICE, "Let the manager run the command as a service named by --unit.")
                .flag(SCOPE, "Let the manager make a scope of the command.")
                .flag(
                        "--detach",
                        "With --service: print the name of the unit when the command runs, and"
                                + " leave it running; its output goes to the log.")
                .options(
                        "--property NAME=VALUE",
                        String.class,
                        "With --service or --scope: set a directive of the unit, such as"
                                + " CPUWeight=50; may be given several times.")
                .option("--slice SLICE", "With --service or --scope: the slice of the unit.")
                .flag("--collect", "Unload the unit when it ends, even if it has failed.");
    }

    @Override
    public int run(ParseResult line, Output output) throws Exception {
        if (line.hasMatchedOption(SERVICE)) {
            return service(line, output);
        }
        RunOptions options = RunOptions.of(line);
        if (line.hasMatchedOption(SCOPE)) {
            return scope(options, line);
        }
        requireNone(line, OF_UNITS, "needs " + SERVICE + " or " + SCOPE);
        requireNone(line, List.of("--detach"), "needs " + SERVICE);
        if (options.program().isEmpty()) {
            throw new CommandException("the name of the program is empty", ExitCode.NOT_FOUND);
        }
        try (TransientUnit unit = unit(options, output)) {
            return unit == null ? inScope(options, output) : inUnit(options, unit, output);
        } catch (CommandException e) {
            throw ofHoldfast(e);
        }
    }

    private static CommandException ofHoldfast(CommandException e) {
        return e.exitCode() == ExitCode.FAILURE
                ? new CommandException(String.valueOf(e.getMessage()), ExitCode.HOLDFAST_FAILED, e)
                : e;
    }

    // ---- units of the manager

    private int service(ParseResult line, Output output) throws InterruptedException {
        requireNone(line, List.of(SCOPE, "--cgroup"), "and " + SERVICE + " exclude each other");
        String name = RunOptions.unitName(line, UnitType.SERVICE);
        try {
            return manager.service(line, name, RunOptions.command(line), output);
        } catch (CommandException e) {
            throw ofHoldfast(e);
        }
    }

    private int scope(RunOptions options, ParseResult line) throws Exception {
        requireNone(line, List.of("--detach", "--cgroup"), "and " + SCOPE + " exclude each other");
        String name = RunOptions.unitName(line, UnitType.SCOPE);
        try {
            return run(
                    options,
                    options.held(child -> {
                        try {
                            manager.scope(line, name, child.pidFd());
                        } catch (InterruptedException e) {
                            throw new CommandException("interrupted", e);
                        }
                    })
                            ::start);
        } catch (CommandException e) {
            throw ofHoldfast(e);
        }
    }

    private static void requireNone(ParseResult line, List<String> options, String why) {
        for (String option : options) {
            if (line.hasMatchedOption(option)) {
                throw Command.misuse(line, option + " " + why);
            }
        }
    }

    // ---- without a manager

    private static int inUnit(RunOptions options, TransientUnit unit, Output output)
            throws Exception {
        try {
            return run(options, options.spawn(unit.cgroup())::start);
        } finally {
            if (unit.end()) {
                output.complain("killed the processes that the command left in " + unit.cgroup());
            }
        }
    }

    /** Runs the command without a cgroup that this process may name. */
    @SuppressWarnings("MustBeClosed") // closed below
    private static int inScope(RunOptions options, Output output) throws Exception {
        ProcessScope scope;
        try {
            scope = ProcessScope.open();
        } catch (ErrnoException e) {
            output.complain("processes that the command leaves are not killed: " + e.getMessage());
            return run(options, options.spawn(null)::start);
        }
        try (scope) {
            int code = run(options, () -> scope.start(options.spawn(null)));
            if (!scope.isEmpty()) {
                scope.kill();
                output.complain("killed the processes that the command left");
            }
            return code;
        } catch (ProcessesLeftException e) {
            throw new CommandException(String.valueOf(e.getMessage()), e);
        }
    }

    /**
     * Creates or opens the cgroup; null if none can be created, which is reported only with {@code
     * --unit}.
     */
    private static @Nullable TransientUnit unit(RunOptions options, Output output) {
        Optional<String> path = options.cgroup();
        if (path.isPresent()) {
            return TransientUnit.at(path.get());
        }
        try (Cgroup own = Cgroup.own()) {
            OwnScope.removeStale(own);
            return TransientUnit.create(own, options.unit().orElseGet(OwnScope::name));
        } catch (CommandException | ErrnoException e) {
            if (e.getCause() instanceof FileAlreadyExistsException) {
                throw e;
            }
            if (options.unit().isPresent()) {
                output.complain(
                        e.getMessage()
                                + "; the command runs without a cgroup of that name, and of the"
                                + " processes that it leaves some may be missed, see: holdfast"
                                + " run --help");
            }
            return null;
        }
    }

    /** Runs the command to its end, and returns the exit code that passes its exit on. */
    private static int run(RunOptions options, Supplier<Child> start) throws Exception {
        try {
            return ExitJson.code(runToTheEnd(start));
        } catch (ErrnoException e) {
            throw notStarted(options.program(), e);
        }
    }

    private static Exit runToTheEnd(Supplier<Child> start) throws Exception {
        List<Registration> handlers = new ArrayList<>();
        try (EventLoop loop = EventLoop.open()) {
            List<Child> started = new ArrayList<>();
            for (Signal signal : FORWARDED) {
                handlers.add(
                        loop.onSignal(
                                signal, () -> started.forEach(child -> forward(signal, child))));
            }
            try (Child child = start.get()) {
                started.add(child);
                var ignored = child.onExit().thenRun(loop::stop);
                loop.run();
                return child.await();
            }
        } finally {
            handlers.forEach(Registration::cancel);
        }
    }

    private static void forward(Signal signal, Child child) {
        if (!signal.equals(Signal.INT) || !Terminal.isForeground()) {
            boolean ignored = child.signal(signal); // false if it is gone: its exit ends the loop
        }
    }

    private static CommandException notStarted(String program, ErrnoException e) {
        if (!e.call().endsWith("_spawn")) {
            return new CommandException(String.valueOf(e.getMessage()), e);
        }
        if (e.errno() == Errno.ENOENT
                && !(program.contains("/") && Files.exists(Path.of(program)))) {
            return new CommandException(
                    "no such program" + (program.contains("/") ? ": " : " in PATH: ") + program,
                    ExitCode.NOT_FOUND,
                    e);
        }
        if (e.errno() == Errno.EACCES && Files.isDirectory(Path.of(e.subject()))) {
            return new CommandException(
                    e.subject() + " is a folder, not a program", ExitCode.NOT_EXECUTABLE, e);
        }
        boolean ofTheProgram =
                switch (e.errno()) {
                    case Errno.ENOENT, Errno.ENOEXEC -> true;
                    case Errno.EACCES -> !Files.isExecutable(Path.of(e.subject()));
                    default -> false;
                };
        return new CommandException(
                String.valueOf(e.getMessage()),
                ofTheProgram ? ExitCode.NOT_EXECUTABLE : ExitCode.HOLDFAST_FAILED,
                e);
    }
}
