package io.holdfast.manager.view;

import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.unit.ActiveState;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The times at which a unit last entered and left its states. */
public record UnitTimes(
        DualTimestamp stateChange,
        DualTimestamp inactiveExit,
        DualTimestamp activeEnter,
        DualTimestamp activeExit,
        DualTimestamp inactiveEnter) {
    public static final UnitTimes NEVER =
            new UnitTimes(
                    DualTimestamp.NEVER,
                    DualTimestamp.NEVER,
                    DualTimestamp.NEVER,
                    DualTimestamp.NEVER,
                    DualTimestamp.NEVER);

    /** Returns a copy that records a change of state at the current time. */
    public UnitTimes withTransition(ActiveState from, ActiveState to) {
        DualTimestamp now = DualTimestamp.now();
        boolean wasDown = isInactiveOrFailed(from);
        boolean isDown = isInactiveOrFailed(to);
        boolean wasActive = isActive(from);
        boolean isActive = isActive(to);
        return new UnitTimes(
                now,
                wasDown && !isDown ? now : inactiveExit,
                !wasActive && isActive ? now : activeEnter,
                wasActive && !isActive ? now : activeExit,
                !wasDown && isDown ? now : inactiveEnter);
    }

    /** The inverse of {@link #parse}. */
    @Override
    public String toString() {
        return Stream.of(stateChange, inactiveExit, activeEnter, activeExit, inactiveEnter)
                .map(DualTimestamp::toString)
                .collect(Collectors.joining(" "));
    }

    /**
     * Parses the output of {@link #toString}; an empty text is {@link #NEVER}.
     *
     * @throws IllegalArgumentException if the text is not such an output
     */
    public static UnitTimes parse(String text) {
        if (text.isEmpty()) {
            return NEVER;
        }
        List<DualTimestamp> each = Stream.of(text.split(" ")).map(DualTimestamp::parse).toList();
        if (each.size() != 5) {
            throw new IllegalArgumentException("not five timestamps: " + text);
        }
        return new UnitTimes(each.get(0), each.get(1), each.get(2), each.get(3), each.get(4));
    }

    private static boolean isInactiveOrFailed(ActiveState state) {
        return state == ActiveState.INACTIVE || state == ActiveState.FAILED;
    }

    private static boolean isActive(ActiveState state) {
        return state == ActiveState.ACTIVE || state == ActiveState.RELOADING;
    }
}
