package io.holdfast.benchmarks.bus;

import io.holdfast.benchmarks.frame.Line;
import io.holdfast.benchmarks.frame.Row;
import io.holdfast.benchmarks.frame.Turns;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * {@code ./holdfast authority} beside the real polkitd: each on its own {@code dbus-daemon}, with
 * the same rules, the same systemd and the same checks.
 */
public final class AuthorityRow implements Row {
    private static final int MILLISECONDS = 250; // a sample
    private static final int WARM_UP = 10;
    private static final int ROUNDS = 11;
    private static final int STARTS = 7;
    private static final double START_MS = 450;
    private static final double RESIDENT_MIB = 80;
    private static final double GROWTH_MIB = 4; // of 80: counts as flat

    /** Indexes in the generator's answers. */
    private static final int RATE = 0;

    private static final int P50 = 4;

    /**
     * A kind of check.
     *
     * @param kind the generator's word
     * @param window how many checks are in flight
     * @param most the largest ratio to polkitd's time; empty if there is no target
     */
    private record Question(String what, String kind, int window, OptionalDouble most) {
        static Question of(String what, String kind, double most) {
            return new Question(what, kind, 1, OptionalDouble.of(most));
        }

        static Question atOnce(String what, String kind) {
            return new Question(what, kind, 64, OptionalDouble.of(1 / 5.0));
        }
    }

    /** The condition of a rule about one user. */
    private static final String IS_USER = "subject.user == \"%s\"";

    private static final List<Question> IMPLICIT =
            List.of(
                    new Question("Peer.Ping, the floor", "ping", 1, OptionalDouble.empty()),
                    Question.of("check by pid, implicit answer", "pid", 0.35),
                    Question.of("check by pidfd, with its unit", "pidfd", 0.35),
                    Question.of("check by bus name, with its unit", "name", 0.25),
                    Question.atOnce("check by pid, 64 in flight", "pid"),
                    Question.atOnce("check by bus name, 64 in flight", "name"),
                    Question.of("EnumerateActions", "enumerate", 0.5));

    @Override
    public String name() {
        return "authority";
    }

    @Override
    public List<Line> measure(Effort effort) throws IOException, InterruptedException {
        Optional<AuthorityProgram> ours = AuthorityProgram.ours();
        Optional<AuthorityProgram> polkitd = AuthorityProgram.polkitd();
        if (ours.isEmpty() || polkitd.isEmpty()) {
            return List.of(
                    Line.skipped(name(), "needs ./holdfast authority, polkitd and dbus-daemon"));
        }
        List<AuthorityProgram> both = List.of(ours.get(), polkitd.get());
        List<Line> lines = new ArrayList<>();
        lines.addAll(questions(effort, both, "", false, IMPLICIT));
        lines.addAll(ruled(effort, both, "1 rule", rules(1, 0)));
        lines.addAll(ruled(effort, both, "50 rules", rules(50, 0)));
        lines.addAll(ruled(effort, both, "1 rule behind 50 idle ones", rules(1, 50)));
        lines.addAll(ruled(effort, both, "1 rule behind 1,000 idle ones", rules(1, 1_000)));
        lines.addAll(starts(effort, both));
        lines.addAll(resident(effort, both));
        return lines;
    }

    /** Compares checks that run rules, one at a time and 64 in flight. */
    private static List<Line> ruled(
            Effort effort, List<AuthorityProgram> both, String what, String rules)
            throws IOException, InterruptedException {
        return questions(
                effort,
                both,
                rules,
                true,
                List.of(
                        Question.of("check by pid, " + what, "pid", 0.6),
                        new Question(
                                "check by pid, " + what + ", 64 in flight",
                                "pid",
                                64,
                                OptionalDouble.of(1 / 4.0))));
    }

