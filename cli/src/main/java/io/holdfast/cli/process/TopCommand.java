package io.holdfast.cli.process;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.output.JsonText;
import io.holdfast.cli.output.MemoryText;
import io.holdfast.cli.output.Output;
import io.holdfast.core.process.Cgroup;
import io.holdfast.manager.resource.ResourceUsage;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Lists the cgroups by what they use: on a terminal again and again, elsewhere once. */
public final class TopCommand implements Command {
    private static final String DELAY = "--delay";
    private static final String BY = "--by";
    private static final String LINES = "--lines";
    private static final String UNKNOWN = "-";
    private static final String CLEAR = "\033[H\033[2J";
    private static final int USUAL_LINES = 20;
    private static final int MAX_SECONDS = 3600;

    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "List cgroups by CPU time, memory, tasks and IO.")
                .description(
                        "%nOn a terminal, the table is shown again after each interval, until"
                                + " Ctrl-C; elsewhere it is printed once, after one interval. CPU"
                                + " is in percent of one CPU. A dash means that the kernel does not"
                                + " count that: the cgroup lacks the controller.%n")
                .footer("%nExamples:", "  holdfast top", "  holdfast top --by memory /system.slice")
                .option(DELAY + " SECONDS", Integer.class, "The interval; by default one second.")
                .option(
                        BY + " WHAT",
                        List.of("cpu", "memory", "tasks", "io", "path"),
                        "The order: cpu, memory, tasks, io or path; by default cpu.")
                .option(
                        LINES + " NUMBER",
                        Integer.class,
                        "How many cgroups are listed; by default 20.")
                .json("Print one JSON object per cgroup, once.")
                .argument(
                        "CGROUP", "0..1", "The path of the uppermost cgroup; by default the root.")
                .spec();
    }

    /** One line of the table: the use of a cgroup in an interval. */
    private record Row(CgroupSample.Entry entry, double cpu, double read, double written) {
        static Row of(CgroupSample.Entry now, CgroupSample.Entry before, double seconds) {
            ResourceUsage a = before.usage();
            ResourceUsage b = now.usage();
            return new Row(
                    now,
                    rate(a.cpuNanos(), b.cpuNanos(), seconds) * 100 / TimeUnit.SECONDS.toNanos(1),
                    rate(a.readBytes(), b.readBytes(), seconds),
                    rate(a.writtenBytes(), b.writtenBytes(), seconds));
        }

        /** Returns the growth per second; negative if it is not known. */
        private static double rate(long before, long now, double seconds) {
            return before < 0 || now < 0 ? -1 : Math.max(0, now - before) / seconds;
        }
    }

    @Override
    public int run(ParseResult line, Output output) throws InterruptedException {
        int seconds = number(line, DELAY, 1, MAX_SECONDS);
        int lines = number(line, LINES, USUAL_LINES, Integer.MAX_VALUE);
        String by = line.matchedOptionValue(BY, "cpu");
        boolean json = line.hasMatchedOption("--json");
        String path = line.matchedPositionalValue(0, "/");
        try (Cgroup top = Cgroup.open(path)) {
            CgroupSample before = CgroupSample.of(top);
            do {
                Thread.sleep(TimeUnit.SECONDS.toMillis(seconds));
                CgroupSample now = CgroupSample.of(top);
                List<Row> rows = rows(before, now, by).stream().limit(lines).toList();
                if (json) {
                    rows.forEach(row -> output.line(json(row)));
                } else {
                    print(rows, output);
                }
                before = now;
            } while (output.isTerminal() && !json);
        }
        return ExitCode.OK;
    }

    private static int number(ParseResult line, String option, int otherwise, int most) {
        int value = line.matchedOptionValue(option, otherwise);
        if (value < 1 || value > most) {
            throw Command.misuse(
                    line, option + ": " + value + " is not a number from 1 to " + most);
        }
        return value;
    }

    private static List<Row> rows(CgroupSample before, CgroupSample now, String by) {
        double seconds = (double) (now.time() - before.time()) / TimeUnit.SECONDS.toNanos(1);
        List<Row> rows = new ArrayList<>();
        now.entries()
                .forEach((id, entry) ->
                        rows.add(Row.of(entry, before.entries().getOrDefault(id, entry), seconds)));
        rows.sort(order(by).thenComparing(row -> row.entry().path()));
        return rows;
    }

    private static Comparator<Row> order(String by) {
        ToDoubleFunction<Row> most =
                switch (by) {
                    case "memory" -> row -> row.entry().usage().memory();
                    case "tasks" -> row -> row.entry().tasks();
                    case "io" -> row -> row.read() + row.written();
                    case "path" -> _ -> 0;
                    default -> Row::cpu;
                };
        return Comparator.comparingDouble(most).reversed();
    }

    private static void print(List<Row> rows, Output output) {
        if (output.isTerminal()) {
            output.printTrusted(CLEAR);
        }
        output.line(
                output.strong(
                        "%7s %6s %10s %12s %12s  %s"
                                .formatted(
                                        "TASKS",
                                        "CPU%",
                                        "MEMORY",
                                        "READ/s",
                                        "WRITTEN/s",
                                        "CGROUP")));
        for (Row row : rows) {
            output.line(
                    String.format(
                            Locale.ROOT,
                            "%7d %6s %10s %12s %12s  %s",
                            row.entry().tasks(),
                            row.cpu() < 0 ? UNKNOWN : String.format(Locale.ROOT, "%.1f", row.cpu()),
                            bytes((double) row.entry().usage().memory()),
                            bytes(row.read()),
                            bytes(row.written()),
                            row.entry().path()));
        }
        output.flush();
    }

    private static String bytes(double amount) {
        return amount < 0 ? UNKNOWN : MemoryText.of(Math.round(amount));
    }

    private static JsonText json(Row row) {
        ResourceUsage usage = row.entry().usage();
        return JsonText.object()
                .put("cgroup", row.entry().path())
                .put("tasks", row.entry().tasks())
                .put("cpuNanos", usage.cpuNanos())
                .put("memory", usage.memory())
                .put("memoryPeak", usage.memoryPeak())
                .put("readBytes", usage.readBytes())
                .put("writtenBytes", usage.writtenBytes());
    }
}
