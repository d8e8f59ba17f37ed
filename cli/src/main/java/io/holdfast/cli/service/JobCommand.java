package io.holdfast.cli.service;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.output.Output;
import io.holdfast.varlink.json.JsonObject;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
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
        CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
        spec.usageMessage()
                .header(method + " units, and wait until their jobs are done.")
                .footer("%nExamples:", "  holdfast " + verb + " redis-server.service");
        ManagerSocket.addOptions(spec);
        return spec.addPositional(
                PositionalParamSpec.builder()
                        .paramLabel("UNIT")
                        .required(true)
                        .arity("1..*")
                        .type(List.class)
                        .auxiliaryTypes(String.class)
                        .description("Unit names; .service is appended to a name without suffix.")
                        .build());
    }

    @Override
    public int run(ParseResult line, Output output) {
        List<String> units = line.matchedPositionalValue(0, List.of());
        JsonObject names =
                JsonObject.builder()
                        .putStrings("names", units)
                        .put(ManagerSocket.INTERACTIVE, true)
                        .build();
        int code = ExitCode.OK;
        for (JsonObject job : ManagerSocket.call(line, method, names).objects("results")) {
            String result = job.string("result");
            if (!result.equals("done")) {
                output.complain("cannot " + verb + " " + reason(job.string("name"), result, line));
                code = ExitCode.FAILURE;
            }
        }
        return code;
    }

    private String reason(String unit, String result, ParseResult line) {
        JsonObject status =
                ManagerSocket.call(line, "Status", JsonObject.of("name", unit)).object("unit");
        String loadState = status.string("loadState");
        String why = status.optionalString("failure").map(text -> ": " + text).orElse("");
        String reason = unit + ": " + JobText.of(verb, result, loadState) + why;
        return loadState.equals(JobText.NOT_FOUND)
                ? reason
                : reason + "; see: holdfast status " + unit;
    }
}
