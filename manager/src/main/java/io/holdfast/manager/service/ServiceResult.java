package io.holdfast.manager.service;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.manager.unit.value.ExitStatusSet;
import io.holdfast.manager.unit.value.ServiceType;
import java.util.Locale;
import java.util.Set;

/** How a run of a service ended, in systemd's words. */
enum ServiceResult {
    SUCCESS,
    /** A resource that the start needs was missing or could not be set up. */
    RESOURCES,
    /** It broke the protocol of its type: no READY=1, or no PID file. */
    PROTOCOL,
    TIMEOUT,
    EXIT_CODE,
    SIGNAL,
    CORE_DUMP,
    WATCHDOG,
    START_LIMIT_HIT,
    /** The kernel's OOM killer has killed a process, and {@code OOMPolicy=} ends the service. */
    OOM_KILL,
    /** An {@code ExecCondition=} command decided that it is not started now. */
    EXEC_CONDITION;

    /** Signals that end a daemon cleanly. */
    private static final Set<Signal> CLEAN =
            Set.of(Signal.HUP, Signal.INT, Signal.TERM, Signal.PIPE);

    private static final int NOT_A_CONDITION = 255;

    /**
     * Returns the result of a main process: clean with status 0, by a signal that usually stops
     * daemons (except for a oneshot service), and as {@code SuccessExitStatus=} allows. An unknown
     * exit counts as clean.
     */
    static ServiceResult of(Exit exit, ExitStatusSet success, ServiceType type) {
        boolean stopped =
                type != ServiceType.ONESHOT
                        && exit instanceof Exit.Killed(Signal signal, boolean dumped)
                        && !dumped
                        && CLEAN.contains(signal);
        return stopped ? SUCCESS : ofCommand(exit, success);
    }

    /**
     * Returns the result of any other command: the same rules, but no signal is clean by default.
     */
    static ServiceResult ofCommand(Exit exit, ExitStatusSet success) {
        return switch (exit) {
            case Exit.Exited(int status) ->
                    status == 0 || success.hasStatus(status) ? SUCCESS : EXIT_CODE;
            case Exit.Killed(_, boolean dumped) when dumped -> CORE_DUMP;
            case Exit.Killed(Signal signal, _) -> success.hasSignal(signal) ? SUCCESS : SIGNAL;
            case Exit.Unknown _ -> SUCCESS;
        };
    }

    /** Returns the result of {@code ExecCondition=}: a status of 1 to 254 means "not now". */
    static ServiceResult ofCondition(Exit exit) {
        return exit instanceof Exit.Exited(int status) && status > 0 && status < NOT_A_CONDITION
                ? EXEC_CONDITION
                : ofCommand(exit, ExitStatusSet.EMPTY);
    }

    /** Returns the result as systemd writes it: {@code exit-code}. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
