package io.holdfast.manager.log;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Fd;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.core.process.Exit;
import io.holdfast.core.state.Fields;
import io.holdfast.core.state.StateFolder;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.Gen;
import io.holdfast.core.text.PrintableText;
import io.holdfast.manager.loop.ManagerCounters;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.survival.DescriptorStore;
import io.holdfast.manager.survival.Keeper;
import io.holdfast.manager.survival.Survival;
import io.holdfast.manager.survival.Zombie;
import io.holdfast.manager.unit.UnitName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests a sequence of managers, each of which is stopped at some point as if killed there. */
@Timeout(120)
class DurableIntakeTest {
    private static final int ROOM = 1 << 20;
    private static final int MUCH = 1 << 16;
    private static final UnitName UNIT = UnitName.of("a.service");

    @TempDir private Path folder;
    private final List<Fd> kept = DescriptorStore.make(ROOM);
    private final Fd[] pipe = Unistd.pipe2(0);
    private final Printer printer = new Printer();
    private long most = ManagerLimits.LOG_FILE_MEMORY.value();
    private Next manager;

    @BeforeEach
    void open() {
        int _ = Fcntl.setfl(pipe[0], Fcntl.O_NONBLOCK);
        manager = new Next();
    }

    @AfterEach
    void close() {
        manager.close();
        kept.forEach(Fd::close);
        pipe[0].close();
        pipe[1].close();
    }

    /** The unexpected end of a manager. */
    private static final class Killed extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /** Stores reported lines durably, and outlives managers. */
    private static final class Printer implements ManagerListener {
        private final List<String> printed = new ArrayList<>();
        private final List<String> waiting = new ArrayList<>();
        private final List<String> events = new ArrayList<>();
        private long committedFile; // the last one: no other is recorded
        private long committed;
        private int stepsToLive = Integer.MAX_VALUE;

        private void step() {
            if (--stepsToLive == 0) {
                waiting.clear();
                throw new Killed();
            }
        }

        @Override
        public void output(UnitName unit, String line) {
            step();
            waiting.add(line);
        }

        @Override
        public void outputCommitted(long file, long position) {
            step();
            printed.addAll(waiting);
            waiting.clear();
            if (file != 0) {
                committedFile = file;
                committed = position;
            }
            step();
        }

        @Override
        public long committedPosition(long file) {
            return file == committedFile ? committed : 0;
        }

        @Override
        public void event(UnitName unit, Level level, String text) {
            events.add(text);
        }

        @Override
        public void event(Level level, String text) {
            events.add(text);
        }
    }

    private final class Next implements AutoCloseable {
        private final Keeper keeper;
        private final Survival survival;
        private final LogBudget files = new LogBudget(most);
        private final UnitLogs logs;
        private final UnitLog log;

        Next() {
            keeper =
                    Keeper.of(
                            DescriptorStore.open(kept.stream().map(Fd::duplicate).toList()),
                            pipe[1].duplicate());
            try (TrustedFolder runtime = TrustedFolder.make(folder.resolve("run"))) {
                survival = new Survival(keeper, StateFolder.open(runtime), printer.events::add);
            }
            try {
                logs =
                        new UnitLogs(
                                printer, survival, new ManagerCounters(), Optional.empty(), files);
            } catch (Killed e) { // while it adopts the log
                survival.end();
                keeper.close();
                throw e;
            }
            log = logs.open(UNIT);
        }

        @Override
        public void close() {
            logs.close();
            survival.end();
            keeper.close();
        }
    }

    private void killed() {
        manager.close();
        printer.waiting.clear();
        manager = new Next();
    }

    private void write(byte[] bytes) {
        for (int at = 0; at < bytes.length; ) {
            int n = Unistd.write(pipe[1], bytes, at, bytes.length - at);
            assertThat(n).isPositive();
            at += n;
        }
    }

    private void write(String text) {
        write(text.getBytes(UTF_8));
    }

    private void take() {
        int _ = manager.log.intake().take(pipe[0], MUCH);
    }

    @Test
    void aLineMayBeginUnderOneManagerAndEndUnderTheNext() {
        write("one\ntw");
        take();
        killed();
        assertThat(manager.log.last(9)).containsExactly("one");
        write("o\nth");
        killed(); // before it has read the pipe
        take();
        killed();
        write("ree\n");
        take();
        assertThat(printer.printed).containsExactly("one", "two", "three");
        assertThat(manager.log.last(9)).containsExactly("one", "two", "three");
        assertThat(printer.events).isEmpty();
    }

