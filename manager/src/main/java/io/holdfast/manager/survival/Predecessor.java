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
 * The managers of one keeper before this one, as the last of them has written them down.
 *
 * @param crashes how many were killed since the keeper was started
 * @param last when the last of them was found dead
 * @param how it ended, as far as that is known
 * @param adopted the units that were adopted from it
 * @param quick how many in a row, this one included, have not lived long
 * @param begun whether what the first of them was started for is done
 * @param stopping what was to become of it when everything is stopped; empty if it was not stopping
 * @param handedOver whether the one before this one, or this one, ends to be replaced by the next
 */
public record Predecessor(
        int crashes,
        DualTimestamp last,
        Optional<Exit> how,
        int quick,
        int adopted,
        boolean begun,
        Optional<ManagerEnd> stopping,
        boolean handedOver) {
    /** There was none. */
    public static final Predecessor NONE =
            new Predecessor(
                    0, DualTimestamp.NEVER, Optional.empty(), 0, 0, false, Optional.empty(), false);

    private static final String PROCESS = "process";
    private static final String STORE = "store";
    private static final String STOPPING = "stopping";
    private static final String HANDED_OVER = "handed-over";

    /** Who has lived so long did not end because of what it found. */
    private static final Duration LONG = Duration.ofSeconds(10);

    private static final int AT_ONCE = 3;
    private static final int MOST_PAUSES = 30;

    /**
     * Now that it is found dead. One that meant to be replaced counts neither as a crash nor as
     * quick.
     *
     * @param store the keeper's that has started this manager; if the keeper before died, too, this
     *     one was started for something of its own, whatever the other had begun or was stopping
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
        boolean wasQuick = fields.number("monotonic") + LONG.toNanos() > System.nanoTime();
        return new Predecessor(
                crashes + 1,
                now,
                how,
                wasQuick ? Math.toIntExact(fields.number("quick")) + 1 : 0,
                0,
                begun,
                stopping,
                false);
    }

    private static Optional<ManagerEnd> stopping(Fields fields) {
        return fields.is(STOPPING) ? Optional.of(ManagerEnd.of(fields)) : Optional.empty();
    }

    /** Its zombie is the keeper's, who does not reap it before it is told. */
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

    /** How long the next one waits before it begins, lest it should only die of the same again. */
    public Duration pause() {
        int pauses = Math.clamp((long) quick - AT_ONCE, 0, MOST_PAUSES);
        return ManagerLimits.CRASH_PAUSE.duration().multipliedBy(pauses);
    }

    Predecessor adopted(int units) {
        return new Predecessor(crashes, last, how, quick, units, begun, stopping, handedOver);
    }

    /** The present manager has done what it was started for. */
    Predecessor begins() {
        return new Predecessor(crashes, last, how, quick, adopted, true, stopping, handedOver);
    }

    /** The present manager stops everything, and ends so. */
    Predecessor stops(ManagerEnd end) {
        return new Predecessor(
                crashes, last, how, quick, adopted, begun, Optional.of(end), handedOver);
    }

    /** What the next manager is told by one that ends so that it takes over. */
    Fields handsOver(long store) {
        return record(store).put(HANDED_OVER, true);
    }

    /** What the next manager is told. */
    Fields record(long store) {
        try (PidFd self = PidFd.self()) {
            Fields fields = new Fields();
            stopping.ifPresent(end -> end.into(fields));
            return fields.put(PROCESS, self.processId().toString())
                    .put("monotonic", System.nanoTime())
                    .put(STORE, store)
                    .put("crashes", crashes)
                    .put("quick", quick)
                    .put("begun", begun)
                    .put(STOPPING, stopping.isPresent());
        }
    }
}
