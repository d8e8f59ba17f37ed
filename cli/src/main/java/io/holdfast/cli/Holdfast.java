package io.holdfast.cli;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Version;
import io.holdfast.cli.output.LogLines;
import io.holdfast.cli.output.Output;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.NotSupportedException;
import io.holdfast.core.Readiness;
import io.holdfast.core.process.ForeignCgroupException;
import io.holdfast.core.sys.Unistd;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The main class: finds the subcommand, runs it, and turns the outcome into a message and an exit
 * code.
 */
public final class Holdfast {
    private Holdfast() {}

    public static void main(String[] arguments) throws InterruptedException {
        List<String> line = List.of(arguments);
        boolean kernel = Commands.needsKernel(line);
        if (kernel) {
            bindEarly();
        }
        Thread.setDefaultUncaughtExceptionHandler(LogLines::uncaught);
        Output output = Output.standard();
        int code = run(line, output);
        if (!output.isStalled()) {
            LogLines.flush();
            code = afterWriting(code, output);
        }
        // Not System.exit(): commands need no shutdown hooks, and it looks for a logger first,
        // which takes 5 ms of every run. Not halt() after libc was bound: it waits 300 ms for
        // threads in system calls.
        if (kernel) {
            Unistd.exit(code);
        }
        Runtime.getRuntime().halt(code);
    }

    /** Returns the exit code, after checking whether standard output has accepted everything. */
    private static int afterWriting(int code, Output output) throws InterruptedException {
        if (code != ExitCode.OK || !output.hasFailed()) {
            return code;
        }
        if (isOutputClosed()) {
            return ExitCode.OUTPUT_CLOSED;
        }
        output.complain("standard output: write error; the output is incomplete");
        return ExitCode.FAILURE;
    }

    /** Returns whether standard output is a pipe or a socket whose other end is closed. */
    private static boolean isOutputClosed() throws InterruptedException {
        try (Fd out = Unistd.duplicateStandard(1)) {
            int ready = Readiness.await(out, Readiness.OUT, Duration.ZERO);
            return (ready & (Readiness.ERR | Readiness.HUP)) != 0;
        } catch (ErrnoException e) {
            return false; // it is closed, or poll(2) does not support it
        }
    }

    /** Begins to bind libc on another thread, because that takes half of the start-up time. */
    static void bindEarly() {
        Thread binder = new Thread(Feature.PIDFD_INFO::isPresent, "holdfast-binder");
        binder.setDaemon(true);
        binder.start();
    }

    /**
     * Returns a new grammar of the program with all its subcommands, as help shows it, for programs
     * that describe it, such as the generator of the manual pages.
     */
    public static CommandLine grammar() {
        return CommandTree.whole(Output.standard());
    }

    /** Runs one command line, and returns its exit code. */
    static int run(List<String> arguments, Output output) {
        try {
            return parseAndRun(arguments, output);
        } finally {
            output.flush();
        }
    }

    private static int parseAndRun(List<String> arguments, Output output) {
        if (arguments.equals(List.of("--version"))) { // fast path without the parser
            output.line(Version.text());
            return ExitCode.OK;
        }
        if (!arguments.isEmpty() && isUnknown(arguments.getFirst())) {
            output.complain(UnknownCommand.message(arguments.getFirst()));
            return ExitCode.USAGE;
        }
        CommandLine grammar = CommandTree.forLine(arguments, output);
        ParseResult line;
        try {
            line = grammar.parseArgs(arguments.toArray(String[]::new));
        } catch (ParameterException e) {
            return refuse(e, output);
        }
        ParseResult last = line.hasSubcommand() ? line.subcommand() : line;
        boolean debug = line.hasMatchedOption("--debug") || last.hasMatchedOption("--debug");
        try {
            return carryOut(last, output);
        } catch (ParameterException e) {
            return refuse(e, output);
        } catch (CommandException e) {
            output.complain(message(e));
            fail(e, debug, output);
            return e.exitCode();
        } catch (ErrnoException | NotSupportedException | ForeignCgroupException e) {
            output.complain(message(e));
            return fail(e, debug, output);
        } catch (IOException e) {
            output.complain(CommandException.reason(e));
            return fail(e, debug, output);
        } catch (Exception e) {
            output.complain(
                    "internal error: " + e + (debug ? "" : " (--debug prints the stack trace)"));
            return fail(e, debug, output);
        }
    }

    private static boolean isUnknown(String word) {
        return !word.startsWith("-") && Commands.named(word).isEmpty();
    }

    private static int carryOut(ParseResult line, Output output) throws Exception {
        CommandLine grammar = line.commandSpec().commandLine();
        if (line.isUsageHelpRequested()) {
            output.printTrusted(grammar.getUsageMessage());
            return ExitCode.OK;
        }
        if (line.commandSpec().userObject() instanceof Command command) {
            if (command.isDaemon()) {
                output.queueLines();
            }
            return command.run(line, output);
        }
        if (line.hasMatchedOption("--version")) {
            output.line(Version.text());
            return ExitCode.OK;
        }
        output.complainTrusted(grammar.getUsageMessage());
        return ExitCode.USAGE;
    }

    /**
     * Prints a usage error on one line: the error, and a suggestion or the option that shows the
     * help.
     */
    private static int refuse(ParameterException e, Output output) {
        String command = e.getCommandLine().getCommandSpec().qualifiedName();
        String message = message(e).lines().findFirst().orElse("").replaceFirst("\\.$", "");
        List<String> suggestions =
                e instanceof UnmatchedArgumentException unmatched
                        ? unmatched.getSuggestions()
                        : List.of();
        String hint =
                suggestions.isEmpty()
                        ? "see " + command + " --help"
                        : "did you mean " + String.join(" or ", suggestions) + "?";
        boolean isWord = message.length() > 1 && Character.isLowerCase(message.charAt(1));
        output.complain(
                (isWord ? Character.toLowerCase(message.charAt(0)) + message.substring(1) : message)
                        + " ("
                        + hint
                        + ")");
        return ExitCode.USAGE;
    }

    private static String message(Exception e) {
        return Objects.requireNonNullElse(e.getMessage(), e.toString());
    }

    private static int fail(Exception e, boolean debug, Output output) {
        if (debug) {
            output.trace(e);
        }
        return ExitCode.FAILURE;
    }
}
