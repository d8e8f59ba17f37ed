package io.holdfast.interop.hostility;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.testkit.Needs;
import io.holdfast.interop.hostility.HostilitySurvey.Surveyed;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every entry point of the daemons ({@link Faces}) against everything that a plain user may do to
 * it ({@link Hostility}). In each cell the daemons survive, innocent callers are answered
 * meanwhile, and afterwards descriptors, memory and tables are what they were.
 *
 * <p>The methods of a face are found by introspection, so that a new method is tested as soon as it
 * exists. If the attacker does not read answers, methods with long answers are tested one by one
 * and the others in groups; with {@code -Dholdfast.long=true} all are tested one by one. {@code
 * -Dholdfast.cells=REGEX} runs only the cells with matching names.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"unshare", "nsenter", "openssl", "setpriv", "systemctl", "python3"})
class HostilityMatrixTest {
    private static final boolean LONG = Boolean.getBoolean("holdfast.long");
    private static final Pattern CELLS = Pattern.compile(System.getProperty("holdfast.cells", ""));

    /** Names of classes, and texts that the JVM makes. */
    private static final Pattern JAVA =
            Pattern.compile("java\\.|[a-z]Exception\\b|[a-z]Error\\b: |because \"|cannot be cast");

    private static final Duration LONGEST_ATTACK = Duration.ofSeconds(5);
    private static final Duration LONGEST_RETURN = Duration.ofSeconds(60);

    /** Between the calls of innocent callers, who may connect 100 times per second. */
    private static final Duration PAUSE = Duration.ofMillis(50);

    private StackUnderAttack stack;
    private final Map<EntryPoint, List<Surveyed>> methods = new LinkedHashMap<>();
    private final Map<Daemon, Footprint> before = new EnumMap<>(Daemon.class);

    /** One cell of the matrix, or a part of one. */
    record Cell(EntryPoint face, Hostility hostility, List<Surveyed> methods) {
        @Override
        public String toString() {
            String some = methods.getFirst().name();
            if (methods.size() > 1) {
                some =
                        "%d methods, from %s to %s"
                                .formatted(methods.size(), some, methods.getLast().name());
            }
            return "%s: %s: %s".formatted(face.name(), hostility, some);
        }
    }

    @BeforeAll
    void start() throws Exception {
        open();
        for (EntryPoint face : Faces.ALL) {
            methods.put(face, HostilitySurvey.of(stack, face));
        }
        measure();
    }

    private void open() throws Exception {
        stack = StackUnderAttack.start();
        measure();
    }

    private void measure() throws InterruptedException {
        for (EntryPoint face : Faces.ALL) {
            if (face.isForRoot()) { // a daemon keeps what it opens for its first client
                stack.requireAnswer(face);
            }
        }
        for (Daemon daemon : Daemon.values()) {
            before.put(daemon, stack.footprint(daemon));
        }
    }

    @AfterAll
    void end() {
        if (stack != null) {
            stack.close();
        }
    }

    @Test
    void aPlainUserCannotConnectWhereOnlyRootMay() {
        for (EntryPoint face : Faces.ALL) {
            if (face.isForRoot()) {
                try (UserProcess user = stack.plainUser()) {
                    assertThatExceptionOfType(ErrnoException.class)
                            .as(face.name())
                            .isThrownBy(() -> user.connect(face.socket()).close())
                            .matches(e -> e.errno() == Errno.EACCES);
                }
            }
        }
    }

    @Test
    void noErrorShowsTheJavaCodeThatFailed() {
        Set<String> errors = new LinkedHashSet<>();
        methods.values().forEach(found -> found.forEach(one -> errors.addAll(one.errors())));
        assertThat(errors).isNotEmpty().noneMatch(error -> JAVA.matcher(error).find());
    }

    Stream<Cell> cells() {
        List<Cell> cells = new ArrayList<>();
        methods.forEach((face, found) -> {
            for (Hostility hostility : face.hostilities()) {
                if (hostility == Hostility.UNREAD_REPLIES) {
                    addCells(cells, face, hostility, longOnes(found), 1);
                    addCells(cells, face, hostility, shortOnes(found), LONG ? 1 : 32);
                } else {
                    addCells(cells, face, hostility, found, LONG ? 8 : found.size());
                }
            }
        });
        return cells.stream().filter(cell -> CELLS.matcher(cell.toString()).find());
    }

    private static List<Surveyed> longOnes(List<Surveyed> methods) {
        return methods.stream().filter(Surveyed::isLong).toList();
    }

    private static List<Surveyed> shortOnes(List<Surveyed> methods) {
        return methods.stream().filter(method -> !method.isLong()).toList();
    }

    private static void addCells(
            List<Cell> to,
            EntryPoint face,
            Hostility hostility,
            List<Surveyed> methods,
            int group) {
        for (int from = 0; from < methods.size(); from += group) {
            int end = Math.min(from + group, methods.size());
            to.add(new Cell(face, hostility, methods.subList(from, end)));
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cells")
    void theDaemonsLiveAnswerOthersAndHoldNothingAfterwards(Cell cell) throws Exception {
        boolean passed = false;
        try {
            attack(cell);
            for (Daemon daemon : Daemon.values()) {
                awaitReturn(daemon, cell);
            }
            passed = true;
        } finally {
            if (!passed) { // the next cell must not suffer from what this one left
                stack.close();
                open();
            }
        }
    }

    private void attack(Cell cell) throws InterruptedException {
        try (Attack attack =
                Attack.begin(
                        cell.hostility(),
                        cell.face(),
                        cell.methods(),
                        stack.attacker(cell.face()))) {
            long deadline = System.nanoTime() + LONGEST_ATTACK.toNanos();
            int questions = 0;
            do {
                askAll(cell, questions++ < cell.face().questions());
                LockSupport.parkNanos(PAUSE.toNanos());
            } while (!(attack.isSpent() && stack.isQuiet()) && System.nanoTime() < deadline);
            assertThat(attack.calls()).as("%s: calls sent", cell).isPositive();
        }
    }

    /** Calls the faces that every user needs, and the attacked one if the caller still may. */
    private void askAll(Cell cell, boolean attacked) throws InterruptedException {
        Set<EntryPoint> faces = new LinkedHashSet<>(Faces.SHARED);
        if (attacked) {
            faces.add(cell.face());
        }
        for (EntryPoint face : faces) {
            try {
                stack.requireAnswer(face);
            } catch (AssertionError e) {
                throw new AssertionError(
                        "%s: %s\n%s".formatted(cell, e.getMessage(), stack.written()), e);
            }
        }
    }

    private void awaitReturn(Daemon daemon, Cell cell) throws InterruptedException {
        long deadline = System.nanoTime() + LONGEST_RETURN.toNanos();
        List<String> more = moreOf(daemon, cell);
        while (!more.isEmpty() && System.nanoTime() < deadline) {
            LockSupport.parkNanos(PAUSE.toNanos());
            more = moreOf(daemon, cell);
        }
        assertThat(more).as("%s: what %s still holds", cell, daemon).isEmpty();
    }

    private List<String> moreOf(Daemon daemon, Cell cell) throws InterruptedException {
        assertThat(stack.isAlive(daemon))
                .as("%s: whether %s lives:\n%s", cell, daemon, stack.written())
                .isTrue();
        return stack.footprint(daemon).moreThan(Objects.requireNonNull(before.get(daemon)));
    }
}
