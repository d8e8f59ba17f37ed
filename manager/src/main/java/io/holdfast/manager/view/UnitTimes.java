package io.holdfast.manager.view;

import io.holdfast.manager.loop.Moment;
import io.holdfast.manager.unit.ActiveState;

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

    private static boolean isDown(ActiveState state) {
        return state == ActiveState.INACTIVE || state == ActiveState.FAILED;
    }

    private static boolean isActive(ActiveState state) {
        return state == ActiveState.ACTIVE || state == ActiveState.RELOADING;
    }
}
