package io.holdfast.varlink.json;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.varlink.Samples;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@SameOnEveryKernel
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class JsonTest {
    static Stream<Gen> cases() {
        return Gen.cases(300);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void whatIsWrittenReadsBackEqual(Gen gen) {
        Json value = new Samples(gen).json(5);
        assertThat(Json.parse(value.toBytes(), JsonLimits.DEFAULT)).isEqualTo(value);
        assertThat(Json.parse(value.toString())).isEqualTo(value);
        assertThat(value.toBytes()).doesNotContain(0).isEqualTo(value.toString().getBytes(UTF_8));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "{",
                "[",
                "[1",
                "[1,",
                "[1,]",
                "[,]",
                "{\"a\"}",
                "{\"a\":}",
                "{\"a\":1,}",
                "{a:1}",
                "{'a':1}",
                "nul",
                "True",
                "NaN",
                "Infinity",
                "-",
                "+1",
                "01",
                "1.",
                ".5",
                "1e",
                "0x10",
                "\"",
                "\"\n\"",
                "\"\\x\"",
                "\"\\u12\"",
                "\"\\ud800\"",
                "\"\\udc00\\ud800\"",
                "{\"\\ud800\":1}",
                "{} {}",
                "1 2",
                "{}]",
                "// c\n1",
                "\uFEFF{}",
                "\u00a01",
                "[1}",
                "1e999",
                "-1e999"
            })
    void whatIsNoJsonIsRefusedWithItsPlace(String text) {
        assertThatThrownBy(() -> Json.parse(text))
                .isInstanceOf(JsonException.class)
                .hasMessageMatching("(?s)offset \\d+: .+");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "9223372036854775808",
                "-9223372036854775809",
                "18446744073709551615",
                "100000000000000000000000000000000000000000000000000"
            })
    void anIntegerBeyond64BitsIsRefusedAndNeverRounded(String text) {
        assertThatThrownBy(() -> Json.parse(text)).hasMessageContaining("does not fit 64 bits");
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MIN_VALUE, Long.MAX_VALUE, (1L << 53) + 1, -(1L << 53) - 1, 0})
    void anIntegerOf64BitsKeepsItsLastBit(long value) {
        assertThat(Json.parse(Long.toString(value)).asLong()).isEqualTo(value);
    }

    @Test
    void aKeyGivenTwiceIsRefused() {
        assertThatThrownBy(() -> Json.parse("{\"a\":1,\"b\":{\"x\":1,\"\\u0078\":2}}"))
                .isInstanceOf(JsonException.class)
                .hasMessageContaining("duplicate key \"x\"");
    }

    @ParameterizedTest
    @CsvSource({
        "22 C3 28 22, 1", // cut sequence
        "22 C0 80 22, 1", // overlong NUL
        "22 E0 80 AF 22, 1", // overlong slash
        "22 ED A0 80 22, 1", // encoded surrogate
        "22 61 F4 90 80 80 22, 2", // beyond U+10FFFF
        "FE FF 00 31, 0", // UTF-16
        "22 E2 82, 1",
    })
    void malformedUtf8IsRefusedWithItsOffset(String hex, int offset) {
        byte[] bytes = HexFormat.ofDelimiter(" ").parseHex(hex);
        assertThatThrownBy(() -> Json.parse(bytes, JsonLimits.DEFAULT))
                .isInstanceOf(JsonException.class)
                .hasMessage("offset " + offset + ": not well-formed UTF-8");
    }

    @Test
    void eachLimitHoldsExactlyAtItsValue() {
        JsonLimits limits = new JsonLimits(12, 3, 4);
        assertThat(parse("[[[1]]]", limits)).isNotNull();
        assertThatThrownBy(() -> parse("[[[[]]]]", limits))
                .hasMessageContaining("nested deeper than the limit of 3");
        assertThat(parse("[1,2,3]", limits)).isNotNull();
        assertThatThrownBy(() -> parse("[1,2,3,4]", limits))
                .hasMessageContaining("more than the limit of 4 values");
        assertThat(parse("\"0123456789\"", limits)).isNotNull();
        assertThatThrownBy(() -> parse("\"01234567890\"", limits))
                .hasMessageContaining("13 bytes are more than the limit of 12");
    }

    private static Json parse(String text, JsonLimits limits) {
        return Json.parse(text.getBytes(UTF_8), limits);
    }

    @Test
    void theDeepestNestingIsReadComparedAndWritten() {
        int depth = JsonLimits.GREATEST_DEPTH;
        JsonLimits limits = new JsonLimits(1 << 20, depth, 1 << 20);
        String text = "[".repeat(depth) + "]".repeat(depth);
        Json value = parse(text, limits);
        assertThat(value).isEqualTo(parse(text, limits)).hasToString(text);
        assertThatThrownBy(() -> parse("[" + text + "]", limits)).isInstanceOf(JsonException.class);
        assertThatThrownBy(() -> parse("[".repeat(1 << 20), limits))
                .isInstanceOf(JsonException.class);
    }

    @Test
    void objectsAreEqualInAnyOrderButKeepTheirs() {
        Json value = Json.parse("{\"b\":1,\"a\":2}");
        assertThat(value).isEqualTo(Json.parse("{\"a\":2,\"b\":1}"));
        assertThat(value).hasToString("{\"b\":1,\"a\":2}");
    }

    @Test
    void aRealNumberIsNoIntegerButAnIntegerServesAsANumber() {
        assertThat(Json.parse("1.0")).isEqualTo(Json.of(1.0)).isNotEqualTo(Json.of(1));
        assertThat(Json.parse("1").asDouble()).isEqualTo(1.0);
        assertThatThrownBy(() -> Json.parse("1.0").asLong())
                .hasMessage("expected an integer, found real number");
    }

    @Test
    void fieldsAreReadByNameAndType() {
        JsonObject object =
                Json.parse(
                                """
                                {"s":"x","i":1,"r":1.5,"b":true,"o":{"k":"v"},"n":null,
                                 "l":[1],"t":["a","b"],"p":[{},{}]}
                                """)
                        .asObject();
        assertThat(object.string("s")).isEqualTo("x");
        assertThat(object.integer("i")).isEqualTo(1);
        assertThat(object.real("r")).isEqualTo(1.5);
        assertThat(object.bool("b")).isTrue();
        assertThat(object.object("o")).isEqualTo(JsonObject.of("k", "v"));
        assertThat(object.array("l")).containsExactly(Json.of(1));
        assertThat(object.strings("t")).containsExactly("a", "b");
        assertThat(object.objects("p")).hasSize(2);
        assertThat(object.optionalString("n")).isEmpty();
        assertThat(object.optionalInteger("absent")).isEqualTo(OptionalLong.empty());
        assertThat(object.bool("absent", true)).isTrue();
        assertThat(object.optionalObject("o")).contains(JsonObject.of("k", "v"));
        assertThat(object.optionalArray("l")).contains(List.of(Json.of(1)));
        assertThat(object.optionalStrings("t")).contains(List.of("a", "b"));
    }

    @Test
    void aFieldThatIsMissingOrOfAnotherTypeIsNamed() {
        JsonObject object = Json.parse("{\"a\":null,\"b\":[\"x\",1]}").asObject();
        assertThatThrownBy(() -> object.string("a")).hasMessage("field \"a\" is missing");
        assertThatThrownBy(() -> object.integer("b"))
                .hasMessage("field \"b\": expected an integer, found array");
        assertThatThrownBy(() -> object.strings("b"))
                .hasMessage("field \"b\": expected a string, found integer");
        assertThatThrownBy(() -> object.optionalObject("b")).isInstanceOf(JsonException.class);
    }

    @Test
    void aBuilderTakesEachNameOnceAndLeavesAbsentOnesOut() {
        JsonObject built =
                JsonObject.builder()
                        .put("a", 1)
                        .put("b", List.of(Json.of(2)))
                        .putStrings("c", List.of("x"))
                        .putIfPresent("d", Optional.empty())
                        .putIfPresent("e", OptionalLong.of(3))
                        .build();
        assertThat(built).hasToString("{\"a\":1,\"b\":[2],\"c\":[\"x\"],\"e\":3}");
        assertThat(catchThrowable(() -> JsonObject.builder().put("a", 1).put("a", 2)))
                .hasMessage("field \"a\" was already put");
    }

    @Test
    void aValueNoUtf8CanCarryIsRefusedWhenItIsMade() {
        assertThatThrownBy(() -> Json.of("a\ud800")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> JsonObject.of("\udc00", 1))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Json.of(Double.NaN)).isInstanceOf(IllegalArgumentException.class);
    }
}
