package io.holdfast.manager.run;

import io.holdfast.core.Signal;
import io.holdfast.manager.loop.TimeLimit;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.settings.KillSettings.KillMode;
import io.holdfast.manager.unit.value.TimeSpan;
import org.jspecify.annotations.Nullable;

/**
 * The signals that end the processes of a unit, after systemd.kill(5): first {@code KillSignal=} or
 * {@code WatchdogSignal=}, and after a time limit {@code FinalKillSignal=}.
 *
 * <p>A step is over when the processes that {@code KillMode=} signals have exited. With {@code
 * mixed}, the last signal follows as soon as the main process has exited and others are left. Used
 * on the event loop.
 */
public final class KillSequence {
    /** What has been sent. */
    public enum Step {
        /** The watchdog signal, to the main process. */
        ABORT,
        /** The first signal. */
        TERMINATE,
        /** The last signal. */
        KILL
    }

    /** The unit whose processes are ended. */
    public interface Owner {
        KillSettings kill();

        /** Returns the first signal: that of a stop, or of a restart. */
        default Signal firstSignal() {
            return kill().signal();
        }

        /** Returns how long a step may take; 0 and infinity mean without limit. */
        TimeSpan limit(Step step);

        /** Enters the state of a step. */
        void enter(Step step);

        /**
         * Signals the main and the control process, if there are any, and on request all others.
         */
        void signal(Signal signal, boolean all, boolean hangup);

        /** Returns whether a main or control process is left, or may still appear. */
        boolean isAwaited();

        /**
         * Returns whether it is known that no process is left, so that none needs a signal.
         *
         * <p>Called if {@link #isAwaited} returns false.
         */
        default boolean isEmpty() {
            return false;
        }

        /** Calls {@link KillSequence#emptied} when no process is left. */
        void watchEmpty();

        /** Reports that the processes do not end in time: the result is a timeout. */
        void late(String text);

        /** Continues after the last step: the processes have exited, or are given up. */
        void signalled();
    }

    private final Owner owner;
    private final TimeLimit deadline;
    private @Nullable Step step;
    private boolean emptied;

    /**
     * @param deadline the time limit of the unit's present step
     */
    public KillSequence(Owner owner, TimeLimit deadline) {
        this.owner = owner;
        this.deadline = deadline;
    }

    /** Returns whether processes have been signalled and are waited for. */
    public boolean isUnderWay() {
        return step != null;
    }

    /** Begins with the first signal, whatever has been sent before. */
    public void begin() {
        if (owner.kill().mode() == KillMode.NONE) {
            deadline.lift();
            owner.enter(Step.TERMINATE);
            over();
        } else {
            send(Step.TERMINATE);
        }
    }

    /** Begins with the watchdog signal. */
    public void abort() {
        send(Step.ABORT);
    }

    /** Waits for the end of processes that end without a signal, as they have announced. */
    public void await() {
        enter(Step.TERMINATE);
        watch();
    }

    /**
     * Continues a step that an earlier manager began. Its signals are not sent again.
     *
     * @param at when its time limit expires, as {@link TimeLimit#at} returned it
     */
    public void resume(Step before, long at) {
        step = before;
        deadline.restore(at, this::late);
        watch();
    }

    private void send(Step next) {
        enter(next);
        if (!owner.isAwaited() && owner.isEmpty()) {
            over();
            return;
        }
        sendAgain();
        if (step != null) { // the signals may have been the end of it
            watch();
        }
    }

    private void enter(Step next) {
        step = next;
        emptied = false; // it is not known yet of these processes
        owner.enter(next);
        deadline.set(owner.limit(next), this::late);
    }

    private void watch() {
        emptied = false;
        owner.watchEmpty();
        check(); // they may all have exited already
    }

    /**
     * Sends the signals of the present step again, since a process was spawned too late for them.
     */
    public void sendAgain() {
        KillSettings kill = owner.kill();
        KillMode mode = kill.mode();
        boolean last = step == Step.KILL;
        if (step == Step.ABORT) {
            owner.signal(kill.watchdogSignal(), false, false);
        } else {
            owner.signal(
                    last ? kill.finalSignal() : owner.firstSignal(),
                    mode == KillMode.CONTROL_GROUP || (last && mode == KillMode.MIXED),
                    !last && kill.sendHangup());
        }
    }

    /** Handles that no process is left. */
    public void emptied() {
        emptied = true;
        check();
    }

    /** Checks whether all processes have exited, after one has exited or failed to spawn. */
    public void check() {
        if (step == null || owner.isAwaited()) {
            return;
        }
        KillMode mode = owner.kill().mode();
        if (emptied || (mode != KillMode.CONTROL_GROUP && mode != KillMode.MIXED)) {
            over();
        } else if (mode == KillMode.MIXED && step != Step.KILL) {
            send(Step.KILL);
        }
    }

    private void late() {
        if (step == Step.KILL) {
            owner.late("processes are left over after the last signal");
            over();
        } else if (owner.kill().sendFinal()) {
            owner.late("does not stop in time: " + owner.kill().finalSignal());
            send(Step.KILL);
        } else {
            owner.late("does not stop in time, and SendSIGKILL=no");
            over();
        }
    }

    private void over() {
        step = null;
        owner.signalled();
    }
}
