package io.holdfast.cli.service;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.HostInit;
import io.holdfast.cli.command.ManagerSocket;
import io.holdfast.cli.output.Output;
import io.holdfast.varlink.json.JsonObject;
import java.util.List;
import java.util.OptionalInt;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Shows all units in a table, or some of them with their processes and last lines of output. */
public final class StatusCommand implements Command {
    /** The exit codes of {@code systemctl status}. */
    private static final int NOT_ACTIVE = 3;

    private static final int NO_SUCH_UNIT = 4;
    private static final String FULL = "--full";
    private static final String FAILED = "--failed";

    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "List all units, or show the status of some units.")
                .description(
                        "%nOn a terminal, names, descriptions, command lines and lines of output"
                                + " are shortened to the terminal width.%n")
                .footer(
                        "%nExit codes: 0 active, 3 not active, 4 no such unit; of several units,"
                                + " the first code that is not 0.",
                        "%nExamples:",
                        "  holdfast status",
                        "  holdfast status --failed",
                        "  holdfast status redis-server.service",
                        "  holdfast status nginx 'postgresql@*'",
                        "  holdfast status --warnings redis-server.service",
                        "  holdfast status --json redis-server.service")
                .with(ManagerSocket::addOptions)
                .flag("--json", "Print JSON: one object with all units, or one object per UNIT.")
                .flag(FULL, "Do not shorten lines.")
                .flag(FAILED, "List only the units that have failed.")
                .flag(
                        UnitReport.WARNINGS,
                        "List the warnings about the unit files, such as unsupported directives,"
                                + " those about security first.")
                .with(UnitPatterns.parameter("0..*", "list all units"))
                .spec();
    }

    @Override
    public int run(ParseResult line, Output output) {
        List<String> words = line.matchedPositionalValue(0, List.of());
        OptionalInt width = line.hasMatchedOption(FULL) ? OptionalInt.empty() : output.width();
        if (words.isEmpty()) {
            if (line.hasMatchedOption(UnitReport.WARNINGS)) {
                throw Command.misuse(line, UnitReport.WARNINGS + " needs a UNIT");
            }
            return list(line, width, output);
        }
        if (line.hasMatchedOption(FAILED)) {
            throw Command.misuse(line, FAILED + " takes no UNIT");
        }
        boolean json = line.hasMatchedOption("--json");
        UnitReport report = new UnitReport(width, output);
        int code = ExitCode.OK;
        boolean first = true;
        for (String word : words) {
            List<String> names =
                    UnitPatterns.isPattern(word)
                            ? UnitPatterns.matching(word, UnitPatterns.loaded(line))
                            : List.of(word);
            if (names.isEmpty()) {
                output.complain(UnitPatterns.noMatch(word));
                code = code == ExitCode.OK ? NO_SUCH_UNIT : code;
            }
            for (String name : names) {
                JsonObject unit =
                        ManagerSocket.call(line, "Status", JsonObject.of("name", name))
                                .object("unit");
                if (json) {
                    output.line(unit.toString());
                } else {
                    if (!first) {
                        output.line("");
                    }
                    report.print(line, unit);
                }
                first = false;
                code = code == ExitCode.OK ? code(unit) : code;
            }
        }
        return code;
    }

    private static int list(ParseResult line, OptionalInt width, Output output) {
        List<JsonObject> units =
                ManagerSocket.call(line, "List", JsonObject.EMPTY).objects("units");
        if (line.hasMatchedOption(FAILED)) {
            units =
                    units.stream()
                            .filter(unit -> unit.string("activeState").equals("failed"))
                            .toList();
        }
        if (line.hasMatchedOption("--json")) {
            output.line(JsonObject.builder().put("units", units).build().toString());
            return ExitCode.OK;
        }
        UnitList.print(units, width, output);
        if (line.hasMatchedOption(FAILED)) {
            if (units.isEmpty()) {
                output.line("no unit has failed");
            }
            return ExitCode.OK;
        }
        UnitList.printCrashes(ManagerSocket.call(line, "Predecessors", JsonObject.EMPTY), output);
        if (HostInit.isSystemd()) {
            output.line("");
            output.line(output.faint("systemd runs this machine; systemctl lists its units"));
        }
        return ExitCode.OK;
    }

    private static int code(JsonObject unit) {
        if (unit.string("loadState").equals("not-found")) {
            return NO_SUCH_UNIT;
        }
        String state = unit.string("activeState");
        return state.equals("active") || state.equals("reloading") ? ExitCode.OK : NOT_ACTIVE;
    }
}
