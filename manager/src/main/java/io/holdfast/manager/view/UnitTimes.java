package io.holdfast.manager.view;

import io.holdfast.manager.loop.Moment;
import io.holdfast.manager.unit.ActiveState;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** When a unit last came into its states and left them. */
public record UnitTimes(
        Moment stateChange,
        Moment inactiveExit,
        Moment activeEnter,
        Moment activeExit,
        Moment inactiveEnter) {
    public static final UnitTimes NEVER =
            new UnitTimes(Moment.NEVER, Moment.NEVER, Moment.NEVER, Moment.NEVER, Moment.NEVER);

    /** After a change of state now. */
    public UnitTimes after(ActiveState from, ActiveState to) {
        Moment now = Moment.now();
        boolean wasDown = isDown(from);
        boolean isDown = isDown(to);
        boolean wasActive = isActive(from);
        boolean isActive = isActive(to);
        return new UnitTimes(
                now,
                wasDown && !isDown ? now : inactiveExit,
                !wasActive && isActive ? now : activeEnter,
                wasActive && !isActive ? now : activeExit,
                !wasDown && isDown ? now : inactiveEnter);
    }

    /** The opposite of {@link #parse}. */
    @Override
    public String toString() {
        return Stream.of(stateChange, inactiveExit, activeEnter, activeExit, inactiveEnter)
                .map(Moment::toString)
                .collect(Collectors.joining(" "));
    }

    /**
     * @throws IllegalArgumentException if that is not what {@link #toString} gives
     */
    public static UnitTimes parse(String text) {
        if (text.isEmpty()) {
            return NEVER;
        }
        List<Moment> each = Stream.of(text.split(" ")).map(Moment::parse).toList();
        if (each.size() != 5) {
            throw new IllegalArgumentException("not five moments: " + text);
        }
        return new UnitTimes(each.get(0), each.get(1), each.get(2), each.get(3), each.get(4));
    }

    private static boolean isDown(ActiveState state) {
        return state == ActiveState.INACTIVE || state == ActiveState.FAILED;
    }

    private static boolean isActive(ActiveState state) {
        return state == ActiveState.ACTIVE || state == ActiveState.RELOADING;
    }
}
