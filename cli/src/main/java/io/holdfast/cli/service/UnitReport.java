package io.holdfast.cli.service;

import io.holdfast.cli.command.ManagerSocket;
import io.holdfast.cli.output.AgeText;
import io.holdfast.cli.output.Ellipsis;
import io.holdfast.cli.output.MemoryText;
import io.holdfast.cli.output.Output;
import io.holdfast.cli.output.TimeText;
import io.holdfast.cli.up.JournalPlace;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.scope.Guarantee;
import io.holdfast.manager.resource.ResourceUsage;
import io.holdfast.varlink.json.JsonObject;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.LongFunction;
import java.util.stream.Stream;
import picocli.CommandLine.ParseResult;

/**
 * Prints the status of one unit, with its processes, its diagnostics, and its last lines of output.
 */
final class UnitReport {
    /** The option that lists diagnostics. */
    static final String WARNINGS = "--warnings";

    private static final double NANOS = 1e9;
    private static final int LINES = 10;
    private static final int ERRORS = 10;
    private static final int TITLE = 11;
    private static final int VALUE = TITLE + 2; // the column of the values
    private static final String LOG_READERS =
            "only root, the unit's user and members of the groups adm and systemd-journal may read it";

    /** Between a directive and the reason why it has no effect here. */
    private static final String NOT_APPLIED = " is not applied: ";

    private static final String OUTDATED =
            "the unit files have changed on disk; to load them run: holdfast daemon-reload";

    private final OptionalInt width;
    private final Output output;

    /**
     * Prints to an output.
     *
     * @param width the width of a line, to which command lines and lines of output are shortened;
     *     empty for no limit
     */
    UnitReport(OptionalInt width, Output output) {
        this.width = width;
        this.output = output;
    }

    /** Prints the status of a unit. */
    void print(ParseResult line, JsonObject unit) {
        boolean listWarnings = line.hasMatchedOption(WARNINGS);
        output.line(
                dot(unit),
                " ",
                output.strong(unit.string("name")),
                " - ",
                unit.string("description"));
        row(
                "Loaded",
                unit.string("loadState")
                        + unit.optionalString("fragment")
                                .map(path -> " (" + path + ")")
                                .orElse(""));
        unit.strings("dropIns").forEach(path -> row("Drop-in", path));
        if (unit.bool("outdated", false)) {
            row("Changed", output.warning(OUTDATED));
        }
        unit.optionalStrings("missing")
                .ifPresent(lines -> lines.forEach(each -> row("Missing", output.bad(each))));
        row(
                "Active",
                unit.string("activeState") + " (" + unit.string("subState") + ")" + since(unit));
        if (!unit.string("result").equals("success")) {
            row("Result", unit.string("result"));
        }
        unit.optionalObject("mainProcess").ifPresent(id -> row("Main", process(id)));
        unit.optionalString("mainExit").ifPresent(exit -> row("Last main", exit));
        String title = unit.string("activeState").equals("failed") ? "Failure" : "Reason";
        unit.optionalString("failure").ifPresent(why -> row(title, why));
        unit.optionalString("statusText").ifPresent(text -> row("Status", text));
        if (unit.integer("restarts") > 0) {
            row("Restarts", Long.toString(unit.integer("restarts")));
        }
        unit.optionalString("invocationId").ifPresent(id -> row("Invocation", id));
        Optional<String> cgroup = unit.optionalString("cgroup");
        cgroup.ifPresent(this::cgroup);
        unit.optionalInteger("bytesReceived")
                .ifPresent(received ->
                        row(
                                "IP",
                                MemoryText.of(received)
                                        + " received, "
                                        + MemoryText.of(unit.integer("bytesSent"))
                                        + " sent"));
        if (cgroup.isEmpty() && unit.optionalObject("mainProcess").isPresent()) {
            row("Tracked", Guarantee.SUBREAPER.text());
        }
        for (JsonObject process : unit.objects("processes")) {
            row("", fitted(process(process.object("id")) + "  " + process.string("commandLine")));
        }
        showDiagnostics(unit, listWarnings, verify(line, unit));
        if (unit.bool("logDenied", false)) {
            row("Log", "not shown: " + LOG_READERS);
        }
        List<String> kept = unit.strings("log");
        List<String> log =
                kept.isEmpty()
                        ? JournaledLines.last(
                                JournalPlace.of(ManagerSocket.options(line)),
                                unit.string("name"),
                                LINES)
                        : kept;
        if (!log.isEmpty()) {
            output.line("");
            log.subList(Math.max(0, log.size() - LINES), log.size())
                    .forEach(each -> output.line(shortened(each, 0)));
        }
    }

