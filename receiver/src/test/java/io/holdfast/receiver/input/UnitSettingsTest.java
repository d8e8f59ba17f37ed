package io.holdfast.receiver.input;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.journal.Field;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What service managers set for units, as journald reads it. */
@Timeout(60)
class UnitSettingsTest {
    private static final String ID = "686a30b81ab84e00a7e384d45b3671fa";

    private static UnitSettings fields(String content) {
        return UnitSettings.parse(ID, "", "", "", content.getBytes(ISO_8859_1), 3);
    }

    @Test
    void whatSystemdWritesIsRead() {
        UnitSettings settings =
                UnitSettings.parse(
                        ID,
                        "5",
                        "5000000",
                        "17",
                        "\3\0\0\0\0\0\0\0A=1\7\0\0\0\0\0\0\0C=x y\na".getBytes(ISO_8859_1),
                        64);
        assertThat(settings.invocationId()).contains(ID);
        assertThat(settings.levelMax()).isEqualTo(OptionalInt.of(5));
        assertThat(settings.rateInterval()).isEqualTo(OptionalLong.of(5_000_000));
        assertThat(settings.rateBurst()).isEqualTo(OptionalLong.of(17));
        assertThat(settings.extraFields())
                .containsExactly(Field.of("A", "1"), Field.of("C", "x y\na"));
        assertThat(UnitSettings.parse("", "", "18446744073709551615", "", new byte[0], 1))
                .extracting(all -> all.rateInterval().orElseThrow())
                .isEqualTo(-1L);
    }

    @Test
    void wrongValuesCountAsAbsent() {
        assertThat(UnitSettings.parse("../x", "8", "-1", "1e3", new byte[0], 1))
                .isEqualTo(UnitSettings.NONE);
        assertThat(UnitSettings.parse("", "", "99999999999999999999", "", new byte[0], 1))
                .isEqualTo(UnitSettings.NONE);
    }

    @Test
    void fieldsThatAreWrongAreLeftOut() {
        assertThat(
                        fields("\4\0\0\0\0\0\0\0_A=1\3\0\0\0\0\0\0\0b=1\3\0\0\0\0\0\0\0C=2")
                                .extraFields())
                .containsExactly(Field.of("C", "2"));
        assertThat(fields("\3\0\0\0\0\0\0\0A=1\u00ff\u00ff\u00ff\u00ff\0\0\0\0B=1").extraFields())
                .as("a size beyond the end")
                .containsExactly(Field.of("A", "1"));
        assertThat(fields("\3\0\0\0\0\0\0\u0080A=1").extraFields()).isEmpty();
        assertThat(fields("\3\0\0\0\0\0\0\0A=1".repeat(9)).extraFields()).hasSize(3);
    }

    @Test
    void deniedPatternsWinOverAllowedOnes() {
        MessageFilter filter =
                MessageFilter.parse("good\u00ffbad.*\0worse".getBytes(ISO_8859_1), 9);
        assertThat(filter.admits("a good one".getBytes(UTF_8))).isTrue();
        assertThat(filter.admits("neither".getBytes(UTF_8))).isFalse();
        assertThat(filter.admits("good and bad".getBytes(UTF_8))).isFalse();
        MessageFilter denying = MessageFilter.parse("\u00ffworse".getBytes(ISO_8859_1), 9);
        assertThat(denying.admits("neither".getBytes(UTF_8))).isTrue();
        assertThat(denying.admits("worse".getBytes(UTF_8))).isFalse();
    }

    @Test
    void anAttributeWithoutDelimiterFiltersNothing() {
        assertThat(MessageFilter.parse("good".getBytes(UTF_8), 9).isEmpty()).isTrue();
        assertThat(MessageFilter.parse("(\u00ff[".getBytes(ISO_8859_1), 9).isEmpty()).isTrue();
    }

    @Test
    void aMatchThatNeverEndsIsGivenUp() {
        MessageFilter filter = MessageFilter.parse("\u00ff(a+)+b".getBytes(ISO_8859_1), 9);
        assertThat(filter.admits("a".repeat(4000).getBytes(UTF_8))).isTrue();
        MessageFilter deep = MessageFilter.parse("\u00ff(x|y)*z".getBytes(ISO_8859_1), 9);
        assertThat(deep.admits("xy".repeat(40_000).getBytes(UTF_8))).isTrue();
    }
}
