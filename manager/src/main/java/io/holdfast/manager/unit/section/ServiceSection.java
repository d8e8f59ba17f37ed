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
import java.util.stream.Stream;

/**
 * The {@code [Service]} section: the life of a service. Its execution is in {@link ExecSettings},
 * its end in {@link KillSettings}.
 *
 * @param successExitStatus counts as success besides status 0 and the usual signals
 * @param pidFile absolute; a hint only
 * @param busName of {@code Type=dbus}
 * @param remainAfterExit whether it stays active after all its processes have exited
 * @param guessMainPid whether the main process of a forking service may be guessed
 * @param notifyAccess which processes may send notify messages, including what the type implies
 * @param store its descriptor store
 * @param reloadSignal of {@code Type=notify-reload}
 * @param sockets that pass it their descriptors, besides those that name it
 * @param nonBlocking whether the descriptors that it gets from sockets are non-blocking
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

    /** The commands, each list in the order in which it runs. */
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

        public List<ExecCommand> all() {
            return Stream.of(condition, startPre, start, startPost, reload, stop, stopPost)
                    .flatMap(List::stream)
                    .toList();
        }
    }

    /** The kinds of ends after which a service is restarted. */
    public enum Restart {
        NO,
        ON_SUCCESS,
        ON_FAILURE,
        ON_ABNORMAL,
        ON_WATCHDOG,
        ON_ABORT,
        ALWAYS
    }

    /** Whether dependent units see the service as inactive during a restart. */
    public enum RestartMode {
        NORMAL,
        DIRECT,
        DEBUG
    }

    /**
     * The rules of automatic restarts.
     *
     * @param delay before each restart; with {@code steps} it grows to {@code maxDelay}
     * @param prevent ends after which it is never restarted; takes precedence over {@code force}
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
     * The time limits of a service.
     *
     * @param abort after a watchdog timeout
     * @param runtimeMax of the whole run
     * @param watchdog 0: none
     */
    public record Timeouts(
            TimeSpan start,
            TimeSpan stop,
            TimeSpan abort,
            TimeSpan runtimeMax,
            TimeSpan watchdog) {}

    /**
     * The descriptor store of a service.
     *
     * @param most descriptors at once, 0 to {@link #MAX}
     */
    public record Store(int most, Preserve preserve) {
        /** As many descriptors as can be passed to a child, beside those of its sockets. */
        public static final int MAX = 4000;

        /** How long the descriptors are kept. */
        public enum Preserve {
            NO,
            /** From one run to the next. */
            RESTART,
            /** Until the manager ends. */
            YES
        }
    }

    /** The processes whose messages to the notify socket are accepted. */
    public enum NotifyAccess {
        NONE,
        /** The main process. */
        MAIN,
        /** The main process and the control processes. */
        EXEC,
        /** Every process of the unit. */
        ALL;

        /** {@return whether the main process may send messages} */
        public boolean allowsMain() {
            return this != NONE;
        }

        /** {@return whether control processes may send messages} */
        public boolean allowsOthers() {
            return this == EXEC || this == ALL;
        }
    }
}
