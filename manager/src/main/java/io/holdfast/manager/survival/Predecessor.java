package io.holdfast.manager.survival;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.loop.ManagerLimits;
import java.time.Duration;
import java.util.Optional;

/**
 * What is known of the previous managers of one keeper, from the record of the last of them.
 *
 * @param crashes how many were killed since the keeper was started
 * @param last when the last of them was found dead
 * @param how the exit of the last one, as far as it is known
 * @param adopted the number of units adopted from it
 * @param earlyCrashes consecutive managers, up to the last one, that ended soon after their start
 * @param begun whether the task that the first of them was started for is done
 * @param stopping how the last one was about to end after it stopped everything; empty if it was
 *     not stopping
 * @param handedOver whether the last one ended in order to be replaced by this one
 */
public record Predecessor(
        int crashes,
        DualTimestamp last,
        Optional<Exit> how,
        int earlyCrashes,
        int adopted,
        boolean begun,
        Optional<ManagerEnd> stopping,
        boolean handedOver) {
    /** No previous manager. */
    public static final Predecessor NONE =
            new Predecessor(
                    0, DualTimestamp.NEVER, Optional.empty(), 0, 0, false, Optional.empty(), false);

    private static final String PROCESS = "process";
    private static final String STORE = "store";
    private static final String STOPPING = "stopping";
    private static final String HANDED_OVER = "handed-over";

    /** A manager that ran this long did not crash because of what it adopted. */
    private static final Duration SETTLED = Duration.ofSeconds(10);

    private static final int AT_ONCE = 3;
    private static final int MOST_PAUSES = 30;

    /**
     * Makes the value for a previous manager that is found dead. A manager that handed over counts
     * neither as crashed nor as an early crash.
     *
     * @param store the store of the keeper that started this manager. If the keeper has died too,
     *     this manager has its own task: what the earlier managers had begun or were stopping is
     *     ignored
     */
    static Predecessor of(Fields fields, long store) {
        boolean isSameKeeper = fields.number(STORE) == store;
        int crashes = isSameKeeper ? Math.toIntExact(fields.number("crashes")) : 0;
        boolean begun = isSameKeeper && fields.is("begun");
        Optional<ManagerEnd> stopping = isSameKeeper ? stopping(fields) : Optional.empty();
        if (fields.is(HANDED_OVER)) {
            return new Predecessor(
                    crashes, DualTimestamp.now(), Optional.empty(), 0, 0, begun, stopping, true);
        }
        Optional<Exit> how =
                fields.find(PROCESS).map(ProcessId::parse).flatMap(Predecessor::exitOf);
        DualTimestamp now = DualTimestamp.now();
        boolean wasEarly = fields.number("monotonic") + SETTLED.toNanos() > System.nanoTime();
        return new Predecessor(
                crashes + 1,
                now,
                how,
                wasEarly ? Math.toIntExact(fields.number("quick")) + 1 : 0,
                0,
                begun,
                stopping,
                false);
    }

    private static Optional<ManagerEnd> stopping(Fields fields) {
        return fields.is(STOPPING) ? Optional.of(ManagerEnd.of(fields)) : Optional.empty();
    }

    /**
     * Returns the exit of the last manager. Its zombie belongs to the keeper, which reaps only on
     * request.
     */
    private static Optional<Exit> exitOf(ProcessId id) {
        if (id.pidfdId().isEmpty()) {
            return Optional.empty();
        }
        try (PidFd process = PidFd.open(id.pid(), id.pidfdId().getAsLong())) {
            return process.exit();
        } catch (ErrnoException e) {
            return Optional.empty(); // it was reaped
        }
    }

    /**
     * Returns how long the next manager waits before it begins, so that it does not crash in a
     * tight loop.
     */
    public Duration pause() {
        int pauses = Math.clamp((long) earlyCrashes - AT_ONCE, 0, MOST_PAUSES);
        return ManagerLimits.CRASH_PAUSE.duration().multipliedBy(pauses);
    }

    Predecessor adopted(int units) {
        return new Predecessor(
                crashes, last, how, earlyCrashes, units, begun, stopping, handedOver);
    }

    /** Records that the present manager has done what it was started for. */
    Predecessor begins() {
        return new Predecessor(
                crashes, last, how, earlyCrashes, adopted, true, stopping, handedOver);
    }

    /** Records that the present manager stops everything, and how it ends. */
    Predecessor stops(ManagerEnd end) {
        return new Predecessor(
                crashes, last, how, earlyCrashes, adopted, begun, Optional.of(end), handedOver);
    }

    /** Returns the record of a manager that hands over to the next one. */
    Fields handsOver(long store) {
        return record(store).put(HANDED_OVER, true);
    }

    /** Returns the record for the next manager. */
    Fields record(long store) {
        try (PidFd self = PidFd.self()) {
            Fields fields = new Fields();
            stopping.ifPresent(end -> end.into(fields));
            return fields.put(PROCESS, self.processId().toString())
                    .put("monotonic", System.nanoTime())
                    .put(STORE, store)
                    .put("crashes", crashes)
                    .put("quick", earlyCrashes)
                    .put("begun", begun)
                    .put(STOPPING, stopping.isPresent());
        }
    }
}
