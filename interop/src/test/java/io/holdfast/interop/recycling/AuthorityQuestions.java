package io.holdfast.interop.recycling;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;

/**
 * The authority's decisions on the bus. Its rules say yes to the user of one kind ({@link
 * #BY_USER}), and to the unit of that kind ({@link #BY_UNIT}), and no to all others.
 */
final class AuthorityQuestions {
    static final String BY_USER = "org.example.recycling.user";
    static final String BY_UNIT = "org.example.recycling.unit";
    private static final String NAME = "org.freedesktop.PolicyKit1";
    private static final String PATH = "/org/freedesktop/PolicyKit1/Authority";
    private static final String INTERFACE = NAME + ".Authority";

    private static final int REMEMBERED = 32;
    private static final long TICK_NANOS = 10_000_000;

    private final Board board;
    private final List<Kind> kinds;
    private final Kind allowed;
    private final RemoteObject authority;

    /** The offset of the clock of start times from ours. */
    private final long bootOffset;

    AuthorityQuestions(Board board, List<Kind> kinds, Kind allowed, BusConnection bus) {
        this.board = board;
        this.kinds = kinds;
        this.allowed = allowed;
        this.authority = bus.object(NAME, PATH);
        this.bootOffset = bootOffset();
    }

    /** Reads both clocks until nothing came between, which shifts the one against the other. */
    private static long bootOffset() {
        while (true) {
            long before = System.nanoTime();
            String uptime = KernelFile.text(null, "/proc/uptime").split(" ", 2)[0];
            long after = System.nanoTime();
            if (after - before < TICK_NANOS / 2) {
                return (long) (Double.parseDouble(uptime) * 1e9) - after;
            }
        }
    }

    /** Returns the rules by which the answers are judged. */
    static String rules(Kind allowed, String userName) {
        return """
        polkit.addRule(function(action, subject) {
            if (action.id == "%s") return subject.user == "%s" ? "yes" : "no";
            if (action.id == "%s") return subject.system_unit == "%s" ? "yes" : "no";
        });
        """
                .formatted(BY_USER, userName, BY_UNIT, allowed.unit());
    }

    private Optional<Boolean> isAuthorized(String action, Map<String, Variant> details)
            throws InterruptedException {
        try {
            Struct result =
                    (Struct)
                            authority
                                    .call(
                                            INTERFACE,
                                            "CheckAuthorization",
                                            "(sa{sv})sa{ss}us",
                                            Struct.of("unix-process", details),
                                            action,
                                            Map.of(),
                                            0L,
                                            "")
                                    .getFirst();
            return Optional.of((Boolean) result.get(0));
        } catch (DBusException e) {
            return Optional.empty(); // gone, replaced, or of another user than claimed
        }
    }

    /** A process as old clients identify it. */
    private record Named(int slot, long startTicks, Kind said) {}

    /**
     * Subjects by PID, start time and user, as old clients send them, also long after the process
     * is gone. The answer may be yes only for the allowed user, as claimed by the caller, and only
     * if a process that was born then still had the PID. A rule about the unit never says yes.
     */
    Question byNumber() {
        Deque<Named> remembered = new ArrayDeque<>();
        return (tally, slot, random) -> {
            Kind said = kinds.get(random.nextInt(kinds.size()));
            startTicks(board.number(slot))
                    .ifPresent(ticks -> remembered.addLast(new Named(slot, ticks, said)));
            if (remembered.size() > REMEMBERED) {
                Named _ = remembered.removeFirst();
            }
            if (!remembered.isEmpty()) {
                Named newest = remembered.getLast();
                Named oldest = remembered.getFirst();
                check(tally, random.nextBoolean() ? newest : oldest, random.nextInt(4) != 0);
            }
        };
    }

    private void check(QuestionTally tally, Named named, boolean byUser)
            throws InterruptedException {
        Map<String, Variant> details = new LinkedHashMap<>();
        details.put("pid", Variant.of("u", (long) board.number(named.slot())));
        details.put("start-time", Variant.of("t", named.startTicks()));
        details.put("uid", Variant.of("i", named.said().uid()));
        long from = System.nanoTime();
        Optional<Boolean> authorized = isAuthorized(byUser ? BY_USER : BY_UNIT, details);
        int possible =
                board.kindsDuring(named.slot(), Board.Span.since(from), spanOf(named.startTicks()));
        authorized.ifPresent(yes ->
                tally.judge(
                        !yes || (byUser && named.said().equals(allowed) && possible != 0),
                        named + ": yes, when those of then were " + possible));
    }

    /**
     * Returns the time span in which a process with this start time was born, within a few ticks.
     */
    private Board.Span spanOf(long ticks) {
        long born = ticks * TICK_NANOS - bootOffset;
        return new Board.Span(born - 2 * TICK_NANOS, born + 3 * TICK_NANOS);
    }

    private static OptionalLong startTicks(int number) {
        Optional<PidFd> found = PidFd.find(number);
        if (found.isEmpty()) {
            return OptionalLong.empty();
        }
        try (PidFd process = found.get()) {
            return OptionalLong.of(process.proc().startTicks());
        } catch (ErrnoException e) {
            return OptionalLong.empty(); // gone
        }
    }

    /** A subject by pidfd: yes only for a process of the allowed user, or of the allowed unit. */
    void byPidfd(QuestionTally tally, int slot, Random random) throws InterruptedException {
        Optional<PidFd> found = PidFd.find(board.number(slot));
        if (found.isEmpty()) {
            return;
        }
        try (PidFd process = found.get()) {
            Kind kind = board.entry(slot, process.id()).kind();
            String action = random.nextBoolean() ? BY_USER : BY_UNIT;
            Map<String, Variant> details = new LinkedHashMap<>();
            details.put("pidfd", Variant.of("h", process.fd()));
            details.put("uid", Variant.of("i", kind.uid()));
            isAuthorized(action, details)
                    .ifPresent(yes ->
                            tally.judge(!yes || kind.equals(allowed), kind + " may " + action));
        }
    }
}
