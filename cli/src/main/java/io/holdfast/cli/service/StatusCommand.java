package io.holdfast.cli.service;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.output.Output;
import io.holdfast.varlink.JsonObject;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/** Shows all units in a table, or one unit with its processes and its last lines of output. */
public final class StatusCommand implements Command {
    /** As {@code systemctl status} has them. */
    private static final int NOT_ACTIVE = 3;

    private static final int NO_SUCH_UNIT = 4;
    private static final int LINES = 10;
    private static final int ERRORS = 10;
    private static final String WARNINGS = "--warnings";
    private static final String LOG_READERS =
            "only root, the unit's user and members of the groups adm and systemd-journal may read it";

    @Override
    public CommandSpec spec() {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
        spec.usageMessage()
                .header("Show the state of all units, or of one.")
                .footer(
                        "%nExit codes: 0 active, 3 not active, 4 no such unit.",
                        "%nExamples:",
                        "  holdfast status",
                        "  holdfast status redis-server.service",
                        "  holdfast status --warnings redis-server.service",
                        "  holdfast status --json redis-server.service");
        ManagerSocket.addOptions(spec);
        spec.addOption(OptionSpec.builder("--json").description("As JSON.").build());
        spec.addOption(
                Command.flag(
                        WARNINGS,
                        "List what the unit's files ask for and the manager does not do, the security"
                                + " of the unit first."));
        return spec.addPositional(
                PositionalParamSpec.builder()
                        .paramLabel("UNIT")
                        .arity("0..1")
                        .type(String.class)
                        .description("Its name.")
                        .build());
    }

    @Override
    public int run(ParseResult line, Output output) {
        boolean json = line.hasMatchedOption("--json");
        String name = line.matchedPositionalValue(0, "");
        if (name.isEmpty() && line.hasMatchedOption(WARNINGS)) {
            throw Command.misuse(line, WARNINGS + " needs a UNIT");
        }
        if (name.isEmpty()) {
            JsonObject all = ManagerSocket.call(line, "List", JsonObject.EMPTY);
            if (json) {
                output.line(all.toString());
            } else {
                list(all.objects("units"), output);
                tellCrashes(ManagerSocket.call(line, "Predecessors", JsonObject.EMPTY), output);
            }
            return ExitCode.OK;
        }
        JsonObject unit =
                ManagerSocket.call(line, "Status", JsonObject.of("name", name)).object("unit");
        if (json) {
            output.line(unit.toString());
        } else {
            show(line, unit, output);
        }
        if (unit.string("loadState").equals("not-found")) {
            return NO_SUCH_UNIT;
        }
        String state = unit.string("activeState");
        return state.equals("active") || state.equals("reloading") ? ExitCode.OK : NOT_ACTIVE;
    }

    private static void list(List<JsonObject> units, Output output) {
        int width = units.stream().mapToInt(unit -> unit.string("name").length()).max().orElse(0);
        for (JsonObject unit : units) {
            output.line(
                    dot(unit),
                    " " + pad(unit.string("name"), width) + "  ",
                    pad(unit.string("activeState"), 12) + " ",
                    pad(unit.string("subState"), 13) + " ",
                    unit.string("description"));
        }
    }

    private static void tellCrashes(JsonObject before, Output output) {
        long crashes = before.integer("crashes");
        if (crashes == 0) {
            return;
        }
        Instant last = Instant.ofEpochMilli(before.integer("lastCrash") / 1000);
        output.line("");
        output.line(
                output.warning(
                        (crashes == 1 ? "a manager has" : crashes + " managers have")
                                + " ended without being told to"),
                ", the last "
                        + ago(Duration.between(last, Instant.now()))
                        + " ago"
                        + before.optionalString("how").map(how -> " (" + how + ")").orElse("")
                        + ": took "
                        + (before.integer("takenBack") == 1
                                ? "one unit"
                                : before.integer("takenBack") + " units")
                        + " back");
    }

