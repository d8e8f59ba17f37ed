package io.holdfast.manager.service;

import static io.holdfast.manager.unit.value.ServiceType.ONESHOT;
import static io.holdfast.manager.unit.value.ServiceType.SIMPLE;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.manager.unit.value.ExitStatusSet;
import io.holdfast.manager.unit.value.ServiceType;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(10)
class ServiceResultTest {
    static Exit exit(String text) {
        if (text.matches("[0-9]+")) {
            return new Exit.Exited(Integer.parseInt(text));
        }
        return text.equals("?")
                ? new Exit.Unknown()
                : new Exit.Killed(Signal.of(text.replace("+core", "")), text.endsWith("+core"));
    }

    @ParameterizedTest
    @CsvSource({
        "0, SIMPLE, success",
        "1, SIMPLE, exit-code",
        "255, SIMPLE, exit-code",
        "HUP, SIMPLE, success",
        "INT, NOTIFY, success",
        "TERM, FORKING, success",
        "PIPE, EXEC, success",
        "TERM, ONESHOT, signal",
        "KILL, SIMPLE, signal",
        "USR1, SIMPLE, signal",
        "TERM+core, SIMPLE, core-dump",
        "SEGV+core, ONESHOT, core-dump",
        "SEGV, SIMPLE, signal",
        "?, SIMPLE, success",
    })
    void theUsualEnds(String exit, ServiceType type, String result) {
        assertThat(ServiceResult.of(exit(exit), ExitStatusSet.EMPTY, type)).hasToString(result);
    }

    @ParameterizedTest
    @CsvSource({
        "143, SIMPLE, success",
        "143, ONESHOT, success",
        "144, SIMPLE, exit-code",
        "KILL, SIMPLE, success",
        "KILL, ONESHOT, success",
        "KILL+core, SIMPLE, core-dump",
        "TERM, SIMPLE, success",
    })
    void moreEndsCanCountAsSuccess(String exit, ServiceType type, String result) {
        ExitStatusSet success = new ExitStatusSet(Set.of(143), Set.of(9));
        assertThat(ServiceResult.of(exit(exit), success, type)).hasToString(result);
    }

    @Test
    void noSignalIsACleanEndOfAnotherCommand() {
        assertThat(ServiceResult.ofCommand(exit("TERM"), ExitStatusSet.EMPTY))
                .isEqualTo(ServiceResult.SIGNAL);
        assertThat(ServiceResult.of(exit("TERM"), ExitStatusSet.EMPTY, SIMPLE))
                .isNotEqualTo(ServiceResult.of(exit("TERM"), ExitStatusSet.EMPTY, ONESHOT));
    }

    @ParameterizedTest
    @CsvSource({
        "0, success",
        "1, exec-condition",
        "254, exec-condition",
        "255, exit-code",
        "TERM, signal",
        "SEGV+core, core-dump",
    })
    void aConditionCommandSkipsOrFails(String exit, String result) {
        assertThat(ServiceResult.ofCondition(exit(exit))).hasToString(result);
    }
}
