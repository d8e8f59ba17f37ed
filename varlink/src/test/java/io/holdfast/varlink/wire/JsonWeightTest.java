package io.holdfast.varlink.wire;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import org.junit.jupiter.api.Test;

@SameOnEveryKernel
class JsonWeightTest {
    @Test
    void stringsWeighTwoBytesACharAndNamesAsMuch() {
        long empty = JsonWeight.of(Json.of(""));
        assertThat(empty).isGreaterThanOrEqualTo(56);
        assertThat(JsonWeight.of(Json.of("x".repeat(1000)))).isEqualTo(empty + 2000);
        assertThat(JsonWeight.of(JsonObject.of("x".repeat(1000), 1)))
                .isEqualTo(JsonWeight.of(JsonObject.of("", 1)) + 2000);
    }

    @Test
    void smallValuesWeighManyTimesTheirText() {
        String nested = "{\"\":".repeat(100) + "0" + "}".repeat(100);
        assertThat(JsonWeight.of(Json.parse(nested))).isGreaterThan(100 * 200);
        assertThat(JsonWeight.of(Json.parse("[" + "[],".repeat(99) + "[]]")))
                .isGreaterThan(100 * 56);
        assertThat(JsonWeight.of(Json.parse("[1,2.5,true,null]"))).isGreaterThan(3 * 16 + 4 * 4);
    }
}
