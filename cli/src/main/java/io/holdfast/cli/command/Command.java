package io.holdfast.cli.command;

import io.holdfast.cli.output.Output;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** One subcommand. It is made when it is asked for, and only then. */
public interface Command {
    /** Its name, options and help. */
    CommandSpec spec();

    /**
     * Does it.
     *
     * @param line what the user asked for, already found to fit {@link #spec()}
     * @return the exit code of the program
     * @throws CommandException with the one line that says why it did not work
     */
    int run(ParseResult line, Output output) throws Exception;

    /** Whether it runs until it is told to end, and so must not wait for who reads its lines. */
    default boolean isDaemon() {
        return false;
    }

    /** What a user asked for does not make sense, though the grammar allows it. */
    static ParameterException misuse(ParseResult line, String message) {
        return new ParameterException(line.commandSpec().commandLine(), message);
    }

    /** The option {@code --json}. */
    static OptionSpec json(String description) {
        return flag("--json", description);
    }

    /** An option without a value. */
    static OptionSpec flag(String name, String description) {
        return OptionSpec.builder(name).type(boolean.class).description(description).build();
    }

    /** An option with a value, for the command to parse. */
    static OptionSpec option(String name, String label, String description) {
        return OptionSpec.builder(name)
                .paramLabel(label)
                .type(String.class)
                .description(description)
                .build();
    }
}
