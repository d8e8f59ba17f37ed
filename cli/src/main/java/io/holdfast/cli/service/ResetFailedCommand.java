package io.holdfast.cli.service;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.ManagerSocket;
import io.holdfast.cli.output.Output;
import io.holdfast.varlink.json.JsonObject;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Clears the failed state and the start counter of units. */
public final class ResetFailedCommand implements Command {
    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "Clear the failed state and the start counter of units.")
                .footer(
                        "%nExamples:",
                        "  holdfast reset-failed", "  holdfast reset-failed redis-server.service")
                .with(ManagerSocket::addOptions)
                .with(UnitPatterns.parameter("0..*", "all units"))
                .spec();
    }

    @Override
    public int run(ParseResult line, Output output) {
        List<String> units = UnitPatterns.names(line, output);
        JsonObject ignored =
                ManagerSocket.call(
                        line,
                        "ResetFailed",
                        JsonObject.builder()
                                .putStrings("names", units)
                                .put(ManagerSocket.INTERACTIVE, true)
                                .build());
        return ExitCode.OK;
    }
}
