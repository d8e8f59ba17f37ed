package io.holdfast.manager.log;

import io.holdfast.manager.loop.ManagerCounters;
import io.holdfast.manager.loop.ManagerLimits;
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
    private final byte[] chunk; // shared by all logs
    private final Map<UnitName, UnitLog> inUse = new HashMap<>();
    private final Map<UnitName, UnitLog> kept = new LinkedHashMap<>(); // the oldest first

    /**
     * Creates the logs, with those that an earlier manager has left.
     *
     * @param listener receives each line, on the thread that reads it
     * @param counters counts the lines
     */
    public UnitLogs(ManagerListener listener, Survival survival, ManagerCounters counters) {
        this.listener = listener;
        this.survival = survival;
        this.counters = counters;
        chunk = new byte[survival.isOn() ? CHUNK : 0];
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
        UnitLog log = new UnitLog(ManagerLimits.LOG_LINES.intValue(), UnitLog.DEFAULT_LINE_BYTES);
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
        DurableIntake intake = new DurableIntake(unit, log, listener, survival, chunk);
        log.intake(intake);
        return intake;
    }

    /** Releases the log of a unit that is being unloaded. */
    public void release(UnitName unit) {
        UnitLog log = inUse.remove(unit);
        if (log != null && log.last(1).isEmpty()) {
            log.intake().forget();
        } else if (log != null) {
            kept.put(unit, log);
            while (kept.size() > ManagerLimits.LOGS.intValue()) {
                Iterator<UnitLog> oldest = kept.values().iterator();
                oldest.next().intake().forget();
                oldest.remove();
            }
        }
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
