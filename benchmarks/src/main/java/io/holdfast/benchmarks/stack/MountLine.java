package io.holdfast.benchmarks.stack;

import io.holdfast.benchmarks.frame.Launcher;
import io.holdfast.benchmarks.frame.Line;
import io.holdfast.benchmarks.frame.Row.Effort;
import io.holdfast.benchmarks.frame.ScratchFolder;
import io.holdfast.benchmarks.frame.Turns;
import io.holdfast.benchmarks.frame.Worker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The processor time of a manager that watches a long table of mounts, which changes all the time.
 * The mounts are in a mount namespace that nothing else is in.
 */
final class MountLine {
    private static final int MOUNTS = 5_000;
    private static final int PER_SECOND = 100;
    private static final int SECONDS = 10;
    private static final int WARM_UP = 2;
    private static final int ROUNDS = 5;
    private static final double REACH = 5; // percent of a processor
    private static final String UNIT = "mnt.mount";

    /** Each bind doubles the mounts. */
    private static final String DOUBLE =
            """
            set -e
            cd "$1"; mount -t tmpfs mounts .; cd "$1"
            for i in $(seq 13); do mkdir m$i; done
            for i in $(seq 12); do mount --rbind . m$i; done
            mount --rbind m11 m13
            mkdir y; shift; exec "$@"
            """;

    private MountLine() {}

    static Line measure(Effort effort, Launcher launcher, ScratchFolder units, Path runtime)
            throws IOException, InterruptedException {
        units.write(
                UNIT,
                "[Unit]\nDefaultDependencies=no\n[Mount]\nWhat=none\nType=tmpfs\nWhere=/mnt\n");
        try (ScratchFolder folder = ScratchFolder.forRuntime();
                StackProcess ours =
                        StackProcess.in(
                                List.of(
                                        "unshare",
                                        "--mount",
                                        "--propagation=private",
                                        "sh",
                                        "-c",
                                        DOUBLE,
                                        "sh",
                                        folder.path().toString()),
                                launcher,
                                runtime,
                                List.of("--units", units.path().toString(), UNIT));
                Worker changing = changing(launcher, ours.managerPid(), folder.path())) {
            long pid = ours.managerPid();
            int mounts = Files.readAllLines(Path.of("/proc/" + pid + "/mountinfo")).size();
            if (mounts < MOUNTS) {
                throw new IOException("only " + mounts + " mounts");
            }
            int seconds = effort.quick() ? 2 : SECONDS;
            double[] percents = new double[effort.rounds(ROUNDS)];
            for (int i = -WARM_UP; i < percents.length; i++) {
                double before = TimerLines.seconds(pid);
                double took = changing.request("change " + seconds + " " + PER_SECOND)[0];
                double percent = 100 * (TimerLines.seconds(pid) - before) / took;
                if (i >= 0) {
                    percents[i] = percent;
                }
            }
            double percent = Turns.quantile(percents, 0.5);
            return Line.limit(
                    "processor time of the manager with %,d mounts and %d changes per second"
                            .formatted(mounts, PER_SECOND),
                    Line.format("%.1f %%", percent),
                    "",
                    Line.format("≤ %.0f %%", REACH),
                    percent <= REACH);
        }
    }

    private static Worker changing(Launcher launcher, long pid, Path folder) throws IOException {
        return Worker.command(
                "the mounts",
                List.of(
                        "nsenter",
                        "--mount",
                        "--target",
                        Long.toString(pid),
                        launcher.java(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        MountSubject.class.getName(),
                        folder.resolve("y").toString()));
    }
}