    private static void show(ParseResult line, JsonObject unit, Output output) {
        boolean listWarnings = line.hasMatchedOption(WARNINGS);
        output.line(
                dot(unit),
                " ",
                output.strong(unit.string("name")),
                " - ",
                unit.string("description"));
        row(
                output,
                "Loaded",
                unit.string("loadState")
                        + unit.optionalString("fragment")
                                .map(path -> " (" + path + ")")
                                .orElse(""));
        unit.strings("dropIns").forEach(path -> row(output, "Drop-in", path));
        row(
                output,
                "Active",
                unit.string("activeState") + " (" + unit.string("subState") + ")" + since(unit));
        if (!unit.string("result").equals("success")) {
            row(output, "Result", unit.string("result"));
        }
        unit.optionalObject("mainProcess").ifPresent(id -> row(output, "Main", process(id)));
        unit.optionalString("mainExit").ifPresent(exit -> row(output, "Last main", exit));
        String title = unit.string("activeState").equals("failed") ? "Failure" : "Reason";
        unit.optionalString("failure").ifPresent(why -> row(output, title, why));
        unit.optionalString("statusText").ifPresent(text -> row(output, "Says", text));
        if (unit.integer("restarts") > 0) {
            row(output, "Restarts", Long.toString(unit.integer("restarts")));
        }
        unit.optionalString("invocationId").ifPresent(id -> row(output, "Invocation", id));
        unit.optionalString("cgroup").ifPresent(path -> row(output, "Cgroup", path));
        for (JsonObject process : unit.objects("processes")) {
            row(output, "", process(process.object("id")) + "  " + process.string("commandLine"));
        }
        showDiagnostics(unit, listWarnings, verify(line, unit), output);
        if (unit.bool("logDenied", false)) {
            row(output, "Log", "not shown: " + LOG_READERS);
        }
        List<String> log = unit.strings("log");
        if (!log.isEmpty()) {
            output.line("");
            log.subList(Math.max(0, log.size() - LINES), log.size()).forEach(output::line);
        }
    }

    /** The command that tells more: by its file, where its name would not find it. */
    private static String verify(ParseResult line, JsonObject unit) {
        Optional<Path> fragment = unit.optionalString("fragment").map(Path::of);
        boolean byName =
                fragment.map(Path::getParent)
                        .map(ManagerSocket.options(line).loadPath().folders()::contains)
                        .orElse(true);
        return "holdfast verify "
                + (byName ? unit.string("name") : fragment.map(Path::toString).orElse(""));
    }

    private static void showDiagnostics(
            JsonObject unit, boolean listWarnings, String verify, Output output) {
        List<JsonObject> errors = new ArrayList<>();
        List<JsonObject> security = new ArrayList<>();
        List<JsonObject> others = new ArrayList<>();
        for (JsonObject each : unit.objects("diagnostics")) {
            boolean isError = each.string("severity").equals("error");
            (isError ? errors : each.bool("security") ? security : others).add(each);
        }
        errors.stream().limit(ERRORS).forEach(each -> row(output, "Error", text(each)));
        if (errors.size() > ERRORS) {
            row(output, "Errors", errors.size() + " in all; --json lists them");
        }
        int count = security.size() + others.size();
        if (listWarnings) {
            security.forEach(each -> row(output, "Security", text(each)));
            others.forEach(each -> row(output, "Warning", text(each)));
        } else if (count > 0) {
            String more = security.isEmpty() ? "" : ", " + security.size() + " of them security";
            String list = ": " + verify;
            row(
                    output,
                    "Warnings",
                    security.isEmpty() ? count : output.warning(count + more),
                    list);
        }
    }

    private static String text(JsonObject diagnostic) {
        return diagnostic.string("place")
                + ": "
                + diagnostic.string("message")
                + diagnostic.optionalString("cost").map(cost -> ": " + cost).orElse("");
    }

    private static String process(JsonObject id) {
        return id.integer("pid")
                + (id.optionalInteger("pidfdId").isPresent()
                        ? ":" + Long.toUnsignedString(id.integer("pidfdId"))
                        : "");
    }

    private static String since(JsonObject unit) {
        long micros = unit.integer("since");
        if (micros == 0) {
            return "";
        }
        Instant since = Instant.ofEpochMilli(micros / 1000);
        Duration age = Duration.between(since, Instant.now());
        return " since " + since + "; " + ago(age) + " ago";
    }

    private static String ago(Duration age) {
        return age.toDays() > 0
                ? age.toDays() + " d " + age.toHoursPart() + " h"
                : age.toHours() > 0
                        ? age.toHours() + " h " + age.toMinutesPart() + " min"
                        : age.toMinutes() > 0
                                ? age.toMinutes() + " min " + age.toSecondsPart() + " s"
                                : Math.max(0, age.toSeconds()) + " s";
    }

    private static void row(Output output, String title, Object value) {
        row(output, title, value, "");
    }

    private static void row(Output output, String title, Object value, String rest) {
        output.line(
                " ".repeat(Math.max(0, 11 - title.length())) + title,
                title.isEmpty() ? "  " : ": ",
                value,
                rest);
    }

    private static Output.Styled dot(JsonObject unit) {
        String colour =
                switch (unit.string("activeState")) {
                    case "active", "reloading" -> "32";
                    case "failed" -> "31";
                    default -> "37";
                };
        return Output.styled("●", colour);
    }

    private static String pad(String text, int width) {
        return text + " ".repeat(Math.max(0, width - text.length()));
    }
}
