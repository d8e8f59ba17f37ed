package io.holdfast.benchmarks.library;

import io.holdfast.benchmarks.frame.Line;
import io.holdfast.benchmarks.frame.Native;
import io.holdfast.benchmarks.frame.Row;
import io.holdfast.benchmarks.frame.TestCgroup;
import io.holdfast.benchmarks.frame.Turns;
import io.holdfast.benchmarks.frame.Worker;
import io.holdfast.core.ErrnoException;
import java.io.IOException;
import java.util.List;

/** The members of a cgroup, verified and held by pidfd, beside reading {@code /proc} by PID. */
public final class MembersRow implements Row {
    private static final int MEMBERS = 1_000;
    private static final int TIMES = 5; // a sample

    @Override
    public String name() {
        return "members";
    }

    @Override
    public List<Line> measure(Effort effort) throws IOException, InterruptedException {
        String pause = Native.PAUSE.build().toString();
        try (TestCgroup cgroup = TestCgroup.make();
                Worker parent = Worker.c();
                Worker java = Worker.java(LibrarySubject.class, "JVM")) {
            double[] ignored =
                    parent.request("watch " + MEMBERS + " " + cgroup.folder() + " " + pause);
            String arguments = TIMES + " " + MEMBERS + " " + cgroup.cgroup().path().path();
            Turns turns = new Turns();
            int we = turns.add(() -> java.request("members " + arguments));
            int they = turns.add(() -> java.request("members-proc " + arguments));
            turns.run(effort.rounds(10), effort.rounds(21));
            return List.of(
                    Line.of(
                            "verified iteration of a cgroup with " + MEMBERS + " members",
                            Line.nanoseconds(turns.median(we, 0) / TIMES),
                            "`/proc` by number",
                            Line.nanoseconds(turns.median(they, 0) / TIMES),
                            turns.ratio(we, they, 0),
                            1.0));
        } catch (ErrnoException e) {
            return List.of(Line.skipped("iterate a cgroup", e.toString()));
        }
    }
}
