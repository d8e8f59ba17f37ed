package io.holdfast.benchmarks;

import io.holdfast.benchmarks.bus.AuthorityRow;
import io.holdfast.benchmarks.bus.BusMemoryRow;
import io.holdfast.benchmarks.bus.BusRow;
import io.holdfast.benchmarks.frame.Conditions;
import io.holdfast.benchmarks.frame.Line;
import io.holdfast.benchmarks.frame.Row;
import io.holdfast.benchmarks.frame.SourceTree;
import io.holdfast.benchmarks.journal.JournalRow;
import io.holdfast.benchmarks.library.CallsRow;
import io.holdfast.benchmarks.library.MembersRow;
import io.holdfast.benchmarks.library.MessagesRow;
import io.holdfast.benchmarks.library.SpawnRow;
import io.holdfast.benchmarks.library.WatchRow;
import io.holdfast.benchmarks.operations.OperationsRow;
import io.holdfast.benchmarks.stack.DaemonRow;
import io.holdfast.benchmarks.stack.HostilityRow;
import io.holdfast.benchmarks.stack.LauncherRow;
import io.holdfast.benchmarks.stack.ManagerRow;
import io.holdfast.benchmarks.stack.StackRow;
import io.holdfast.benchmarks.stack.SurviveRow;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/**
 * The benchmarks: {@code bench [--quick] [ROW…]}, all rows by default. Prints a table and writes it
 * to {@code benchmarks/target/results/}.
 */
public final class Bench {
    private static final List<Row> ROWS =
            List.of(
                    new CallsRow(),
                    new OperationsRow(),
                    SpawnRow.free(),
                    SpawnRow.inCgroup(),
                    new WatchRow(),
                    new MembersRow(),
                    new MessagesRow(),
                    new LauncherRow(),
                    new DaemonRow(),
                    new ManagerRow(),
                    new SurviveRow(),
                    new BusRow(),
                    new BusMemoryRow(),
                    new AuthorityRow(),
                    StackRow.identity(),
                    StackRow.size(),
                    new HostilityRow(),
                    new JournalRow());

    private Bench() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        boolean quick = false;
        List<Row> chosen = new ArrayList<>();
        for (String arg : args) {
            if (arg.equals("--quick")) {
                quick = true;
            } else {
                chosen.add(row(arg));
            }
        }
        run(chosen.isEmpty() ? ROWS : chosen, new Row.Effort(quick));
    }

    private static Row row(String name) {
        for (Row row : ROWS) {
            if (row.name().equals(name)) {
                return row;
            }
        }
        System.err.println(
                "bench: no row "
                        + name
                        + "; there are "
                        + String.join(", ", ROWS.stream().map(Row::name).toList()));
        System.exit(2);
        throw new AssertionError();
    }

    private static void run(List<Row> rows, Row.Effort effort)
            throws IOException, InterruptedException {
        StringBuilder table = new StringBuilder(Conditions.describe());
        if (effort.quick()) {
            table.append("Quick: few rounds, the figures say little.\n\n");
        }
        table.append(Line.HEADER);
        System.out.print(table);
        for (Row row : rows) {
            for (Line line : measure(row, effort)) {
                table.append(line.markdown()).append('\n');
                System.out.println(line.markdown());
            }
        }
        String after = "\n" + Conditions.load() + "\n";
        System.out.print(after);
        write(table.append(after).toString());
    }

    /** Measures one row; if it fails, the other rows still run. */
    private static List<Line> measure(Row row, Row.Effort effort) throws InterruptedException {
        try {
            return row.measure(effort);
        } catch (IOException | RuntimeException e) {
            e.printStackTrace();
            return List.of(Line.skipped(row.name(), "failed: " + e));
        }
    }

    private static void write(String text) throws IOException {
        Path folder = Files.createDirectories(SourceTree.MODULE.resolve("target/results"));
        String time = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString().replace(":", "");
        Path file = Files.writeString(folder.resolve(time + ".md"), text);
        System.err.println("bench: written to " + file);
    }
}
