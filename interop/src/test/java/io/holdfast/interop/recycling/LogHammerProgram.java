package io.holdfast.interop.recycling;

import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ScratchCgroup;
import io.holdfast.journal.Entry;
import io.holdfast.journal.Id128;
import io.holdfast.journal.JournalReader;
import io.holdfast.journal.Match;
import io.holdfast.receiver.Receiver;
import io.holdfast.receiver.ReceiverOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * Runs in a PID and mount namespace of its own: {@code loggers.c} starts processes of three units
 * that log one line and exit, and gives their number to others at once. The receiver is ours, or
 * systemd-journald if the first argument is its program. Prints for each transport how many lines
 * are missing, without a unit, or say something wrong about the process, which has put the truth
 * into its message.
 */
final class LogHammerProgram implements AutoCloseable {
    /** The PID of all that log; the JVM's threads stay below. */
    private static final int NUMBER = 20_000;

    private static final Path SOCKETS = Path.of("/run/systemd/journal");

    /** Without a new line for so long, what is missing is lost. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Path storage = Path.of("/run/log/journal").resolve(Id128.machine().toString());
    private final ScratchCgroup slice = ScratchCgroup.createSlice();
    private final List<Kind> kinds = new ArrayList<>();
    private final Map<String, Tally> tallies = new TreeMap<>();

    /** Counts the lines of a transport. */
    private static final class Tally {
        private int lines;
        private int unattributed;
        private int wrong;
    }

    private LogHammerProgram() throws IOException {
        var _ = Files.createDirectories(storage);
        int uid = 1;
        for (String name : List.of("hfa", "hfb", "hfc")) {
            String unit = name + ".service";
            kinds.add(new Kind(kinds.size(), name, uid++, unit, slice.cgroup().create(unit)));
        }
    }

    private List<String> loggers(Path program, int count) {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                program.toString(),
                                SOCKETS.toString(),
                                Integer.toString(count),
                                Integer.toString(NUMBER)));
        kinds.forEach(kind -> command.addAll(kind.words()));
        return command;
    }

    private void hammer(Path program, int count) throws IOException, InterruptedException {
        int status = new ProcessBuilder(loggers(program, count)).inheritIO().start().waitFor();
        if (status != 0) {
            throw new IOException(program + " ended with " + status);
        }
    }

    /** Reads the journal until all lines are there, or no more come; returns how many there are. */
    private int judge(int count) throws IOException, InterruptedException {
        BitSet seen = new BitSet(count);
        try (JournalReader reader = JournalReader.openFolders(List.of(storage))) {
            reader.filter(Match.field("SYSLOG_IDENTIFIER", "loggers"));
            reader.seekHead();
            while (seen.cardinality() < count) {
                Entry entry = reader.next(PATIENCE);
                if (entry == null) {
                    break;
                }
                judge(entry, seen);
            }
        }
        return seen.cardinality();
    }

    private void judge(Entry entry, BitSet seen) {
        String[] truth = entry.text("MESSAGE").orElseThrow().split(" ");
        Kind kind =
                kinds.stream().filter(each -> each.name().equals(truth[0])).findAny().orElseThrow();
        Tally tally =
                tallies.computeIfAbsent(entry.text("_TRANSPORT").orElse("none"), _ -> new Tally());
        int index = Integer.parseInt(truth[1]);
        boolean isDouble = seen.get(index);
        seen.set(index);
        tally.lines++;
        Optional<String> unit = entry.text("_SYSTEMD_UNIT");
        Optional<String> cgroup = entry.text("_SYSTEMD_CGROUP");
        if (unit.isEmpty() || cgroup.isEmpty()) {
            tally.unattributed++;
            System.out.println(entry.fields());
        }
        boolean isRight =
                entry.text("_PID").equals(Optional.of(truth[2]))
                        && entry.text("_UID").equals(Optional.of(truth[3]))
                        && unit.orElse(kind.unit()).equals(kind.unit())
                        && cgroup.orElse(kind.cgroup().path().path())
                                .equals(kind.cgroup().path().path());
        if (isDouble || !isRight) {
            tally.wrong++;
        }
    }

    private boolean report(String name, int count, int found) {
        int unattributed = 0;
        int wrong = 0;
        for (Map.Entry<String, Tally> each : tallies.entrySet()) {
            Tally tally = each.getValue();
            System.out.printf(
                    "%s, %s: %,d lines, %,d without a unit, %,d wrong%n",
                    name, each.getKey(), tally.lines, tally.unattributed, tally.wrong);
            unattributed += tally.unattributed;
            wrong += tally.wrong;
        }
        System.out.printf(
                "%s: of %,d processes that logged one line and exited: %,d missing, %,d without a"
                        + " unit, %,d wrong%n",
                name, count, count - found, unattributed, wrong);
        return found == count && unattributed == 0 && wrong == 0;
    }

    private boolean ours(Path loggers, int count) throws Exception {
        ReceiverOptions options = new ReceiverOptions(SOCKETS, storage, false, System.out::println);
        try (Receiver receiver = Receiver.open(options)) {
            Thread thread = Thread.ofPlatform().start(receiver::run);
            hammer(loggers, count);
            int found = judge(count);
            receiver.stop();
            thread.join();
            return report("holdfast", count, found);
        }
    }

    private void journald(Path program, Path loggers, int count) throws Exception {
        var _ =
                Files.writeString(
                        Files.createDirectories(Path.of("/run/systemd/journald.conf.d"))
                                .resolve("hammer.conf"),
                        """
                        [Journal]
                        Storage=volatile
                        RateLimitIntervalSec=0
                        RateLimitBurst=0
                        ReadKMsg=no
                        Audit=no
                        """);
        Process journald = new ProcessBuilder(program.toString()).inheritIO().start();
        try {
            Await.until(() -> Files.exists(SOCKETS.resolve("stdout")));
            hammer(loggers, count);
            boolean _ = report("journald", count, judge(count));
        } finally {
            journald.destroy();
            boolean _ = journald.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
    }

    @Override
    public void close() {
        kinds.forEach(kind -> kind.cgroup().close());
        slice.close();
    }

    /**
     * @param arguments the program loggers, the number of processes, and the program of journald if
     *     it is the receiver
     */
    public static void main(String[] arguments) throws Exception {
        Path loggers = Path.of(arguments[0]);
        int count = Integer.parseInt(arguments[1]);
        boolean isGood = true;
        try (LogHammerProgram program = new LogHammerProgram()) {
            if (arguments.length > 2) {
                program.journald(Path.of(arguments[2]), loggers, count);
            } else {
                isGood = program.ours(loggers, count);
            }
        }
        System.exit(isGood ? 0 : 1);
    }
}
