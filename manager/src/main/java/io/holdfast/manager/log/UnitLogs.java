package io.holdfast.manager.log;

import io.holdfast.manager.loop.ManagerCounters;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.unit.UnitName;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The logs of all units. The log of an unloaded unit is kept for later requests, and continues if
 * the unit is loaded again: the newest {@link ManagerLimits#LOGS} of them. On the loop.
 */
public final class UnitLogs {
    private static final int CHUNK = 64 << 10;

    private final ManagerListener listener;
    private final ManagerCounters counters;
    private final Optional<JournalSocket> journal;
    private final byte[] chunk = new byte[CHUNK]; // shared by all logs
    private final LogBudget budget = new LogBudget(ManagerLimits.LOG_MEMORY.value());
    private final Map<UnitName, UnitLog> inUse = new HashMap<>();
    private final Map<UnitName, UnitLog> kept = new LinkedHashMap<>(); // the oldest first

    /**
     * Creates the logs.
     *
     * @param listener receives each line, on the thread that reads it
     * @param counters counts the lines
     * @param journal the receiver of the units' output, if there is one
     */
    public UnitLogs(
            ManagerListener listener, ManagerCounters counters, Optional<JournalSocket> journal) {
        this.listener = listener;
        this.counters = counters;
        this.journal = journal;
    }

    /** Returns a buffer for the pipes of all units. */
    public byte[] chunk() {
        return chunk;
    }

    /** Returns the receiver of a unit's output; empty if the manager reads it from a pipe. */
    public Optional<JournalSocket> receiver(UnitName unit) {
        return journal.filter(socket -> !socket.passedOn().contains(unit));
    }

    /** Returns whether a unit belongs to the receiver of the others' output. */
    public boolean isReceiver(UnitName unit) {
        return journal.filter(socket -> socket.units().contains(unit)).isPresent();
    }

    /** Keeps the log that a unit has left, because the unit is loaded again. */
    public void loaded(UnitName unit) {
        UnitLog before = kept.remove(unit);
        if (before != null) {
            inUse.put(unit, before);
        }
    }

    /** Returns the log of a loaded unit, which is made for its first run. */
    public UnitLog open(UnitName unit) {
        return inUse.computeIfAbsent(unit, this::make);
    }

    private UnitLog make(UnitName unit) {
        UnitLog log =
                new UnitLog(ManagerLimits.LOG_LINES.intValue(), UnitLog.DEFAULT_LINE_BYTES, budget);
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

    /** Releases the log of a unit that is being unloaded. */
    public void release(UnitName unit) {
        UnitLog log = inUse.remove(unit);
        if (log != null && log.last(1).isEmpty()) {
            budget.remove(log);
        } else if (log != null) {
            kept.put(unit, log);
            while (kept.size() > ManagerLimits.LOGS.intValue()) {
                Iterator<UnitLog> oldest = kept.values().iterator();
                budget.remove(oldest.next());
                oldest.remove();
            }
        }
    }

    /** Returns the log of a unit, or the one that an unloaded unit has left, if there is one. */
    public Optional<UnitLog> find(UnitName unit) {
        return Optional.ofNullable(inUse.getOrDefault(unit, kept.get(unit)));
    }
}
