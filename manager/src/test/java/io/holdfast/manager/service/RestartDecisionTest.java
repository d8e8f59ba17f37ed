package io.holdfast.manager.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Exit;
import io.holdfast.manager.unit.section.ServiceSection.Restart;
import io.holdfast.manager.unit.section.ServiceSection.RestartMode;
import io.holdfast.manager.unit.section.ServiceSection.RestartPolicy;
import io.holdfast.manager.unit.value.ExitStatusSet;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(10)
class RestartDecisionTest {
    private static final ExitStatusSet NONE = ExitStatusSet.EMPTY;

    private static RestartPolicy policy(Restart when, ExitStatusSet prevent, ExitStatusSet force) {
        return new RestartPolicy(
                when,
                RestartMode.NORMAL,
                TimeSpan.millis(100),
                0,
                TimeSpan.INFINITY,
                prevent,
                force);
    }

    /** The columns are the results that cause a restart. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    NO          |
                    ALWAYS      | SUCCESS RESOURCES PROTOCOL TIMEOUT EXIT_CODE SIGNAL CORE_DUMP WATCHDOG OOM_KILL
                    ON_SUCCESS  | SUCCESS
                    ON_FAILURE  | RESOURCES PROTOCOL TIMEOUT EXIT_CODE SIGNAL CORE_DUMP WATCHDOG OOM_KILL
                    ON_ABNORMAL | RESOURCES PROTOCOL TIMEOUT SIGNAL CORE_DUMP WATCHDOG OOM_KILL
                    ON_ABORT    | SIGNAL CORE_DUMP
                    ON_WATCHDOG | WATCHDOG
                    """)
    void eachPolicyRestartsAfterItsResults(Restart when, String results) {
        Set<ServiceResult> expected = EnumSet.noneOf(ServiceResult.class);
        for (String name : results == null ? new String[0] : results.split(" ")) {
            expected.add(ServiceResult.valueOf(name));
        }
        for (ServiceResult result : ServiceResult.values()) {
            RestartPolicy policy = policy(when, NONE, NONE);
            assertThat(RestartDecision.restarts(policy, result, Optional.empty()))
                    .as("%s after %s", when, result)
                    .isEqualTo(expected.contains(result));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "7, ALWAYS, false",
        "8, NO, true",
        "8, ON_SUCCESS, true",
        "9, NO, false",
        "KILL, ALWAYS, false",
        "USR1, NO, true",
        "?, NO, false",
        "?, ALWAYS, true",
    })
    void statusesPreventBeforeTheyForceBeforeThePolicy(String end, Restart when, boolean restarts) {
        ExitStatusSet prevent = new ExitStatusSet(Set.of(7), Set.of(9));
        ExitStatusSet force = new ExitStatusSet(Set.of(7, 8), Set.of(9, 10));
        Exit exit = ServiceResultTest.exit(end);
        ServiceResult result = ServiceResult.ofCommand(exit, NONE);
        assertThat(
                        RestartDecision.restarts(
                                policy(when, prevent, force), result, Optional.of(exit)))
                .isEqualTo(restarts);
    }

    private static RestartPolicy steps(TimeSpan delay, int steps, TimeSpan max) {
        return new RestartPolicy(Restart.ALWAYS, RestartMode.NORMAL, delay, steps, max, NONE, NONE);
    }

    @ParameterizedTest
    @CsvSource({"0, 1s", "1, 2s", "2, 4s", "3, 8s", "4, 16s", "5, 16s", "1000000, 16s"})
    void theDelayGrowsGeometricallyToItsEnd(int restarts, String delay) {
        RestartPolicy policy = steps(TimeSpan.seconds(1), 4, TimeSpan.seconds(16));
        long micros = RestartDecision.delay(policy, restarts).micros();
        assertThat(micros)
                .isBetween(TimeSpan.parse(delay).micros() - 1, TimeSpan.parse(delay).micros());
    }

    @Test
    void theDelayIsConstantWithoutSteps() {
        TimeSpan second = TimeSpan.seconds(1);
        TimeSpan minute = TimeSpan.seconds(60);
        assertThat(RestartDecision.delay(steps(second, 0, minute), 9)).isEqualTo(second);
        assertThat(RestartDecision.delay(steps(second, 5, TimeSpan.INFINITY), 9)).isEqualTo(second);
        assertThat(RestartDecision.delay(steps(minute, 5, second), 9)).isEqualTo(minute);
        assertThat(RestartDecision.delay(steps(TimeSpan.ZERO, 5, second), 9))
                .isEqualTo(TimeSpan.ZERO);
    }
}
