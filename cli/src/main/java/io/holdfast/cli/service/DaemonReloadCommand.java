package io.holdfast.cli.service;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.ManagerSocket;
import io.holdfast.cli.output.Output;
import io.holdfast.varlink.json.JsonObject;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Makes the manager reload the files of its units. */
public final class DaemonReloadCommand implements Command {
    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "Reload the unit files of all units.")
                .description("%nA running unit uses the new content from its next start on.%n")
                .footer("%nExamples:", "  holdfast daemon-reload")
                .with(ManagerSocket::addOptions)
                .spec();
    }

    @Override
    public int run(ParseResult line, Output output) {
        JsonObject mayAsk = JsonObject.of(ManagerSocket.INTERACTIVE, true);
        long units = ManagerSocket.call(line, "ReloadDaemon", mayAsk).integer("units");
        output.line("reloaded the unit files of ", units, units == 1 ? " unit" : " units");
        return ExitCode.OK;
    }
}
