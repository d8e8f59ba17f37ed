package io.holdfast.cli.service;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.output.Output;
import io.holdfast.core.Signal;
import io.holdfast.varlink.json.JsonObject;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** Sends a signal to the processes of a unit. */
public final class KillCommand implements Command {
    private static final List<String> WHOM = List.of("main", "all");

    @Override
    public CommandSpec spec() {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
        spec.usageMessage()
                .header("Send a signal to the processes of units, by pidfd.")
                .footer(
                        "%nExamples:",
                        "  holdfast kill redis-server.service",
                        "  holdfast kill --signal HUP --whom main nginx.service",
                        "  holdfast kill cron.service 'worker@*'");
        ManagerSocket.addOptions(spec);
        spec.addOption(
                OptionSpec.builder("-s", "--signal")
                        .paramLabel("SIGNAL")
                        .type(String.class)
                        .defaultValue("TERM")
                        .description("A signal name or number (default: TERM).")
                        .build());
        spec.addOption(
                OptionSpec.builder("--whom")
                        .paramLabel("WHOM")
                        .type(String.class)
                        .defaultValue("all")
                        .completionCandidates(WHOM)
                        .description("The processes to signal: main or all (default: all).")
                        .build());
        return spec.addPositional(UnitPatterns.parameter("1..*", ""));
    }

    @Override
    public int run(ParseResult line, Output output) {
        String signal = line.matchedOptionValue("--signal", "TERM");
        String whom = line.matchedOptionValue("--whom", "all");
        if (!WHOM.contains(whom)) {
            throw Command.misuse(line, "--whom is main or all, not '" + whom + "'");
        }
        try {
            Signal ignored = Signal.of(signal);
        } catch (IllegalArgumentException e) {
            throw Command.misuse(
                    line,
                    "not a signal: '" + signal + "'; expected a name, or a number from 0 to 64");
        }
        int code = ExitCode.OK;
        for (String unit : UnitPatterns.names(line, output)) {
            try {
                JsonObject ignored =
                        ManagerSocket.call(
                                line,
                                "Kill",
                                JsonObject.builder()
                                        .put("name", unit)
                                        .put("signal", signal)
                                        .put("whom", whom)
                                        .put(ManagerSocket.INTERACTIVE, true)
                                        .build());
            } catch (CommandException e) {
                output.complain(String.valueOf(e.getMessage())); // the others are signalled
                code = e.exitCode();
            }
        }
        return code;
    }
}
