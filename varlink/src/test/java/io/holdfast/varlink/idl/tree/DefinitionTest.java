package io.holdfast.varlink.idl.tree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.varlink.Samples;
import io.holdfast.varlink.idl.IdlException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@SameOnEveryKernel
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class DefinitionTest {
    static Stream<Gen> cases() {
        return Gen.cases(300);
    }

    @Test
    void theWholeGrammarIsRead() {
        Definition thing =
                Definition.parse(
                        """
                        # What it is for.
                        #
                        #  Indented.
                        interface com.example.thing-1.x # not a documentation

                        method Get(
                            # Its name.
                            name: string, opts: ?[string]Kind # of all
                        ) -> (pairs: []Pair, more: ?[]?[string][](a, b), any: any, o: object)
                        type Kind (
                          # the first
                          one, two_2)
                        type Pair (left: string, right: ?int, next: ?Pair,
                          inner: (yes: bool, ratio: float))
                        method Nothing()->()
                        # Lost.
                        error NotThere (name: string) error Bare()
                        """);
        assertThat(thing.documentation().lines())
                .containsExactly("What it is for.", "", " Indented.");
        assertThat(thing.name()).isEqualTo("com.example.thing-1.x");
        assertThat(thing.members())
                .extracting(Definition.Member::name)
                .containsExactly("Get", "Kind", "Pair", "Nothing", "NotThere", "Bare");
        Definition.Method get = thing.method("Get").orElseThrow();
        assertThat(get.documentation()).isEqualTo(Documentation.NONE);
        assertThat(get.input().fields())
                .containsExactly(
                        new Type.Field(
                                new Documentation(List.of("Its name.")),
                                "name",
                                Type.Primitive.STRING),
                        new Type.Field(
                                Documentation.NONE,
                                "opts",
                                new Type.Nullable(new Type.Mapping(new Type.Reference("Kind")))));
        assertThat(get.output().fields().get(1).type())
                .isEqualTo(
                        new Type.Nullable(
                                new Type.Array(
                                        new Type.Nullable(
                                                new Type.Mapping(
                                                        new Type.Array(enumeration("a", "b")))))));
        assertThat(thing.type("Kind").orElseThrow().type())
                .isEqualTo(
                        new Type.Enumeration(
                                List.of(
                                        new Type.Value(
                                                new Documentation(List.of("the first")), "one"),
                                        new Type.Value(Documentation.NONE, "two_2"))));
        assertThat(thing.error("NotThere").orElseThrow().documentation()).hasToString("Lost.");
        assertThat(thing.error("Bare").orElseThrow().parameters()).isEqualTo(Type.Struct.EMPTY);
        assertThat(thing.methods()).hasSize(2);
        assertThat(thing.method("Kind")).isEmpty();
    }

    private static Type.Enumeration enumeration(String... names) {
        return new Type.Enumeration(
                Stream.of(names).map(name -> new Type.Value(Documentation.NONE, name)).toList());
    }

    @ParameterizedTest
    @MethodSource("cases")
    void whatIsPrintedReadsBackEqual(Gen gen) {
        Definition definition = new Samples(gen).definition(false);
        assertThat(Definition.parse(definition.toString())).isEqualTo(definition);
        assertThat(Definition.parse(definition.toString().replace("\n", "\r\n")))
                .isEqualTo(definition);
    }

    static Stream<Arguments> mistakes() {
        return Stream.of(
                Arguments.of("", "1:1: expected \"interface\", found the end"),
                Arguments.of("# x\ninterfaces a.b", "2:1: \"interfaces\" found, expected"),
                Arguments.of("interface a", "1:11: \"a\" is not a valid name of an interface"),
                Arguments.of(
                        "interface a--b.c", "1:11: \"a--b.c\" is not a valid name of an interface"),
                Arguments.of(
                        "interface 1a.b", "1:11: \"1a.b\" is not a valid name of an interface"),
                Arguments.of(
                        "interface a.b.", "1:11: \"a.b.\" is not a valid name of an interface"),
                Arguments.of(
                        "interface a.b\ntype t ()", "2:6: \"t\" is not a valid name of a member"),
                Arguments.of("interface a.b\nstruct T ()", "2:1: \"struct\" expected type,"),
                Arguments.of("interface a.b\n type T", "2:8: expected \"(\", found the end"),
                Arguments.of("interface a.b\ntype T (a:)", "2:11: expected a type, found \")\""),
                Arguments.of(
                        "interface a.b\ntype T (a: Int)", "2:12: \"Int\" is not a type of this"),
                Arguments.of("interface a.b\ntype T (a: uint)", "2:12: \"uint\" is not a type"),
                Arguments.of("interface a.b\ntype T (a: ??int)", "2:13: a type is nullable once"),
                Arguments.of("interface a.b\ntype T (a: ? int)", "2:13: expected a type, found U+"),
                Arguments.of("interface a.b\ntype T (a: [int]T)", "2:12: expected a type, found"),
                Arguments.of("interface a.b\ntype T (a: int b: int)", "2:16: expected \",\""),
                Arguments.of(
                        "interface a.b\ntype T (a: int, b)", "2:18: expected \":\" and a type"),
                Arguments.of("interface a.b\ntype T (a, b: int)", "2:13: expected \",\" or \")\""),
                Arguments.of("interface a.b\ntype T (a,)", "2:11: expected a field's name"),
                Arguments.of(
                        "interface a.b\ntype T (a_: int)",
                        "2:9: \"a_\" is not a valid name of a field"),
                Arguments.of("interface a.b\ntype T (a, a)", "2:12: \"a\" is defined twice"),
                Arguments.of(
                        "interface a.b\ntype T (a: int,\na: int)", "3:1: \"a\" is defined twice"),
                Arguments.of("interface a.b\ntype T ()\nerror T ()", "3:7: \"T\" is defined twice"),
                Arguments.of("interface a.b\nmethod M(a) -> ()", "2:9: expected fields with types"),
                Arguments.of("interface a.b\nmethod M() ()", "2:12: expected \"->\", found \"(\""),
                Arguments.of("interface a.b\nerror E", "2:8: expected \"(\", found the end"),
                Arguments.of(
                        "interface a.b\n;", "2:1: expected type, method or error, found \";\""),
                Arguments.of(
                        "interface a.b\n\ud800",
                        "2:1: expected type, method or error, found U+D800"));
    }

    @ParameterizedTest
    @MethodSource("mistakes")
    void aMistakeIsToldWithLineColumnAndReason(String text, String message) {
        assertThatThrownBy(() -> Definition.parse(text))
                .isInstanceOf(IdlException.class)
                .hasMessageStartingWith(message);
    }

    @Test
    void nestingIsLimitedInTextAndInRecords() {
        String deepest = "[]".repeat(Type.MAX_DEPTH - 2) + "int";
        Definition definition = Definition.parse("interface a.b type T (a: " + deepest + ")");
        assertThat(Definition.parse(definition.toString())).isEqualTo(definition);
        assertThatThrownBy(() -> Definition.parse("interface a.b type T (a: []" + deepest + ")"))
                .hasMessageContaining("nested deeper than the limit of 64");
        assertThatThrownBy(() -> Definition.parse("interface a.b type T " + "(a: ".repeat(100_000)))
                .hasMessageContaining("nested deeper than the limit of 64");
        Type type = Type.Primitive.INT;
        for (int i = 0; i < Type.MAX_DEPTH - 1; i++) {
            type = new Type.Array(type);
        }
        Type.Struct tooDeep =
                new Type.Struct(List.of(new Type.Field(Documentation.NONE, "a", type)));
        Definition.Member member = new Definition.NamedType(Documentation.NONE, "T", tooDeep);
        assertThatThrownBy(() -> new Definition(Documentation.NONE, "a.b", List.of(member)))
                .hasMessageContaining("nested deeper");
    }

    @Test
    void recordsMadeByHandAreHeldToTheSameRules() {
        assertThatThrownBy(() -> new Definition(Documentation.NONE, "nodot", List.of()))
                .hasMessage("\"nodot\" is not a valid name of an interface");
        assertThatThrownBy(() -> new Type.Enumeration(List.of()))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Type.Nullable(new Type.Nullable(Type.Primitive.INT)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> enumeration("a", "a")).hasMessage("value \"a\" is defined twice");
        assertThatThrownBy(() -> new Documentation(List.of("a\nb")))
                .isInstanceOf(IllegalArgumentException.class);
        Definition.Member dangling =
                new Definition.Method(
                        Documentation.NONE,
                        "M",
                        Type.Struct.EMPTY,
                        new Type.Struct(
                                List.of(
                                        new Type.Field(
                                                Documentation.NONE,
                                                "a",
                                                new Type.Reference("Gone")))));
        assertThatThrownBy(() -> new Definition(Documentation.NONE, "a.b", List.of(dangling)))
                .hasMessage("type \"Gone\" is not defined");
    }
}
