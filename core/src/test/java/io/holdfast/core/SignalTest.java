package io.holdfast.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.testkit.SameOnEveryKernel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@SameOnEveryKernel
class SignalTest {
    @ParameterizedTest
    @CsvSource({
        "TERM, 15", "SIGTERM, 15", "sigterm, 15", "term, 15", "15, 15", "' KILL ', 9", "HUP, 1",
        "CHLD, 17", "SIGCLD, 17", "IOT, 6", "POLL, 29", "IO, 29", "SYS, 31", "STKFLT, 16",
        "RTMIN, 34", "RTMIN+3, 37", "SIGRTMIN+30, 64", "RTMAX, 64", "rtmax-1, 63", "64, 64", "0, 0",
    })
    void isReadByNameOrNumber(String text, int number) {
        assertThat(Signal.of(text)).isEqualTo(new Signal(number));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "SIG",
                "TERMINATE",
                "-1",
                "65",
                "RTMIN+31",
                "RTMIN+",
                "RTMIN+-1",
                "RTMAX-31",
                "RTMAX--1",
                "9.0",
                "SIGSIGTERM",
                "0x9"
            })
    void whatIsNoSignalIsRefusedByItsText(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Signal.of(text))
                .withMessage("no signal: " + text);
    }

    @Test
    void anImpossibleNumberIsRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Signal(-1));
        assertThatIllegalArgumentException().isThrownBy(() -> new Signal(65));
    }

    @Test
    void everySignalPrintsAsWhatItIsReadFrom() {
        for (int number = 0; number <= 64; number++) {
            Signal signal = new Signal(number);
            assertThat(Signal.of(signal.name())).isEqualTo(signal);
            assertThat(Signal.of(signal.toString())).isEqualTo(signal);
        }
        assertThat(Signal.TERM).hasToString("SIGTERM");
        assertThat(Signal.TERM.name()).isEqualTo("TERM");
        assertThat(new Signal(37)).hasToString("SIGRTMIN+3");
        assertThat(new Signal(34)).hasToString("SIGRTMIN");
        assertThat(new Signal(33)).hasToString("33");
        assertThat(new Signal(0)).hasToString("0");
    }
}