    /** Prints what a cgroup uses, as far as the kernel counts it, and its path. */
    private void cgroup(String path) {
        try (Cgroup cgroup = Cgroup.open(path)) {
            ResourceUsage usage = ResourceUsage.of(cgroup.fd(), false);
            if (usage.tasks() >= 0) {
                row("Tasks", usage.tasks() + limit(cgroup, "pids.max", Long::toString));
            }
            if (usage.memory() >= 0) {
                String peak =
                        usage.memoryPeak() < 0
                                ? ""
                                : ", at most " + MemoryText.of(usage.memoryPeak()) + " so far";
                row(
                        "Memory",
                        MemoryText.of(usage.memory())
                                + peak
                                + limit(cgroup, "memory.max", MemoryText::of));
            }
            if (usage.cpuNanos() >= 0) {
                row("CPU", String.format(Locale.ROOT, "%.3f s", usage.cpuNanos() / NANOS));
            }
            if (usage.readBytes() >= 0) {
                row(
                        "IO",
                        MemoryText.of(usage.readBytes())
                                + " read, "
                                + MemoryText.of(usage.writtenBytes())
                                + " written");
            }
        } catch (ErrnoException e) {
            // it is gone, or in a cgroup namespace that is not ours
        }
        row("Cgroup", path);
    }

    private static String limit(Cgroup cgroup, String file, LongFunction<String> text) {
        try {
            String limit = cgroup.read(file);
            return limit.equals("max") ? "" : " (limit " + text.apply(Long.parseLong(limit)) + ")";
        } catch (ErrnoException | NumberFormatException e) {
            return "";
        }
    }

    /**
     * Returns the command that lists all findings about the unit: with the path of its file, if its
     * name would not find it.
     */
    private static String verify(ParseResult line, JsonObject unit) {
        Optional<Path> fragment = unit.optionalString("fragment").map(Path::of);
        boolean byName =
                fragment.map(Path::getParent)
                        .map(ManagerSocket.options(line).loadPath().folders()::contains)
                        .orElse(true);
        return "holdfast verify "
                + (byName ? unit.string("name") : fragment.map(Path::toString).orElse(""));
    }

    private void showDiagnostics(JsonObject unit, boolean listWarnings, String verify) {
        List<JsonObject> errors = new ArrayList<>();
        List<JsonObject> security = new ArrayList<>();
        List<JsonObject> others = new ArrayList<>();
        for (JsonObject each : unit.objects("diagnostics")) {
            boolean isError = each.string("severity").equals("error");
            (isError ? errors : each.bool("security") ? security : others).add(each);
        }
        errors.stream().limit(ERRORS).forEach(each -> row("Error", text(each)));
        if (errors.size() > ERRORS) {
            row("Errors", errors.size() + " in all; --json lists them");
        }
        int count = security.size() + others.size();
        if (listWarnings) {
            security.forEach(each -> row("Security", text(each)));
            others.forEach(each -> row("Warning", text(each)));
        } else if (count > 0) {
            unapplied(security, others)
                    .forEach((why, directives) ->
                            row("Not applied", String.join(", ", directives) + ": " + why));
            String more = security.isEmpty() ? "" : ", " + security.size() + " of them security";
            String list = ": " + verify;
            row("Warnings", security.isEmpty() ? count : output.warning(count + more), list);
        }
    }

    /** Returns the directives that are not applied here, by the reason why. */
    private static Map<String, List<String>> unapplied(
            List<JsonObject> security, List<JsonObject> others) {
        Map<String, List<String>> directives = new LinkedHashMap<>();
        Stream.concat(security.stream(), others.stream())
                .map(each -> each.string("message").split(NOT_APPLIED, 2))
                .filter(parts -> parts.length == 2)
                .forEach(parts -> {
                    boolean _ =
                            directives
                                    .computeIfAbsent(parts[1], _ -> new ArrayList<>())
                                    .add(parts[0]);
                });
        return directives;
    }

    /** Shortens a value to fit into its row. */
    private String fitted(String value) {
        return shortened(value, VALUE);
    }

    private String shortened(String text, int indent) {
        return width.isEmpty()
                ? text
                : Ellipsis.middle(text, Math.max(1, width.getAsInt() - indent));
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
        return " since " + TimeText.of(since) + "; " + AgeText.of(since) + " ago";
    }

    private void row(String title, Object value) {
        row(title, value, "");
    }

    private void row(String title, Object value, String detail) {
        output.line(
                " ".repeat(Math.max(0, TITLE - title.length())) + title,
                title.isEmpty() ? "  " : ": ",
                value,
                detail);
    }

    /** Returns the symbol of a unit's state, which differs without colours, too. */
    static Output.Styled dot(JsonObject unit) {
        return switch (unit.string("activeState")) {
            case "active" -> Output.styled("●", "32");
            case "reloading" -> Output.styled("↻", "32");
            case "activating", "deactivating" -> Output.styled("↻", "33");
            case "failed" -> Output.styled("×", "31");
            default -> Output.styled("○", "37");
        };
    }
}
