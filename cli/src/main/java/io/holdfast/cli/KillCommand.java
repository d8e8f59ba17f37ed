package io.holdfast.cli;

import io.holdfast.varlink.JsonObject;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/** Signals the processes of a unit. */
final class KillCommand implements Command {
    @Override
    public CommandSpec spec() {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
        spec.usageMessage()
                .header("Send a signal to the processes of a unit, by pidfd.")
                .footer(
                        "%nExamples:",
                        "  holdfast kill redis-server.service",
                        "  holdfast kill --signal HUP --whom main nginx.service");
        ManagerSocket.addOptions(spec);
        spec.addOption(
                OptionSpec.builder("-s", "--signal")
                        .paramLabel("SIGNAL")
                        .type(String.class)
                        .defaultValue("TERM")
                        .description("A name or a number; TERM by default.")
                        .build());
        spec.addOption(
                OptionSpec.builder("--whom")
                        .paramLabel("WHOM")
                        .type(String.class)
                        .defaultValue("all")
                        .description("main, or all (the default).")
                        .build());
        return spec.addPositional(
                PositionalParamSpec.builder()
                        .paramLabel("UNIT")
                        .arity("1")
                        .type(String.class)
                        .description("Its name.")
                        .build());
    }

    @Override
    public int run(ParseResult line, Output output) {
        JsonObject ignored =
                ManagerSocket.call(
                        line,
                        "Kill",
                        JsonObject.builder()
                                .put("name", line.matchedPositionalValue(0, ""))
                                .put("signal", line.matchedOptionValue("--signal", "TERM"))
                                .put("whom", line.matchedOptionValue("--whom", "all"))
                                .put(ManagerSocket.INTERACTIVE, true)
                                .build());
        return ExitCode.OK;
    }
}
