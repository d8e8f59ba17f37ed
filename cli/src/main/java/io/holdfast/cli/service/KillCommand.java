package io.holdfast.cli.service;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.ManagerSocket;
import io.holdfast.cli.output.Output;
import io.holdfast.core.Signal;
import io.holdfast.varlink.json.JsonObject;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Sends a signal to the processes of a unit. */
public final class KillCommand implements Command {
    private static final List<String> WHOM = List.of("main", "all");

    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "Send a signal to the processes of units, by pidfd.")
                .footer(
                        "%nExamples:",
                        "  holdfast kill redis-server.service",
                        "  holdfast kill --signal HUP --whom main nginx.service",
                        "  holdfast kill cron.service 'worker@*'")
                .with(ManagerSocket::addOptions)
                .option("-s --signal SIGNAL", "A signal name or number (default: TERM).")
                .option("--whom WHOM", WHOM, "The processes to signal: main or all (default: all).")
                .with(UnitPatterns.parameter("1..*", ""))
                .spec();
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
