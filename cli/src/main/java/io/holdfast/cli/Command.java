package io.holdfast.cli;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** One subcommand. It is made when it is asked for, and only then. */
interface Command {
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
}