    /** Returns rules of which the last one decides, behind others about other actions. */
    private static String rules(int rules, int idle) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < idle; i++) {
            text.append(rule("org.example.idle" + i, IS_USER.formatted("daemon"), "NO"));
        }
        for (int i = 1; i < rules; i++) {
            text.append(rule(AuthorityProcess.ACTION, IS_USER.formatted("nobody" + i), "NO"));
        }
        return text.append(rule(AuthorityProcess.ACTION, IS_USER.formatted("daemon"), "YES"))
                .toString();
    }

    private static String rule(String action, String condition, String result) {
        return Line.format(
                """
                polkit.addRule(function(action, subject) {
                    if (action.id == "%s" && %s) {
                        return polkit.Result.%s;
                    }
                });
                """,
                action, condition, result);
    }

    /** Compares two authorities that have the same rules. */
    @FunctionalInterface
    private interface Comparison {
        List<Line> of(List<AuthorityProcess> both) throws IOException, InterruptedException;
    }

    private static List<Line> with(
            List<AuthorityProgram> programs, String rules, Comparison comparison)
            throws IOException, InterruptedException {
        Path folder = AuthorityProcess.folder();
        Path place = folder.resolve("rules.d");
        Path file = place.resolve("10-load.rules");
        try {
            Files.createDirectory(place);
            Files.setPosixFilePermissions(place, PosixFilePermissions.fromString("rwxr-xr-x"));
            Files.writeString(file, rules);
            try (AuthorityProcess ours = new AuthorityProcess(programs.get(0), place, folder);
                    AuthorityProcess theirs =
                            new AuthorityProcess(programs.get(1), place, folder)) {
                return comparison.of(List.of(ours, theirs));
            }
        } finally {
            boolean ignored = Files.deleteIfExists(file);
            ignored = Files.deleteIfExists(place);
            Files.delete(folder);
        }
    }

    private static List<Line> questions(
            Effort effort,
            List<AuthorityProgram> programs,
            String rules,
            boolean authorized,
            List<Question> questions)
            throws IOException, InterruptedException {
        return with(
                programs,
                rules,
                both -> {
                    List<Line> lines = new ArrayList<>();
                    for (Question question : questions) {
                        lines.add(line(effort, both, question, authorized));
                    }
                    return lines;
                });
    }

    private static Line line(
            Effort effort, List<AuthorityProcess> both, Question question, boolean authorized)
            throws IOException, InterruptedException {
        String command =
                String.join(
                        " ",
                        "checks",
                        question.kind(),
                        AuthorityProcess.ACTION,
                        authorized ? "1" : "0",
                        Integer.toString(question.window()),
                        "0",
                        Integer.toString(effort.count(MILLISECONDS)));
        Turns turns = new Turns();
        for (AuthorityProcess one : both) {
            int _ =
                    turns.add(() -> {
                        double[] sample = one.request(command);
                        sample[RATE] = 1e9 / sample[RATE];
                        return sample;
                    });
        }
        turns.run(effort.rounds(WARM_UP), effort.rounds(ROUNDS));
        int value = question.window() == 1 ? P50 : RATE;
        String ours = text(turns.median(0, value), question);
        String theirs = text(turns.median(1, value), question);
        String peer = both.get(1).name();
        return question.most().isPresent()
                ? Line.of(
                        question.what(),
                        ours,
                        peer,
                        theirs,
                        turns.ratio(0, 1, value),
                        question.most().getAsDouble())
                : Line.of(question.what(), ours, peer, theirs, turns.ratio(0, 1, value));
    }

    private static String text(double nanoseconds, Question question) {
        return question.window() == 1
                ? Line.nanoseconds(nanoseconds)
                : Line.format("%,.0f/s", 1e9 / nanoseconds);
    }

    private static List<Line> starts(Effort effort, List<AuthorityProgram> programs)
            throws IOException, InterruptedException {
        double[][] times = new double[2][effort.rounds(STARTS)];
        for (int i = 0; i < times[0].length; i++) {
            int round = i;
            var _ =
                    with(
                            programs,
                            "",
                            both -> {
                                times[0][round] = both.get(0).startNanoseconds();
                                times[1][round] = both.get(1).startNanoseconds();
                                return List.of();
                            });
        }
        double ours = Turns.quantile(times[0], 0.5);
        return List.of(
                Line.limit(
                        "start to first answer",
                        Line.nanoseconds(ours),
                        "polkitd " + Line.nanoseconds(Turns.quantile(times[1], 0.5)),
                        Line.format("≤ %.0f ms", START_MS),
                        ours <= START_MS * 1e6));
    }

    /** Measures the memory after the start, and after more and more checks. */
    private static List<Line> resident(Effort effort, List<AuthorityProgram> programs)
            throws IOException, InterruptedException {
        int most = effort.quick() ? 100_000 : 1_000_000;
        return with(
                programs,
                "",
                both -> {
                    AuthorityProcess ours = both.get(0);
                    AuthorityProcess theirs = both.get(1);
                    List<Line> lines = new ArrayList<>();
                    lines.add(resident("resident after start", ours, theirs.residentMib()));
                    runChecks(theirs, 10_000);
                    double early = 0;
                    int done = 0;
                    for (int checks = 10_000; checks <= most; checks *= 10) {
                        runChecks(ours, checks - done);
                        done = checks;
                        early = early == 0 ? ours.residentMib() : early;
                        lines.add(
                                resident(
                                        Line.format("resident after %,d checks", checks),
                                        ours,
                                        checks == 10_000 ? theirs.residentMib() : 0));
                    }
                    double growth = ours.residentMib() - early;
                    lines.add(
                            Line.limit(
                                    Line.format("growth from 10,000 to %,d checks", most),
                                    Line.format("%.1f MiB", growth),
                                    "",
                                    Line.format("≤ %.0f MiB", GROWTH_MIB),
                                    growth <= GROWTH_MIB));
                    return lines;
                });
    }

    private static void runChecks(AuthorityProcess authority, int checks)
            throws IOException, InterruptedException {
        String command = "checks pid " + AuthorityProcess.ACTION + " 0 64 " + checks + " 0";
        double[] _ = authority.request(command);
    }

    private static Line resident(String what, AuthorityProcess ours, double theirs) {
        double mib = ours.residentMib();
        return Line.limit(
                what,
                Line.format("%.1f MiB", mib),
                theirs > 0 ? Line.format("polkitd %.1f MiB", theirs) : "",
                Line.format("≤ %.0f MiB", RESIDENT_MIB),
                mib <= RESIDENT_MIB);
    }
}
