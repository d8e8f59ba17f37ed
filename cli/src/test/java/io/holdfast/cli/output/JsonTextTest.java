package io.holdfast.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Gen;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class JsonTextTest {
    @Test
    void membersStandInTheirOrder() {
        assertThat(
                        JsonText.object()
                                .put("b", 1L)
                                .put("a", List.of("x", 2))
                                .put("none", Optional.empty())
                                .put("some", Optional.of(true))
                                .put("object", JsonText.object().put("n", null))
                                .put("empty", JsonText.object())
                                .put("nothing", List.of())
                                .toString())
                .isEqualTo(
                        "{\"b\":1,\"a\":[\"x\",2],\"none\":null,\"some\":true,\"object\":{\"n\":null},"
                                + "\"empty\":{},\"nothing\":[]}");
    }

    @ParameterizedTest
    @MethodSource
    void everyStringIsReadBackAsItWas(Gen gen) {
        int[] characters =
                gen.list(40, () -> gen.between(0, 0x2FFF)).stream()
                        .mapToInt(Integer::intValue)
                        .toArray();
        String text = new String(characters, 0, characters.length);
        String json = JsonText.object().put(text, text).toString();

        assertThat(Json.parse(json)).isEqualTo(JsonObject.of(text, text));
    }

    static Stream<Gen> everyStringIsReadBackAsItWas() {
        return Gen.cases(200);
    }
}
