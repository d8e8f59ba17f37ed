package io.holdfast.cli.service;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.ManagerSocket;
import io.holdfast.cli.output.Output;
import io.holdfast.cli.output.TimeText;
import io.holdfast.varlink.json.JsonObject;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Lists the timers in a table, the one that elapses next first. */
public final class TimersCommand implements Command {
    private static final long MICROS_PER_MILLI = 1000;
    private static final String NONE = "-";

    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "List all timers, with the time of their next start.")
                .description(
                        "%nA timer starts its unit at that time or, within its AccuracySec=,"
                                + " later.%n")
                .footer("%nExamples:", "  holdfast timers", "  holdfast timers --json")
                .with(ManagerSocket::addOptions)
                .flag("--json", "Print JSON: one object with all timers.")
                .spec();
    }

    @Override
    public int run(ParseResult line, Output output) {
        List<JsonObject> timers =
                new ArrayList<>(
                        ManagerSocket.call(line, "Timers", JsonObject.EMPTY).objects("timers"));
        timers.sort(
                Comparator.comparingLong((JsonObject timer) ->
                                timer.optionalInteger("next").orElse(Long.MAX_VALUE))
                        .thenComparing(timer -> timer.string("name")));
        if (line.hasMatchedOption("--json")) {
            output.line(JsonObject.builder().put("timers", timers).build().toString());
            return ExitCode.OK;
        }
        if (timers.isEmpty()) {
            output.line("no timer is loaded");
            return ExitCode.OK;
        }
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("NEXT", "LAST", "TIMER", "STARTS"));
        for (JsonObject timer : timers) {
            rows.add(
                    List.of(
                            time(timer.optionalInteger("next")),
                            time(timer.optionalInteger("last")),
                            timer.string("name"),
                            timer.string("unit")));
        }
        print(rows, output);
        return ExitCode.OK;
    }

    private static String time(OptionalLong micros) {
        return micros.isEmpty()
                ? NONE
                : TimeText.of(Instant.ofEpochMilli(micros.getAsLong() / MICROS_PER_MILLI));
    }

    private static void print(List<List<String>> rows, Output output) {
        int columns = rows.getFirst().size();
        for (List<String> row : rows) {
            StringBuilder text = new StringBuilder();
            for (int column = 0; column < columns - 1; column++) {
                int at = column;
                int width = rows.stream().mapToInt(one -> one.get(at).length()).max().orElse(0);
                text.append(row.get(column))
                        .append(" ".repeat(width - row.get(column).length() + 2));
            }
            output.line(text + row.get(columns - 1));
        }
    }
}
