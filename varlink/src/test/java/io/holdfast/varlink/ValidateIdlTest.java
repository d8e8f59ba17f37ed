package io.holdfast.varlink;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.varlink.idl.tree.Definition;
import io.holdfast.varlink.idl.tree.Documentation;
import io.holdfast.varlink.idl.tree.Type;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** systemd can parse what we print. */
@SameOnEveryKernel
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class ValidateIdlTest {
    @TempDir Path folder;

    @BeforeAll
    static void needsVarlinkctl() {
        Varlinkctl.assumePresent();
    }

    static Stream<Gen> cases() {
        return Gen.cases(40);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void varlinkctlAcceptsWhatIsPrintedAndItsOwnPrintReadsBackEqual(Gen gen) throws Exception {
        Definition definition = new Samples(gen).definition(true);
        Path file = Files.writeString(folder.resolve("definition"), definition.toString());
        String printed = Varlinkctl.output("validate-idl", file.toString());
        Definition theirs = Definition.parse(printed);
        assertThat(theirs.members().stream().map(ValidateIdlTest::bare))
                .containsExactlyInAnyOrderElementsOf(
                        definition.members().stream().map(ValidateIdlTest::bare).toList());
        assertThat(theirs.name()).isEqualTo(definition.name());
    }

    /** Returns the member without comments, which varlinkctl wraps and moves. */
    private static Definition.Member bare(Definition.Member member) {
        return switch (member) {
            case Definition.NamedType(_, String name, Type.Composite type) ->
                    new Definition.NamedType(Documentation.NONE, name, (Type.Composite) bare(type));
            case Definition.Method(_, String name, Type.Struct input, Type.Struct output) ->
                    new Definition.Method(
                            Documentation.NONE,
                            name,
                            (Type.Struct) bare(input),
                            (Type.Struct) bare(output));
            case Definition.NamedError(_, String name, Type.Struct parameters) ->
                    new Definition.NamedError(
                            Documentation.NONE, name, (Type.Struct) bare(parameters));
        };
    }

    private static Type bare(Type type) {
        return switch (type) {
            case Type.Primitive _, Type.Reference _ -> type;
            case Type.Enumeration enumeration ->
                    new Type.Enumeration(
                            enumeration.values().stream()
                                    .map(v -> new Type.Value(Documentation.NONE, v.name()))
                                    .toList());
            case Type.Struct struct ->
                    new Type.Struct(
                            struct.fields().stream()
                                    .map(field ->
                                            new Type.Field(
                                                    Documentation.NONE,
                                                    field.name(),
                                                    bare(field.type())))
                                    .toList());
            case Type.Array(Type element) -> new Type.Array(bare(element));
            case Type.Mapping(Type value) -> new Type.Mapping(bare(value));
            case Type.Nullable(Type inner) -> new Type.Nullable(bare(inner));
        };
    }
}
