package io.holdfast.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class EllipsisTest {
    @Test
    void aTextThatFitsStays() {
        assertThat(Ellipsis.middle("", 1)).isEmpty();
        assertThat(Ellipsis.middle("abc", 3)).isEqualTo("abc");
    }

    @Test
    void theMiddleOfALongOneGoes() {
        assertThat(Ellipsis.middle("abcdef", 5)).isEqualTo("ab…ef");
        assertThat(Ellipsis.middle("abcdef", 4)).isEqualTo("ab…f");
        assertThat(Ellipsis.middle("abcdef", 1)).isEqualTo("…");
    }

    @Test
    void noLetterIsCutInTwo() {
        assertThat(Ellipsis.middle("😀😀😀😀", 3)).isEqualTo("😀…😀");
    }

    @Test
    void anEscapeCountsAsItIsPrinted() {
        assertThat(Ellipsis.middle("\u001b[1m\u001b[2m", 10)).isEqualTo("\\u001…b[2m");
    }
}
