package io.holdfast.manager.log;

import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.unit.UnitName;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The logs of all units. That of a unit which is not loaded any more is kept for whoever asks what
 * it wrote, and goes on when it is loaded again: {@link ManagerLimits#LOGS} of those, the newest.
 * On the loop.
 */
public final class UnitLogs {
    private final ManagerListener listener;
    private final Map<UnitName, UnitLog> inUse = new HashMap<>();
    private final Map<UnitName, UnitLog> kept = new LinkedHashMap<>(); // the oldest first

    /**
     * @param listener told of each line, from the thread that reads it
     */
    public UnitLogs(ManagerListener listener) {
        this.listener = listener;
    }

    /** The log of a unit that is loaded from now on. */
    public UnitLog open(UnitName unit) {
        UnitLog before = kept.remove(unit);
        UnitLog log = before == null ? make(unit) : before;
        inUse.put(unit, log);
        return log;
    }

    private UnitLog make(UnitName unit) {
        UnitLog log = new UnitLog(ManagerLimits.LOG_LINES.intValue(), UnitLog.DEFAULT_LINE_BYTES);
        var _ = log.follow(0, line -> listener.output(unit, line));
        return log;
    }

    /** The unit is not loaded any more. */
    public void release(UnitName unit) {
        UnitLog log = inUse.remove(unit);
        if (log != null && !log.last(1).isEmpty()) {
            kept.put(unit, log);
            if (kept.size() > ManagerLimits.LOGS.intValue()) {
                kept.remove(kept.keySet().iterator().next());
            }
        }
    }

    /** That of a unit which is not loaded any more, if it is kept. */
    public Optional<UnitLog> ofUnloaded(UnitName unit) {
        return Optional.ofNullable(kept.get(unit));
    }
}