    /** Managers that end again and again may do so because of what they adopt. */
    @Test
    void inACrashLoopTheOutputOfThePreviousManagersIsDropped() throws Exception {
        write("one\ntw");
        take();
        manager.close();
        try (TrustedFolder runtime = TrustedFolder.make(folder.resolve("run"));
                StateFolder states = StateFolder.open(runtime);
                Zombie last = Zombie.of("exit 3")) {
            Fields record = Objects.requireNonNull(states.read((_, _) -> {}).get("manager"));
            record.put("process", last.process().processId().toString())
                    .put("same-ends", 2)
                    .put("how-before", Optional.of(new Exit.Exited(3)));
            states.write("manager", record);
            manager = new Next();
        }
        assertThat(manager.survival.predecessor().isCrashLoop()).isTrue();
        assertThat(manager.log.last(9)).isEmpty();
        assertThat(printer.events)
                .containsExactly(
                        "the last output of 1 unit is dropped: 3 managers in a row ended in the"
                                + " same way soon after their start");
        write("o\nthree\n");
        take();
        assertThat(manager.log.last(9)).containsExactly("o", "three");
    }

    /** The printer records the position of one unit only; another unit's lines replace it. */
    @Test
    void whatWasToldBeforeACrashIsNotedBeforeAnotherUnitIsTold() {
        write("one\n");
        printer.stepsToLive = 3; // reported, and not committed to the file
        assertThatExceptionOfType(Killed.class).isThrownBy(this::take);
        killed();

        UnitLog other = manager.logs.open(UnitName.of("b.service"));
        write("two\n");
        assertThat(other.intake().take(pipe[0], MUCH)).isEqualTo(4);
        killed();

        assertThat(printer.printed).containsExactly("one", "two");
        assertThat(manager.log.last(9)).containsExactly("one");
    }

    @Test
    void noCharacterIsTornByACrash() {
        write(new byte[] {'a', (byte) 0xC3});
        take();
        killed();
        write(new byte[] {(byte) 0xA4, (byte) 0xFF, '\n'});
        take();
        assertThat(printer.printed).containsExactly("aä\uFFFD");
    }

    @Test
    void theRestOfALineThatIsTooLongIsSkippedWhoeverReadsIt() {
        String part = "x".repeat(UnitLog.DEFAULT_LINE_BYTES - 1);
        for (String rest : List.of("xx", part, part)) {
            write(rest);
            take();
            killed();
        }
        write("end\nnext\n");
        take();
        killed();
        assertThat(printer.printed)
                .containsExactly(
                        "x".repeat(UnitLog.DEFAULT_LINE_BYTES) + PrintableText.CUT, "next");
        assertThat(manager.log.last(9)).isEqualTo(printer.printed);
    }

    @Test
    void theLastLineOfARunIsNotJoinedToTheFirstOfTheNext() {
        write("no newline");
        take();
        manager.log.intake().end();
        killed();
        write("another run\n");
        take();
        killed();
        assertThat(printer.printed).containsExactly("no newline", "another run");
        assertThat(manager.log.last(9)).isEqualTo(printer.printed);
    }

    @Test
    void ofALotThatWasWrittenTheLastLinesAreThere() {
        String rest = "y".repeat(99) + "\n";
        for (int i = 0; i < 5000; i++) {
            write(i + rest);
            if (i % 100 == 0) {
                take();
            }
        }
        take();
        List<String> before = manager.log.last(200);
        assertThat(before).hasSize(200);
        killed();
        assertThat(manager.log.last(200)).isEqualTo(before);
        assertThat(printer.printed).hasSize(5000);
        write("more\n");
        take();
        assertThat(printer.printed).hasSize(5001).endsWith("more");
    }

    @Test
    void aUnitThatIsNotLoadedAnyMoreIsStillRemembered() {
        write("it was\n");
        take();
        manager.log.intake().end();
        manager.logs.release(UNIT);
        manager.close();
        manager = new Next();
        manager.logs.release(UNIT);
        assertThat(manager.logs.ofUnloaded(UNIT))
                .map(log -> log.last(9))
                .contains(List.of("it was"));
    }

