package io.holdfast.manager.service;

import io.holdfast.core.process.Exit;
import io.holdfast.manager.unit.section.ServiceSection.RestartPolicy;
import io.holdfast.manager.unit.value.ExitStatusSet;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.Optional;

/** Decides whether, and after which delay, an ended service is restarted automatically. */
final class RestartDecision {
    private RestartDecision() {}

    /**
     * @param mainExit how its main process ended, if it had one
     */
    static boolean restarts(RestartPolicy policy, ServiceResult result, Optional<Exit> mainExit) {
        if (result == ServiceResult.START_LIMIT_HIT) {
            return false;
        }
        if (mainExit.isPresent() && contains(policy.prevent(), mainExit.get())) {
            return false;
        }
        if (mainExit.isPresent() && contains(policy.force(), mainExit.get())) {
            return true;
        }
        boolean skipped = result == ServiceResult.EXEC_CONDITION;
        boolean failed = result != ServiceResult.SUCCESS && !skipped;
        return switch (policy.when()) {
            case NO -> false;
            case ALWAYS -> !skipped;
            case ON_SUCCESS -> result == ServiceResult.SUCCESS;
            case ON_FAILURE -> failed;
            case ON_ABNORMAL -> failed && result != ServiceResult.EXIT_CODE;
            case ON_ABORT -> result == ServiceResult.SIGNAL || result == ServiceResult.CORE_DUMP;
            case ON_WATCHDOG -> result == ServiceResult.WATCHDOG;
        };
    }

    private static boolean contains(ExitStatusSet set, Exit exit) {
        return switch (exit) {
            case Exit.Exited(int status) -> set.hasStatus(status);
            case Exit.Killed(var signal, _) -> set.hasSignal(signal);
            case Exit.Unknown _ -> false;
        };
    }

    /**
     * Returns the delay before the next restart: {@code RestartSec=}, growing by a constant factor
     * over {@code RestartSteps=} restarts to {@code RestartMaxDelaySec=}.
     *
     * @param restarts how many there were since the service was last started on request
     */
    static TimeSpan delay(RestartPolicy policy, int restarts) {
        TimeSpan first = policy.delay();
        TimeSpan last = policy.maxDelay();
        if (restarts <= 0
                || policy.steps() == 0
                || first.micros() == 0
                || last.isInfinite()
                || first.compareTo(last) >= 0) {
            return first;
        }
        if (restarts >= policy.steps()) {
            return last;
        }
        double growth = (double) last.micros() / first.micros();
        double micros = first.micros() * Math.pow(growth, (double) restarts / policy.steps());
        return new TimeSpan(Math.min((long) micros, last.micros()));
    }
}
