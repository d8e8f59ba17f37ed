package io.holdfast.cli.process;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.ExitText;
import io.holdfast.cli.command.Terminal;
import io.holdfast.cli.output.Output;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Registration;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/** Runs a command as a transient unit: held by pidfd, in a cgroup of its own, in our place. */
public final class RunCommand implements Command {
    private static final List<Signal> FORWARDED = List.of(Signal.HUP, Signal.INT, Signal.TERM);

    @Override
    public CommandSpec spec() {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
        spec.parser().stopAtPositional(true); // what follows the command is the command's
        spec.usageMessage()
                .header("Run a command in a cgroup of its own, and pass its exit code on.")
                .footer(
                        "%nIts streams are ours. HUP, INT and TERM are passed on to it, but for the INT of a terminal,"
                                + " which it gets by itself. When it ends, whatever it left in its cgroup is killed.",
                        "%nIf holdfast itself is killed by KILL, the command goes on, in its cgroup. A cgroup without"
                                + " a name of yours is removed by a later run from the same place, once it is empty.",
                        "%nExit code: that of the command, or 128 and the signal that killed it; 125 if holdfast failed,"
                                + " 126 if the program cannot be executed, 127 if there is none.",
                        "%nExamples:",
                        "  holdfast run -- make -j8",
                        "  holdfast run --unit backup --nice 10 --limit NOFILE=65536 -- /usr/local/bin/backup /srv",
                        "  holdfast run --uid nobody --no-new-privs --cwd / --setenv HOME=/ -- id",
                        "  holdfast run --cgroup /tests.slice/one.scope -- ./test");
        return withOptions(spec)
                .addPositional(
                        PositionalParamSpec.builder()
                                .paramLabel("COMMAND")
                                .required(true)
                                .arity("1..*")
                                .type(String[].class)
                                .description("The program and its arguments.")
                                .build());
    }

    private static CommandSpec withOptions(CommandSpec spec) {
        return spec.addOption(
                        Command.option(
                                "--unit",
                                "NAME",
                                "What its cgroup is called, below our own (.scope unless it says otherwise); without"
                                        + " this, a name of its own. Where none can be made, it runs in ours."))
                .addOption(
                        Command.option(
                                "--cgroup",
                                "PATH",
                                "Its cgroup instead, from the root if it begins with a slash, else below our own. One"
                                        + " that is there is used, and outlives the command with all that is in it."))
                .addOption(
                        OptionSpec.builder("--setenv")
                                .paramLabel("NAME=VALUE")
                                .type(String[].class)
                                .arity("1")
                                .description(
                                        "Set a variable of its environment, which otherwise is ours.")
                                .build())
                .addOption(Command.option("--cwd", "DIR", "Its working directory."))
                .addOption(Command.option("--nice", "N", "Its nice value, -20 to 19."))
                .addOption(Command.option("--umask", "MODE", "Its umask, in octal."))
                .addOption(
                        Command.flag(
                                "--no-new-privs",
                                "Neither it nor its children ever gain privileges by an exec."))
                .addOption(
                        OptionSpec.builder("--limit")
                                .paramLabel("NAME=SOFT[:HARD]")
                                .type(String[].class)
                                .arity("1")
                                .description(
                                        "A limit of getrlimit(2), such as NOFILE, CORE, NPROC; a number or infinity.")
                                .build())
                .addOption(
                        Command.option(
                                "--uid",
                                "USER",
                                "Become that user, by setpriv(1), with the groups that are listed for it."))
                .addOption(
                        Command.option(
                                "--gid",
                                "GROUP",
                                "Become that group; without this, the user's own."));
    }

    @Override
    public int run(ParseResult line, Output output) throws Exception {
        RunOptions options = RunOptions.of(line);
        if (options.program().isEmpty()) {
            throw new CommandException("the name of the program is empty", ExitCode.NOT_FOUND);
        }
        try (TransientUnit unit = unit(options, output)) {
            try {
                Exit exit = runToTheEnd(options.spawn(unit == null ? null : unit.cgroup()));
                return ExitText.code(exit);
            } catch (ErrnoException e) {
                throw notStarted(options.program(), e);
            } finally {
                end(unit, output);
            }
        } catch (CommandException e) {
            throw e.exitCode() == ExitCode.FAILURE
                    ? new CommandException(
                            String.valueOf(e.getMessage()), ExitCode.NOT_THE_PROCESS, e)
                    : e;
        }
    }

    /** Null where it has to do without; only who asked for one by name is told. */
    private static @Nullable TransientUnit unit(RunOptions options, Output output) {
        Optional<String> path = options.cgroup();
        if (path.isPresent()) {
            return TransientUnit.at(path.get());
        }
        try (Cgroup own = Cgroup.own()) {
            OwnScope.removeStale(own);
            return TransientUnit.make(own, options.unit().orElseGet(OwnScope::name));
        } catch (CommandException | ErrnoException e) {
            if (e.getCause() instanceof FileAlreadyExistsException) {
                throw e;
            }
            if (options.unit().isPresent()) {
                output.complain(
                        e.getMessage()
                                + ": it runs without a cgroup of its own, and what it leaves behind is not killed");
            }
            return null;
        }
    }

    private static Exit runToTheEnd(Spawn spawn) throws Exception {
        List<Registration> handlers = new ArrayList<>();
        try (EventLoop loop = EventLoop.open()) {
            List<Child> started = new ArrayList<>();
            for (Signal signal : FORWARDED) {
                handlers.add(
                        loop.onSignal(
                                signal, () -> started.forEach(child -> forward(signal, child))));
            }
            try (Child child = spawn.start()) {
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
            boolean ignored = child.signal(signal); // gone: its exit is on the way
        }
    }

    private static void end(@Nullable TransientUnit unit, Output output)
            throws InterruptedException {
        if (unit != null && unit.end()) {
            output.complain("what the command left running in " + unit.cgroup() + " was killed");
        }
    }

    private static CommandException notStarted(String program, ErrnoException e) {
        if (!e.call().endsWith("_spawn")) {
            return new CommandException(String.valueOf(e.getMessage()), e);
        }
        if (e.errno() == Errno.ENOENT
                && !(program.contains("/") && Files.exists(Path.of(program)))) {
            return new CommandException(
                    "there is no program " + program + (program.contains("/") ? "" : " in PATH"),
                    ExitCode.NOT_FOUND,
                    e);
        }
        if (e.errno() == Errno.EACCES && Files.isDirectory(Path.of(e.subject()))) {
            return new CommandException(
                    e.subject() + " is a folder, and no program", ExitCode.NOT_EXECUTABLE, e);
        }
        boolean ofTheProgram =
                switch (e.errno()) {
                    case Errno.ENOENT, Errno.ENOEXEC -> true;
                    case Errno.EACCES -> !Files.isExecutable(Path.of(e.subject()));
                    default -> false;
                };
        return new CommandException(
                String.valueOf(e.getMessage()),
                ofTheProgram ? ExitCode.NOT_EXECUTABLE : ExitCode.NOT_THE_PROCESS,
                e);
    }
}
