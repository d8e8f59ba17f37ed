package io.holdfast.cli.service;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.ManagerSocket;
import io.holdfast.cli.output.Output;
import io.holdfast.cli.up.JobText;
import io.holdfast.varlink.json.JsonObject;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/**
 * {@code start}, {@code stop}, {@code restart} and {@code reload}: runs a job for each unit, and
 * waits for the results.
 */
public final class JobCommand implements Command {
    private final String method;
    private final String verb;

    private JobCommand(String method) {
        this.method = method;
        this.verb = method.toLowerCase(java.util.Locale.ROOT);
    }

    public static JobCommand start() {
        return new JobCommand("Start");
    }

    public static JobCommand stop() {
        return new JobCommand("Stop");
    }

    public static JobCommand restart() {
        return new JobCommand("Restart");
    }

    public static JobCommand reload() {
        return new JobCommand("Reload");
    }

    @Override
    public CommandSpec spec() {
        return Grammar.of(this, method + " units, and wait until their jobs are done.")
                .footer(
                        "%nExamples:",
                        "  holdfast " + verb + " redis-server.service",
                        "  holdfast " + verb + " nginx 'postgresql@*'")
                .with(ManagerSocket::addOptions)
                .with(UnitPatterns.parameter("1..*", ""))
                .spec();
    }

    @Override
    public int run(ParseResult line, Output output) {
        return run(line, UnitPatterns.names(line, output), output);
    }

    /** Runs a job for each of these units. */
    int run(ParseResult line, List<String> units, Output output) {
        JsonObject names =
                JsonObject.builder()
                        .putStrings("names", units)
                        .put(ManagerSocket.INTERACTIVE, true)
                        .build();
        int code = ExitCode.OK;
        for (JsonObject job : ManagerSocket.call(line, method, names).objects("results")) {
            String unit = job.string("name");
            job.strings("warnings").forEach(each -> output.warn(unit + ": " + each));
            if (!job.string("result").equals("done")) {
                output.complain("cannot " + verb + " " + unit + ": " + reason(job, line));
                code = ExitCode.FAILURE;
            }
        }
        return code;
    }

    private String reason(JsonObject job, ParseResult line) {
        String unit = job.string("name");
        String result = job.string("result");
        String loadState =
                ManagerSocket.call(line, "Status", JsonObject.of("name", unit))
                        .object("unit")
                        .string("loadState");
        String reason = JobText.of(verb, unit, result, job.optionalString("reason"), loadState);
        return JobText.isInStatus(result) ? reason + "; see: holdfast status " + unit : reason;
    }
}
