package io.holdfast.dbus.marshal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.dbus.wire.Signature;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@SameOnEveryKernel
@Timeout(value = 30, unit = TimeUnit.SECONDS)
class SignatureTest {
    private static final String DEEP_ARRAYS = "a".repeat(32) + "y";
    private static final String DEEP_STRUCTS = "(".repeat(32) + "y" + ")".repeat(32);

    static Stream<String> good() {
        return Stream.of(
                "",
                "y",
                "sss",
                "ay",
                "aas",
                "a{sv}",
                "a{oa{sa{sv}}}",
                "(i)",
                "(i(s)av)",
                "ybnqiuxtdsoghv",
                "a(y)",
                "a{yv}a{gs}",
                "y".repeat(255),
                DEEP_ARRAYS,
                DEEP_STRUCTS,
                "a".repeat(32) + DEEP_STRUCTS);
    }

    @ParameterizedTest
    @MethodSource
    void good(String text) {
        assertThat(Signature.of(text)).hasToString(text);
        assertThat(
                        String.join(
                                "",
                                Signature.of(text).types().stream()
                                        .map(Signature::toString)
                                        .toList()))
                .isEqualTo(text);
    }

    static Stream<String> bad() {
        return Stream.of(
                "a",
                "aa",
                "()",
                "(",
                ")",
                "(i",
                "i)",
                "{sv}",
                "a{s}",
                "a{}",
                "a{ssv}",
                "a{vs}",
                "a{(i)s}",
                "a{ays}",
                "a{sv",
                "a{sv)",
                "(i}",
                "(a)",
                "({sv})",
                "z",
                "r",
                "e",
                "m",
                "*",
                "?",
                "@",
                "&",
                "^",
                "s ",
                "\u00e9",
                "\0",
                "i{su}",
                "y".repeat(256),
                "a" + DEEP_ARRAYS,
                "(" + DEEP_STRUCTS + ")",
                "a{y" + DEEP_STRUCTS + "}");
    }

    @ParameterizedTest
    @MethodSource
    void bad(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> Signature.of(text));
    }

    @Test
    void theErrorTellsThePlace() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Signature.of("sa{vs}"))
                .withMessage("not a signature: 'sa{vs}', wrong at character 3");
    }

    @ParameterizedTest
    @ValueSource(strings = {"y", "v", "as", "a{sv}", "(ii)", "aa(ya{sv})"})
    void oneCompleteTypeIsSingle(String text) {
        assertThat(Signature.of(text).isSingle()).isTrue();
        assertThat(checkSingle(text)).isEqualTo(-1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "yy", "asas", "(i)(i)", "a{sv}s"})
    void moreOrLessIsNot(String text) {
        assertThat(Signature.of(text).isSingle()).isFalse();
        assertThat(checkSingle(text)).isNotEqualTo(-1);
    }

    private static int checkSingle(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        return SignatureCheck.checkSingle(MemorySegment.ofArray(bytes), 0, bytes.length);
    }
}
