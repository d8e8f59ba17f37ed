package io.holdfast.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MemoryTextTest {
    @ParameterizedTest
    @CsvSource({
        "0,0 B",
        "1023,1023 B",
        "1024,1.0 KiB",
        "12902,12.6 KiB",
        "104857600,100 MiB",
        "1610612736,1.5 GiB",
        "9223372036854775807,8388608 TiB"
    })
    void anAmountHasFewDigits(long bytes, String text) {
        assertThat(MemoryText.of(bytes)).isEqualTo(text);
    }
}
