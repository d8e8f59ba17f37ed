package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.SameOnEveryKernel;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@SameOnEveryKernel
class ProcessIdTest {
    static Stream<Gen> cases() {
        return Gen.cases(200);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void isReadFromWhatItPrints(Gen gen) {
        int pid = gen.between(0, Integer.MAX_VALUE - 1);
        ProcessId whole =
                new ProcessId(
                        pid,
                        OptionalLong.of(gen.anyLong()),
                        Optional.of(new UUID(gen.anyLong(), gen.anyLong())));
        assertThat(ProcessId.parse(whole.toString())).isEqualTo(whole);
        ProcessId inBoot = whole.inThisBoot();
        assertThat(inBoot.toString())
                .isEqualTo(pid + ":" + Long.toUnsignedString(whole.pidfdId().getAsLong()));
        assertThat(ProcessId.parse(inBoot.toString())).isEqualTo(inBoot);
        ProcessId number = new ProcessId(pid, OptionalLong.empty(), Optional.empty());
        assertThat(ProcessId.parse(number.toString())).isEqualTo(number);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ":",
                "x",
                "-1",
                "1:",
                "1:-2",
                "1:2:3",
                "1:x:00000000-0000-0001-0000-000000000002",
                "1:-2:00000000-0000-0001-0000-000000000002",
                "1:2:3:4",
                "99999999999:2:00000000-0000-0001-0000-000000000002"
            })
    void whatIsNoNameIsRefusedByItsText(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ProcessId.parse(text))
                .withMessageContaining("\"" + text + "\"");
    }
}
