package io.holdfast.manager.unit.resource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.testkit.SameOnEveryKernel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@SameOnEveryKernel
class AddressRangeTest {
    @ParameterizedTest
    @CsvSource({
        "10.1.2.3, 10.1.2.3/32",
        "10.1.2.3/9, 10.0.0.0/9",
        "255.255.255.255/31, 255.255.255.254/31",
        "1.2.3.4/0, 0.0.0.0/0",
        "fe80::1:2/64, fe80:0:0:0:0:0:0:0/64",
        "::1, 0:0:0:0:0:0:0:1/128"
    })
    void anAddressLosesTheBitsBehindItsPrefix(String text, String range) {
        assertThat(AddressRange.parse(text)).singleElement().hasToString(range);
    }

    @Test
    void aNameStandsForRangesOfBothFamilies() {
        assertThat(AddressRange.parse("localhost"))
                .extracting(AddressRange::toString)
                .containsExactly("127.0.0.0/8", "0:0:0:0:0:0:0:1/128");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/8",
                "example.org",
                "127.1",
                "1.2.3.256",
                "1.2.3.4/33",
                "1.2.3.4/-1",
                "::1/129",
                "fe80::1%lo",
                "[::1]",
                "1.2.3.4/",
                "all",
                "::1::"
            })
    void anythingElseIsRefused(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> AddressRange.parse(text));
    }
}