    @Test
    void ofThoseThatAreForgottenNothingIsKept() {
        for (int i = 0; i <= ManagerLimits.LOGS.intValue(); i++) {
            UnitName unit = UnitName.of("u" + i + ".service");
            UnitLog log = manager.logs.open(unit);
            write("a line\n");
            int _ = log.intake().take(pipe[0], MUCH);
            manager.logs.release(unit);
        }
        manager.close();
        manager = new Next();
        assertThat(manager.logs.ofUnloaded(UnitName.of("u0.service"))).isEmpty();
        assertThat(manager.logs.ofUnloaded(UnitName.of("u1.service"))).isPresent();
    }

    /** Each unit's window is small, but there may be thousands of units. */
    @Test
    void theFilesOfAllUnitsStayWithinTheirBudgetAndAQuietUnitLosesNothing() {
        most = 256 << 10;
        killed();
        write("quiet\n");
        take();
        List<UnitName> names = new ArrayList<>();
        List<UnitLog> noisy = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            names.add(UnitName.of("n" + i + ".service"));
            noisy.add(manager.logs.open(names.getLast()));
        }
        String line = "z".repeat(99);
        for (int round = 0; round < 4; round++) {
            for (UnitLog log : noisy) {
                write((line + "\n").repeat(300));
                int _ = log.intake().take(pipe[0], MUCH);
                assertThat(manager.files.held()).isLessThanOrEqualTo(most);
            }
        }
        killed();
        assertThat(manager.files.held()).isBetween(most / 2, most);
        assertThat(manager.log.last(9)).containsExactly("quiet");
        for (UnitName name : names) {
            assertThat(manager.logs.open(name).last(200)).isNotEmpty().containsOnly(line);
        }
        assertThat(printer.printed).hasSize(1 + 20 * 4 * 300);
    }

    @Test
    void aUnitThatWritesNothingCostsNoFile() {
        take();
        manager.log.intake().end();
        assertThat(manager.keeper.store().isEmpty()).isTrue();
    }

    @Test
    void aFileThatIsNoneIsSaidAndTheNextRunIsKeptAgain() {
        manager.keeper.store().put(DurableIntake.KEY + UNIT, List.of(pipe[0]));
        killed();
        assertThat(printer.events)
                .singleElement()
                .asString()
                .contains("cannot adopt the output of the previous manager");
        write("one\ntw");
        take();
        assertThat(printer.printed).containsExactly("one");
        manager.log.intake().end();
        write("three\nfo");
        take();
        killed();
        write("ur\n");
        take();
        assertThat(printer.printed).containsExactly("one", "tw", "three", "four");
    }

    static Stream<Gen> seeds() {
        return Gen.cases(100);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void whereverManagersAreKilledNoLineIsLostOrToldTwice(Gen gen) {
        byte[] text = (text(gen) + "\n").getBytes(UTF_8);
        List<String> whole = new ArrayList<>();
        UnitLog log = new UnitLog();
        List<String> _ = log.follow(0, whole::add);
        log.write(text, 0, text.length);
        for (int at = 0; at < text.length; ) {
            int count = Math.min(gen.between(0, gen.chance(0.3) ? 9000 : 9), text.length - at);
            write(Arrays.copyOfRange(text, at, at + count)); // less than a pipe holds
            at += count;
            step(gen.between(1, 8));
        }
        printer.stepsToLive = Integer.MAX_VALUE;
        take();
        assertThat(printer.printed).isEqualTo(whole);
        List<String> last = manager.log.last(1000);
        assertThat(last)
                .isNotEmpty()
                .isEqualTo(whole.subList(whole.size() - last.size(), whole.size()));
    }

    private static String text(Gen gen) {
        StringBuilder text = new StringBuilder();
        for (int i = gen.between(1, 40); i > 0; i--) {
            text.append(gen.string("aé€😀\n\r", 20));
            if (gen.chance(0.1)) {
                text.append("z".repeat(gen.between(8000, 20_000)));
            }
        }
        return text.toString();
    }

    /** Reads the pipe; a manager that is killed by that is followed by others, killed likewise. */
    private void step(int steps) {
        printer.stepsToLive = steps;
        try {
            take();
        } catch (Killed e) {
            while (true) {
                manager.close();
                printer.stepsToLive = steps + 1;
                try {
                    manager = new Next();
                    return;
                } catch (Killed again) {
                    steps++;
                }
            }
        }
    }
}
