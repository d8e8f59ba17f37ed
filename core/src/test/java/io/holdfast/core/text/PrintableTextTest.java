package io.holdfast.core.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.SameOnEveryKernel;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The form in which text of other users reaches a terminal or a log. */
@SameOnEveryKernel
class PrintableTextTest {
    /** Code points from systemd's journal, from manuals of terminals, and from Trojan Source. */
    private static final List<Integer> NASTY =
            List.of(
                    0x00, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x1B, 0x1F, 0x7F, 0x80,
                    0x84, 0x85, 0x90, 0x9B, 0x9C, 0x9D, 0x9F, 0xAD, 0x061C, 0x180E, 0x200B, 0x200C,
                    0x200D, 0x200E, 0x200F, 0x2028, 0x2029, 0x202A, 0x202B, 0x202C, 0x202D, 0x202E,
                    0x2060, 0x2061, 0x2064, 0x2066, 0x2067, 0x2068, 0x2069, 0x206A, 0x206F, 0x3164,
                    0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0xFE0F, 0xFEFF, 0xFFF9, 0xFFFB, 0xE0001,
                    0xE0041, 0xE007F, 0xE0100);

    private static final String READABLE = "aZ0 \\\"~éß日本語Ωж💙\u00a0";

    static Stream<Gen> cases() {
        return Gen.cases(200);
    }

    private static String nasty(Gen gen) {
        StringBuilder text = new StringBuilder();
        for (int i = gen.between(0, 60); i > 0; i--) {
            if (gen.chance(0.5)) {
                text.append(gen.string(READABLE, 6)); // may split a surrogate pair
            } else if (gen.chance(0.7)) {
                text.appendCodePoint(gen.oneOf(NASTY));
            } else {
                text.append((char) gen.between(0, 0xFFFF));
            }
        }
        return text.toString();
    }

    private static boolean isForbidden(int c) {
        return c < 0x20
                || (c >= 0x7F && c < 0xA0)
                || (c >= 0x202A && c <= 0x202E)
                || (c >= 0x2066 && c <= 0x2069)
                || c == 0x200E
                || c == 0x200F
                || c == 0x061C
                || c == 0x2028
                || c == 0x2029
                || c == 0x200B
                || c == 0xFEFF
                || (c >= 0xE0000 && c <= 0xE007F)
                || (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void nothingThatATerminalObeysEverLeaves(Gen gen) throws Exception {
        String shown = PrintableText.of(nasty(gen));

        assertThat(shown.codePoints().filter(PrintableTextTest::isForbidden).toArray())
                .as(shown)
                .isEmpty();
        ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(shown));
        while (bytes.hasRemaining()) {
            assertThat(bytes.get() & 0xFF).isGreaterThanOrEqualTo(0x20).isNotEqualTo(0x7F);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void theSecondTimeNothingChanges(Gen gen) {
        String shown = PrintableText.of(nasty(gen));

        assertThat(PrintableText.of(shown)).isEqualTo(shown);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void aCutLineIsTheBeginningOfTheWholeOneWithAMark(Gen gen) {
        String text = nasty(gen);
        String whole = PrintableText.of(text);
        int most = gen.between(0, 80);
        String shown = PrintableText.of(text, most);

        if (whole.length() <= most) {
            assertThat(shown).isEqualTo(whole);
        } else {
            assertThat(shown).endsWith(PrintableText.CUT);
            String kept = shown.substring(0, shown.length() - PrintableText.CUT.length());
            assertThat(kept).hasSizeLessThanOrEqualTo(most);
            assertThat(whole).startsWith(kept);
            assertThat(PrintableText.of(kept)).as("no half escape, no half pair").isEqualTo(kept);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "plain text, with a \\ and a \"",
                "é à ß ñ 日本語 한국어 Ελληνικά русский עברית العربية हिन्दी ไทย",
                "💙 👨\u200d👩\u200d👧 ❤\ufe0f 🇩🇪",
                "نمی\u200cخواهم", // a Persian word with a zero-width non-joiner
                "dev-disk-by\\x2dlabel-root.device",
                "cafe\u0301",
                "→ ● … “quoted” – 100 €"
            })
    void legitimateTextStaysAsItIs(String text) {
        assertThat(PrintableText.of(text)).isSameAs(text);
    }

    @Test
    void eachKindIsShownAsAnEscapeOfJson() {
        assertThat(PrintableText.of("\u001b]0;title\u0007\u001b[2J"))
                .isEqualTo("\\u001b]0;title\\u0007\\u001b[2J");
        assertThat(PrintableText.of("one\nholdfast: two\r\n"))
                .isEqualTo("one\\nholdfast: two\\r\\n");
        assertThat(PrintableText.of("\u009b31m")).isEqualTo("\\u009b31m");
        assertThat(PrintableText.of("a\u202etxt.exe")).isEqualTo("a\\u202etxt.exe");
        assertThat(PrintableText.of("\u2028\u2029\u0085")).isEqualTo("\\u2028\\u2029\\u0085");
        assertThat(PrintableText.of("\ud83d!")).isEqualTo("\\ud83d!");
        assertThat(PrintableText.of("x\udb40\udc41")).isEqualTo("x\\udb40\\udc41");
        assertThat(PrintableText.of("sshd\u200d.service")).isEqualTo("sshd\\u200d.service");
        assertThat(PrintableText.of("\u202e\u200d")).isEqualTo("\\u202e\\u200d");
    }

    @Test
    void aTabLeadsToTheNextColumnOfEight() {
        assertThat(PrintableText.of("\tat a.b.C")).isEqualTo("        at a.b.C");
        assertThat(PrintableText.of("name\tvalue")).isEqualTo("name    value");
    }

    @Test
    void ofAHugeTextOnlyTheBeginningIsLookedAt() {
        String huge = "\u001b".repeat(5_000_000);

        assertThat(PrintableText.of(huge, 12)).isEqualTo("\\u001b\\u001b" + PrintableText.CUT);
        assertThat(PrintableText.of("x".repeat(100), 3)).isEqualTo("xxx" + PrintableText.CUT);
    }
}
