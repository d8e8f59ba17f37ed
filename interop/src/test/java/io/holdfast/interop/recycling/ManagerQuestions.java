package io.holdfast.interop.recycling;

import io.holdfast.core.process.PidFd;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.Manager;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.runtime.UnitListener;
import io.holdfast.manager.unit.UnitName;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** The manager's answers on the bus, and the units to which it attributes status messages. */
final class ManagerQuestions {
    private static final String NAME = "org.freedesktop.systemd1";
    private static final String PATH = "/org/freedesktop/systemd1";
    private static final String INTERFACE = NAME + ".Manager";
    private static final String HOLDFAST = "io.holdfast.Manager1";

    private final Board board;
    private final List<Kind> kinds;
    private final RemoteObject manager;

    ManagerQuestions(Board board, List<Kind> kinds, BusConnection bus) {
        this.board = board;
        this.kinds = kinds;
        this.manager = bus.object(NAME, PATH);
    }

    private Optional<List<Object>> call(
            String interfaceName, String method, String signature, Object argument)
            throws InterruptedException {
        try {
            return Optional.of(manager.call(interfaceName, method, signature, argument));
        } catch (DBusException e) {
            return Optional.empty(); // the process is in no unit, or gone
        }
    }

    /**
     * GetUnitByPIDFD: the unit of the process that the pidfd holds, even if another one has its
     * PID.
     */
    void byPidfd(QuestionTally tally, int slot, Random random) throws InterruptedException {
        Optional<PidFd> found = PidFd.find(board.number(slot));
        if (found.isEmpty()) {
            return;
        }
        try (PidFd process = found.get()) {
            Kind kind = board.entry(slot, process.id()).kind();
            call(INTERFACE, "GetUnitByPIDFD", "h", process.fd())
                    .ifPresent(answer ->
                            tally.judge(
                                    kind.unit().equals(answer.get(1)), kind + " is of " + answer));
        }
    }

    /** GetUnitByPID: a unit of a process that had this PID while the call was answered. */
    void byNumber(QuestionTally tally, int slot, Random random) throws InterruptedException {
        long from = System.nanoTime();
        Optional<List<Object>> answer =
                call(INTERFACE, "GetUnitByPID", "u", (long) board.number(slot));
        int possible = board.kindsDuring(slot, Board.Span.since(from));
        if (answer.isPresent()) {
            String path = ((ObjectPath) answer.get().getFirst()).path();
            boolean right = false;
            for (Kind kind : kinds) {
                right |= path.endsWith("/" + escaped(kind.unit())) && (possible & kind.bit()) != 0;
            }
            if (Integer.bitCount(possible) < kinds.size()) { // otherwise any answer is right
                tally.judge(right, path + " when only " + Integer.toBinaryString(possible));
            }
        }
    }

    private static String escaped(String unit) {
        return unit.isEmpty() ? "none" : unit.replace(".", "_2e");
    }

    /** WhoIs: unit, user and identity of one and the same process. */
    void whoIs(QuestionTally tally, int slot, Random random) throws InterruptedException {
        Optional<PidFd> found = PidFd.find(board.number(slot));
        if (found.isEmpty()) {
            return;
        }
        try (PidFd process = found.get()) {
            Kind kind = board.entry(slot, process.id()).kind();
            Optional<List<Object>> answer = call(HOLDFAST, "WhoIs", "h", process.fd());
            if (answer.isEmpty()) {
                return;
            }
            Map<?, ?> identity = (Map<?, ?>) answer.get().getFirst();
            tally.judge(
                    (!identity.containsKey("unit") || kind.unit().equals(value(identity, "unit")))
                            && (!identity.containsKey("uid")
                                    || CoreQuestions.isUid(kind, (Long) value(identity, "uid")))
                            && value(identity, "pidfd-id").equals(process.id())
                            && value(identity, "pid").equals((long) board.number(slot)),
                    kind + " is " + identity);
        }
    }

    private static Object value(Map<?, ?> map, String key) {
        return ((Variant) java.util.Objects.requireNonNull(map.get(key))).value();
    }

    /** Judges each status text that a unit receives: only its own processes may have sent it. */
    static AutoCloseable judgeStatus(Manager manager, List<Kind> kinds, QuestionTally tally) {
        return manager.view()
                .listen(
                        new UnitListener() {
                            @Override
                            public void unitNew(UnitName unit) {}

                            @Override
                            public void unitChanged(UnitName unit) {
                                String text =
                                        manager.view()
                                                .unit(unit)
                                                .map(view -> view.status().statusText())
                                                .orElse("");
                                for (Kind kind : kinds) {
                                    if (kind.unit().equals(unit.text()) && !text.isEmpty()) {
                                        tally.add();
                                        tally.judge(
                                                text.startsWith(kind.name() + " "),
                                                unit + " got the status " + text);
                                    }
                                }
                            }

                            @Override
                            public void jobNew(UnitJob job) {}

                            @Override
                            public void jobRemoved(UnitJob job, JobResult result) {}
                        });
    }
}
