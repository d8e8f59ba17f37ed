package io.holdfast.journal.format;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.SameOnEveryKernel;
import org.junit.jupiter.api.Test;

/** The hashes are those of their publications. */
@SameOnEveryKernel
class HashTest {
    @Test
    void sipHashReturnsTheValueOfItsPaper() {
        byte[] input = new byte[15];
        for (int i = 0; i < input.length; i++) {
            input[i] = (byte) i;
        }
        assertThat(SipHash.of(0x0706050403020100L, 0x0f0e0d0c0b0a0908L, input, 0, 15))
                .isEqualTo(0xa129ca6149be45e5L);
    }

    @Test
    void lookup3ReturnsTheValueOfItsSelfTest() {
        byte[] input = "xFour score and seven years ago".getBytes(US_ASCII);
        assertThat(Lookup3.of(input, 1, 30)).isEqualTo(0x17770551_ce7226e6L);
    }
}
