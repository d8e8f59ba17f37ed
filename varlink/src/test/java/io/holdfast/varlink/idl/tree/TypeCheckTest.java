package io.holdfast.varlink.idl.tree;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.varlink.Samples;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

@SameOnEveryKernel
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class TypeCheckTest {
    private static final Definition THING =
            Definition.parse(
                    """
                    interface com.example.thing
                    type Kind (one, two)
                    type Tree (name: string, children: []Tree)
                    method Get(b: ?bool, i: ?int, f: ?float, s: ?string, o: ?object, a: ?any,
                        e: ?Kind, l: ?[]int, m: ?[string]?int, t: ?Tree, must: int) -> (r: int)
                    """);
    private static final Definition.Method GET = THING.method("Get").orElseThrow();

    static Stream<Gen> cases() {
        return Gen.cases(300);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"b\":1 | b | b: expected bool, found integer",
                "\"i\":1.0 | i | i: expected int, found real number",
                "\"i\":\"1\" | i | i: expected int, found string",
                "\"f\":true | f | f: expected float, found boolean",
                "\"s\":[] | s | s: expected string, found array",
                "\"o\":[] | o | o: expected object, found array",
                "\"e\":\"three\" | e | e: \"three\" is not a value of the enum",
                "\"e\":1 | e | e: expected string, found integer",
                "\"l\":{} | l | l: expected array, found object",
                "\"l\":[1,null] | l | l[1]: expected int, found null",
                "\"l\":[1,2,\"x\"] | l | l[2]: expected int, found string",
                "\"m\":[] | m | m: expected object, found array",
                "\"m\":{\"k\":1,\"x\\ny\":true} | m | m[\"x\\ny\"]: expected int, found boolean",
                "\"t\":{\"name\":\"x\"} | t | t.children: is missing",
                "\"t\":{\"name\":\"x\",\"children\":[{\"name\":1,\"children\":[]}]} | t"
                        + " | t.children[0].name: expected string, found integer",
                "\"t\":{\"name\":\"x\",\"children\":[],\"odd\":1} | t"
                        + " | t.odd: is an unknown field",
                "\"odd\":1 | odd | odd: is an unknown field",
            })
    void aMismatchNamesParameterPlaceAndReason(String field, String parameter, String message) {
        JsonObject call = Json.parse("{" + field + ",\"must\":1}").asObject();
        Optional<Definition.Mismatch> mismatch = THING.checkInput(GET, call);
        assertThat(mismatch.orElseThrow().parameter()).isEqualTo(parameter);
        assertThat(mismatch.orElseThrow()).hasToString(message);
    }

    @Test
    void aParameterThatIsAbsentOrNullIsMissingUnlessNullable() {
        assertThat(THING.checkInput(GET, JsonObject.EMPTY).orElseThrow())
                .hasToString("must: is missing");
        assertThat(THING.checkInput(GET, Json.parse("{\"must\":null}").asObject())).isPresent();
        assertThat(
                        THING.checkInput(
                                GET,
                                Json.parse("{\"b\":null,\"t\":null,\"must\":3,\"m\":{\"x\":null}}")
                                        .asObject()))
                .isEmpty();
    }

    @Test
    void anUnknownFieldOfAReplyIsBorneAtEveryDepthButAWrongOneIsNot() {
        Definition deep =
                Definition.parse("interface a.b method M() -> (x: (y: int), l: [](z: int))");
        Definition.Method method = deep.method("M").orElseThrow();
        JsonObject newer =
                Json.parse("{\"x\":{\"y\":1,\"new\":2},\"l\":[{\"z\":1,\"new\":2}],\"new\":3}")
                        .asObject();
        assertThat(deep.checkOutput(method, newer)).isEmpty();
        assertThat(deep.checkOutput(method, JsonObject.of("x", JsonObject.of("y", "1"))))
                .isPresent();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void generatedValuesFitTheirTypesAndAnUnknownFieldNever(Gen gen) {
        Samples samples = new Samples(gen);
        Definition types = samples.definition(false);
        for (Definition.Method method : types.methods().toList()) {
            Optional<JsonObject> fitting = fitting(samples, types, method.input());
            if (fitting.isEmpty()) {
                continue;
            }
            JsonObject value = fitting.orElseThrow();
            assertThat(types.checkInput(method, value)).isEmpty();
            Map<String, Json> more = new LinkedHashMap<>(value.fields());
            more.put("no field", Json.of(1));
            assertThat(types.checkInput(method, new JsonObject(more)).orElseThrow().parameter())
                    .isEqualTo("no field");
        }
    }

    private static Optional<JsonObject> fitting(Samples samples, Definition types, Type.Struct of) {
        try {
            return Optional.of(samples.fitting(types, of, 4));
        } catch (Samples.EndlessTypeException _) {
            return Optional.empty();
        }
    }
}
