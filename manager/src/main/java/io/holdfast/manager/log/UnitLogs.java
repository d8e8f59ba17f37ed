package io.holdfast.manager.log;

import io.holdfast.core.Fd;
import io.holdfast.manager.loop.ManagerCounters;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.survival.Predecessor;
import io.holdfast.manager.survival.Survival;
import io.holdfast.manager.unit.UnitName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The logs of all units. The log of an unloaded unit is kept for later requests, and continues if
 * the unit is loaded again: the newest {@link ManagerLimits#LOGS} of them. On the loop.
 */
public final class UnitLogs implements AutoCloseable {
    private static final int CHUNK = 64 << 10;

    private final ManagerListener listener;
    private final Survival survival;
    private final ManagerCounters counters;
    private final Optional<JournalSocket> journal;
    private final byte[] chunk = new byte[CHUNK]; // shared by all logs
    private final LogBudget budget = new LogBudget(ManagerLimits.LOG_MEMORY.value());
    private final LogBudget files; // of the intakes
    private final Map<UnitName, UnitLog> inUse = new HashMap<>();
    private final Map<UnitName, UnitLog> kept = new LinkedHashMap<>(); // the oldest first

    /**
     * Creates the logs, with those that an earlier manager has left.
     *
     * @param listener receives each line, on the thread that reads it
     * @param counters counts the lines
     * @param journal the receiver of the units' output, if there is one
     */
    public UnitLogs(
            ManagerListener listener,
            Survival survival,
            ManagerCounters counters,
            Optional<JournalSocket> journal) {
        this(
                listener,
                survival,
                counters,
                journal,
                new LogBudget(ManagerLimits.LOG_FILE_MEMORY.value()));
    }

    UnitLogs(
            ManagerListener listener,
            Survival survival,
            ManagerCounters counters,
            Optional<JournalSocket> journal,
            LogBudget files) {
        this.files = files;
        this.journal = journal;
        this.listener = listener;
        this.survival = survival;
        this.counters = counters;
        if (survival.predecessor().isCrashLoop()) {
            forgetKept();
        }
        List<DurableIntake> intakes = new ArrayList<>();
        for (String key : survival.keys(DurableIntake.KEY)) {
            UnitName.parse(key.substring(DurableIntake.KEY.length()))
                    .ifPresent(unit -> {
                        UnitLog log = make(unit);
                        intakes.add(keep(unit, log));
                        kept.put(unit, log);
                    });
        }
        intakes.forEach(DurableIntake::restore);
        intakes.forEach(DurableIntake::resume);
    }

    /** Drops what earlier managers have left, because it may be what they died of. */
    private void forgetKept() {
        List<String> keys = survival.keys(DurableIntake.KEY);
        for (String key : keys) {
            survival.take(key).forEach(Fd::close);
            survival.drop(key);
        }
        if (!keys.isEmpty()) {
            listener.event(
                    ManagerListener.Level.WARNING,
                    "the last output of "
                            + keys.size()
                            + (keys.size() == 1 ? " unit" : " units")
                            + " is dropped: "
                            + Predecessor.CRASH_LOOP
                            + " managers in a row ended in the same way soon after their start");
        }
    }

    /** Returns the receiver of a unit's output; empty if the manager reads it from a pipe. */
    public Optional<JournalSocket> receiver(UnitName unit) {
        return journal.filter(socket -> !socket.passedOn().contains(unit));
    }

    /** Returns whether a unit belongs to the receiver of the others' output. */
    public boolean isReceiver(UnitName unit) {
        return journal.filter(socket -> socket.units().contains(unit)).isPresent();
    }

    /** Opens the log of a unit that is being loaded. */
    public UnitLog open(UnitName unit) {
        UnitLog before = kept.remove(unit);
        UnitLog log = before;
        if (log == null) {
            log = make(unit);
            if (survival.isOn()) {
                DurableIntake _ = keep(unit, log);
            }
        }
        inUse.put(unit, log);
        return log;
    }

    private UnitLog make(UnitName unit) {
        UnitLog log =
                new UnitLog(ManagerLimits.LOG_LINES.intValue(), UnitLog.DEFAULT_LINE_BYTES, budget);
        log.intake(new DirectIntake(log, chunk));
        budget.add(log);
        var _ =
                log.follow(
                        0,
                        line -> {
                            counters.lineWritten();
                            listener.output(unit, line);
                        });
        return log;
    }

    /** Makes the unit's output outlive the manager. */
    private DurableIntake keep(UnitName unit, UnitLog log) {
        DurableIntake intake = new DurableIntake(unit, log, listener, survival, chunk, files);
        log.intake(intake);
        return intake;
    }

    /** Releases the log of a unit that is being unloaded. */
    public void release(UnitName unit) {
        UnitLog log = inUse.remove(unit);
        if (log != null && log.last(1).isEmpty()) {
            forget(log);
        } else if (log != null) {
            kept.put(unit, log);
            while (kept.size() > ManagerLimits.LOGS.intValue()) {
                Iterator<UnitLog> oldest = kept.values().iterator();
                forget(oldest.next());
                oldest.remove();
            }
        }
    }

    private void forget(UnitLog log) {
        log.intake().forget();
        budget.remove(log);
    }

    /** Returns the log of an unloaded unit, if it is kept. */
    public Optional<UnitLog> ofUnloaded(UnitName unit) {
        return Optional.ofNullable(kept.get(unit));
    }

    /**
     * Closes the logs because the manager stops; the output that outlives it stays with the keeper.
     */
    @Override
    public void close() {
        inUse.values().forEach(log -> log.intake().close());
        kept.values().forEach(log -> log.intake().close());
    }
}
