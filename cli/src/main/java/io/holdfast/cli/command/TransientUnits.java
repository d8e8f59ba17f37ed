package io.holdfast.cli.command;

import io.holdfast.cli.output.Output;
import io.holdfast.core.process.PidFd;
import java.util.List;
import picocli.CommandLine.ParseResult;

/** The units that a manager makes for {@code holdfast run}. */
public interface TransientUnits {
    /** Adds the options that select the manager. */
    void addOptions(Grammar grammar);

    /**
     * Lets the manager run a command as a service, to its end unless the line says otherwise.
     *
     * @param name of the unit
     * @return the exit code
     * @throws CommandException if it cannot be started
     */
    int service(ParseResult line, String name, List<String> command, Output output)
            throws InterruptedException;

    /**
     * Makes a scope of a process of the caller.
     *
     * @param name of the unit
     * @throws CommandException if the manager refuses it
     */
    void scope(ParseResult line, String name, PidFd process) throws InterruptedException;
}
