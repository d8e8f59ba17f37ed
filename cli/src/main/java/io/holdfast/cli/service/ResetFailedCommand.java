package io.holdfast.cli.service;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.output.Output;
import io.holdfast.varlink.json.JsonObject;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/** Forgets that units have failed, and how often they were started. */
public final class ResetFailedCommand implements Command {
    @Override
    public CommandSpec spec() {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
        spec.usageMessage()
                .header("Clear the failed state of units, and the count of their starts.")
                .footer(
                        "%nExamples:",
                        "  holdfast reset-failed", "  holdfast reset-failed redis-server.service");
        ManagerSocket.addOptions(spec);
        return spec.addPositional(
                PositionalParamSpec.builder()
                        .paramLabel("UNIT")
                        .arity("0..*")
                        .type(List.class)
                        .auxiliaryTypes(String.class)
                        .description("Names; all units if none is given.")
                        .build());
    }

    @Override
    public int run(ParseResult line, Output output) {
        List<String> units = line.matchedPositionalValue(0, List.of());
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
