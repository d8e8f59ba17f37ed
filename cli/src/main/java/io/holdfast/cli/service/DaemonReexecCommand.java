package io.holdfast.cli.service;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.ManagerSocket;
import io.holdfast.cli.output.Output;
import io.holdfast.varlink.client.ServiceLostException;
import io.holdfast.varlink.json.JsonObject;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Replaces the manager by a new one, which adopts all units and jobs. */
public final class DaemonReexecCommand implements Command {
    @Override
    public CommandSpec spec() {
        return Grammar.of(
                        this, "Replace the manager by a new one, which adopts all units and jobs.")
                .description(
                        "%nServices keep running, sockets keep their pending connections, and jobs"
                                + " continue. The new manager runs the newest build: use this"
                                + " command after an update of Holdfast. The command fails if the"
                                + " manager was started with --no-keeper.%n")
                .footer("%nExamples:", "  holdfast daemon-reexec")
                .with(ManagerSocket::addOptions)
                .spec();
    }

    @Override
    public int run(ParseResult line, Output output) {
        JsonObject mayAsk = JsonObject.of(ManagerSocket.INTERACTIVE, true);
        try {
            JsonObject ignored = ManagerSocket.call(line, "Reexecute", mayAsk);
        } catch (CommandException e) {
            boolean isReplaced = // the manager closed the connection instead of replying
                    e.getCause() instanceof ServiceLostException lost
                            && lost.reason() == ServiceLostException.Reason.CLOSED;
            if (!isReplaced) {
                throw e;
            }
        }
        // The manager's socket outlives the manager: the next manager replies.
        JsonObject ignored = ManagerSocket.call(line, "Predecessors", JsonObject.EMPTY);
        return ExitCode.OK;
    }
}
