package io.holdfast.benchmarks.stack;

import io.holdfast.benchmarks.frame.Launcher;
import io.holdfast.benchmarks.frame.Line;
import io.holdfast.benchmarks.frame.Row;
import io.holdfast.benchmarks.frame.ScratchFolder;
import io.holdfast.benchmarks.frame.Worker;
import io.holdfast.core.sys.Unistd;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * How long calls of an innocent user and of root take while another user puts a load on the stack,
 * beside a quiet stack: while that user calls nobody, but uses all processors. (With idle
 * processors a p99 would be compared with one that contains no wait for a processor.)
 */
public final class HostilityRow implements Row {
    private static final int ATTACKER = 1000;
    private static final int INNOCENT = 1001;
    private static final int COUNT = 500;
    private static final int P99 = 1;
    private static final int FAILED = 2;
    private static final double REACH = 10;
    private static final String SLICE = "holdfastbench.slice"; // of no other stack

    private static final Map<String, String> FACES = new LinkedHashMap<>();

    static {
        FACES.put("bus", "bus");
        FACES.put("manager", "manager by D-Bus");
        FACES.put("varlink", "manager by Varlink");
        FACES.put("authority", "authority by D-Bus");
        FACES.put("check", "authority by Varlink");
    }

    @Override
    public String name() {
        return "hostility";
    }

    @Override
    public List<Line> measure(Effort effort) throws IOException, InterruptedException {
        Optional<Launcher> launcher = Launcher.open();
        if (launcher.isEmpty() || Unistd.geteuid() != 0) {
            return List.of(Line.skipped(name(), "needs ./holdfast up, and root for its users"));
        }
        List<Line> lines = new ArrayList<>();
        try (ScratchFolder runtime = ScratchFolder.forRuntime();
                StackProcess _ =
                        new StackProcess(
                                launcher.get(), runtime.path(), List.of("--slice", SLICE));
                Worker innocent = user(INNOCENT, runtime);
                Worker root = user(0, runtime);
                Worker attacker = user(ATTACKER, runtime)) {
            Map<String, Worker> users = new LinkedHashMap<>();
            users.put("another user", innocent);
            users.put("root", root);
            for (String face : FACES.keySet()) {
                String command = "measure " + face + " " + effort.count(COUNT);
                Map<String, double[]> quiet = new LinkedHashMap<>();
                for (var user : users.entrySet()) {
                    double[] _ = user.getValue().request(command); // a JVM that has run for a while
                }
                double[] _ = attacker.request("load nothing " + face);
                for (var user : users.entrySet()) {
                    quiet.put(user.getKey(), user.getValue().request(command));
                }
                double[] _ = attacker.request("stop");
                for (String load : List.of("calls", "rules", "churn", "descriptors")) {
                    double[] _ = attacker.request("load " + load + " " + face);
                    for (var user : users.entrySet()) {
                        double[] now = user.getValue().request(command);
                        double[] before = Objects.requireNonNull(quiet.get(user.getKey()));
                        lines.add(line(face, load, user.getKey(), now, before));
                        System.err.println(lines.getLast().markdown());
                    }
                    double[] _ = attacker.request("stop");
                }
            }
        }
        return lines;
    }

    private static Worker user(int uid, ScratchFolder runtime) throws IOException {
        return Worker.javaAs(
                uid, HostileProgram.class, "user " + uid, List.of(runtime.path().toString()));
    }

    private static Line line(String face, String load, String user, double[] now, double[] quiet) {
        double ratio = now[P99] / quiet[P99];
        return Line.limit(
                "%s, %s, under %s of one user".formatted(FACES.get(face), user, load),
                times(now) + Line.format(", %.1f × the quiet p99", ratio),
                "quiet " + times(quiet),
                Line.format("≤ %.0f × the quiet p99", REACH),
                ratio <= REACH && now[FAILED] == 0);
    }

    private static String times(double[] measured) {
        return "p50 %s, p99 %s%s"
                .formatted(
                        Line.nanoseconds(measured[0]),
                        Line.nanoseconds(measured[P99]),
                        measured[FAILED] == 0
                                ? ""
                                : Line.format(", %.0f refused", measured[FAILED]));
    }
}
