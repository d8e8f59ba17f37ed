package io.holdfast.benchmarks.operations;

import static java.util.Objects.requireNonNull;

import io.holdfast.benchmarks.frame.Line;
import io.holdfast.benchmarks.frame.Row;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Single operations of the hot paths, measured by JMH: time and allocated bytes of each. */
public final class OperationsRow implements Row {
    /**
     * @param allocatesNothing whether it is on the path of each message or event, and must not
     *     allocate
     */
    private record Operation(Class<?> of, String method, String what, boolean allocatesNothing) {}

    private static final List<Operation> OPERATIONS =
            List.of(
                    new Operation(PidFdOperations.class, "info", "`info()`", false),
                    new Operation(PidFdOperations.class, "isAlive", "`isAlive()`", true),
                    new Operation(PidFdOperations.class, "signal", "`signal(0)`", true),
                    new Operation(LoopOperations.class, "turn", "event loop: one event", true),
                    new Operation(
                            SocketOperations.class,
                            "sendAndReceive",
                            "`UnixSocket`: 1 KiB sent and received",
                            true),
                    new Operation(
                            MessageOperations.class,
                            "sameHeader",
                            "D-Bus message read, header as the last one",
                            true),
                    new Operation(
                            MessageOperations.class,
                            "otherHeader",
                            "D-Bus message read, another header",
                            true),
                    new Operation(
                            BusOperations.class,
                            "signal",
                            "bus: a signal to one match rule, of 64 at once",
                            true),
                    new Operation(
                            TextOperations.class, "unitOfCgroup", "unit of a cgroup path", false),
                    new Operation(
                            TextOperations.class, "varlinkCall", "Varlink call parsed", false));

    private static final int FORKS = 2;
    private static final int WARM_UP = 2;
    private static final int ITERATIONS = 3;
    private static final int MILLISECONDS = 1_000; // an iteration
    private static final String ALLOCATED = "gc.alloc.rate.norm";

    @Override
    public String name() {
        return "operations";
    }

    @Override
    public List<Line> measure(Effort effort) throws IOException {
        List<Line> lines = new ArrayList<>();
        for (Operation operation : OPERATIONS) {
            lines.add(line(operation, run(operation, effort)));
        }
        return lines;
    }

    private static RunResult run(Operation operation, Effort effort) throws IOException {
        TimeValue time = TimeValue.milliseconds(effort.count(MILLISECONDS));
        String benchmark = operation.of().getName() + "." + operation.method();
        Options options =
                new OptionsBuilder()
                        .include("^" + Pattern.quote(benchmark) + "$")
                        .mode(Mode.AverageTime)
                        .timeUnit(TimeUnit.NANOSECONDS)
                        .forks(effort.count(FORKS))
                        .warmupIterations(WARM_UP)
                        .warmupTime(time)
                        .measurementIterations(ITERATIONS)
                        .measurementTime(time)
                        .addProfiler(GCProfiler.class)
                        .jvmArgs(
                                "--enable-native-access=ALL-UNNAMED",
                                "--sun-misc-unsafe-memory-access=allow") // for JMH
                        .shouldFailOnError(true)
                        .verbosity(VerboseMode.SILENT)
                        .build();
        try {
            return new Runner(options).runSingle();
        } catch (RunnerException e) {
            throw new IOException(benchmark + ": " + e.getMessage(), e);
        }
    }

    private static Line line(Operation operation, RunResult result) {
        long bytes = Math.round(allocated(result)); // a fraction comes from the measurement
        String ours = Line.nanoseconds(result.getPrimaryResult().getScore()) + ", " + bytes + " B";
        return operation.allocatesNothing()
                ? Line.limit(operation.what(), ours, "", "0 B", bytes == 0)
                : Line.note(operation.what(), ours, "");
    }

    /**
     * Returns the bytes per operation in the JVM that allocates most. Of its iterations the
     * smallest counts: in the others the compiler was still at work.
     */
    private static double allocated(RunResult result) {
        return result.getBenchmarkResults().stream()
                .map(fork -> requireNonNull(fork.getSecondaryResults().get(ALLOCATED)))
                .mapToDouble(bytes -> bytes.getStatistics().getMin())
                .max()
                .orElseThrow();
    }
}
