package io.holdfast.manager.unit.section;

import io.holdfast.core.Signal;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.ExitStatusSet;
import io.holdfast.manager.unit.value.ServiceType;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.List;
import java.util.Optional;

/**
 * What a service says in {@code [Service]} about its life; its surroundings are in {@link
 * ExecSettings}, its end in {@link KillSettings}.
 *
 * @param successExitStatus counts as success besides status 0 and the usual signals
 * @param pidFile absolute; a hint only
 * @param busName of {@code Type=dbus}
 * @param remainAfterExit whether it stays active when all its processes have gone
 * @param guessMainPid whether the main process of a forking service may be guessed
 * @param notifyAccess whose notify messages count, with what the type implies
 * @param store of descriptors that it keeps with the manager
 * @param reloadSignal of {@code Type=notify-reload}
 * @param sockets whose descriptors it gets, besides those that name it
 * @param nonBlocking whether the descriptors of sockets that it gets do not block
 * @see <a href="https://www.freedesktop.org/software/systemd/man/systemd.service.html">
 *     systemd.service</a>
 */
public record ServiceSection(
        ServiceType type,
        Commands commands,
        RestartPolicy restart,
        Timeouts timeouts,
        ExitStatusSet successExitStatus,
        Optional<String> pidFile,
        Optional<String> busName,
        boolean remainAfterExit,
        boolean guessMainPid,
        NotifyAccess notifyAccess,
        Store store,
        Signal reloadSignal,
        List<UnitName> sockets,
        boolean nonBlocking) {

    public ServiceSection {
        sockets = List.copyOf(sockets);
    }

    /** Each list in the order in which it runs. */
    public record Commands(
            List<ExecCommand> condition,
            List<ExecCommand> startPre,
            List<ExecCommand> start,
            List<ExecCommand> startPost,
            List<ExecCommand> reload,
            List<ExecCommand> stop,
            List<ExecCommand> stopPost) {
        public Commands {
            condition = List.copyOf(condition);
            startPre = List.copyOf(startPre);
            start = List.copyOf(start);
            startPost = List.copyOf(startPost);
            reload = List.copyOf(reload);
            stop = List.copyOf(stop);
            stopPost = List.copyOf(stopPost);
        }
    }

    /** After what kind of end it is started again. */
    public enum Restart {
        NO,
        ON_SUCCESS,
        ON_FAILURE,
        ON_ABNORMAL,
        ON_WATCHDOG,
        ON_ABORT,
        ALWAYS
    }

    /** Whether a unit that depends on it sees the inactive moment of a restart. */
    public enum RestartMode {
        NORMAL,
        DIRECT,
        DEBUG
    }

    /**
     * @param delay before each restart; with {@code steps} it grows to {@code maxDelay}
     * @param prevent ends after which it is never restarted; beats {@code force}
     * @param force ends after which it is always restarted
     */
    public record RestartPolicy(
            Restart when,
            RestartMode mode,
            TimeSpan delay,
            int steps,
            TimeSpan maxDelay,
            ExitStatusSet prevent,
            ExitStatusSet force) {}

    /**
     * @param abort after a watchdog timeout
     * @param runtimeMax of the whole run
     * @param watchdog 0: none
     */
    public record Timeouts(
            TimeSpan start, TimeSpan stop, TimeSpan abort, TimeSpan runtimeMax, TimeSpan watchdog) {
        /**
         * For {@code start} (but of a oneshot service, which has no end) and {@code stop}: 90 s.
         */
        public static final TimeSpan DEFAULT = TimeSpan.seconds(90);
    }

    /**
     * @param most descriptors at once, 0 to {@link #MAX}
     */
    public record Store(int most, Preserve preserve) {
        /** As many as a child can be given, beside those of its sockets. */
        public static final int MAX = 4000;

        /** Over what they are kept. */
        public enum Preserve {
            NO,
            /** From one run to the next. */
            RESTART,
            /** Until the manager ends. */
            YES
        }
    }

    /** Whose messages to the notify socket count. */
    public enum NotifyAccess {
        NONE,
        /** The main process. */
        MAIN,
        /** The main process and those of the other commands. */
        EXEC,
        /** Every process of the unit's cgroup. */
        ALL
    }
}
