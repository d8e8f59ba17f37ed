package io.holdfast.authority.agent;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Gen;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class EscapedTextTest {
    private static String escaped(String text) {
        return new String(EscapedText.escape(text.getBytes(UTF_8)), ISO_8859_1);
    }

    private static String unescaped(String line) {
        return new String(EscapedText.unescape(line.getBytes(ISO_8859_1), 0), UTF_8);
    }

    @Test
    void oneNewlineAtTheEndIsDropped() {
        assertThat(escaped("Password: \n")).isEqualTo("Password: ");
        assertThat(escaped("two\n\n")).isEqualTo("two\\n");
        assertThat(escaped("")).isEmpty();
    }

    @Test
    void theRestIsACString() {
        assertThat(escaped("a\tb\n\"c\" \\ \u001b[0m ä"))
                .isEqualTo("a\\tb\\n\\\"c\\\" \\\\ \\033[0m \\303\\244");
    }

    @ParameterizedTest
    @CsvSource({"\\101\\1012,AA2", "\\x,x", "a\\,a\\", "\\303\\244,ä"})
    void whatOthersEscapeIsRead(String line, String text) {
        assertThat(unescaped(line)).isEqualTo(text);
    }

    @Test
    void shortNumbersAndLettersAreRead() {
        assertThat(unescaped("\\7z\\v\\08")).isEqualTo("\u0007z\u000b\u00008");
    }

    static Stream<Gen> cases() {
        return Gen.cases(300);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void anyBytesComeBackAndNeverMakeALine(Gen gen) {
        byte[] text = gen.bytes(60);
        byte[] line = EscapedText.escape(text);
        boolean newline = text.length > 0 && text[text.length - 1] == '\n';

        for (byte b : line) {
            assertThat(b).isBetween((byte) ' ', (byte) '~');
        }
        assertThat(EscapedText.unescape(line, 0))
                .isEqualTo(newline ? Arrays.copyOf(text, text.length - 1) : text);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void anyLineCanBeUnescaped(Gen gen) {
        byte[] line = gen.string("\\01237 9abx\"n", 40).getBytes(ISO_8859_1);

        assertThat(EscapedText.unescape(line, 0).length).isLessThanOrEqualTo(line.length);
    }
}
