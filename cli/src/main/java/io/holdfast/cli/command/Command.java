package io.holdfast.cli.command;

import io.holdfast.cli.output.Output;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** One subcommand. It is created only when the command line names it. */
public interface Command {
    /** The name, options and help of the command. */
    CommandSpec spec();

    /**
     * Runs the command.
     *
     * @param line the command line, parsed by {@link #spec()}
     * @return the exit code of the program
     * @throws CommandException if the command fails; the message is the line that the user sees
     */
    int run(ParseResult line, Output output) throws Exception;

    /** Returns whether the command runs until it is stopped, and must not block on its output. */
    default boolean isDaemon() {
        return false;
    }

    /** Creates a usage error that the grammar does not detect. */
    static ParameterException misuse(ParseResult line, String message) {
        return new ParameterException(line.commandSpec().commandLine(), message);
    }
}
