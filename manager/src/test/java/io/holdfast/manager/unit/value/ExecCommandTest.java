package io.holdfast.manager.unit.value;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Gen;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.UnitFilePlace;
import io.holdfast.manager.unit.value.ExecCommand.Flag;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExecCommandTest {
    private static final UnitFilePlace PLACE = new UnitFilePlace("f", 1);

    private static ExecCommand.Line parse(String line) {
        return ExecCommand.parse(line, PLACE, word -> word.replace("%i", "inst ance"));
    }

    private static ExecCommand one(String line) {
        ExecCommand.Line parsed = parse(line);
        assertThat(parsed.diagnostics()).isEmpty();
        assertThat(parsed.commands()).hasSize(1);
        return parsed.commands().getFirst();
    }

    @Test
    void wordsAreSplitAtBlanksOutsideOfQuotes() {
        assertThat(one("/bin/echo  a \"b  c\" 'd \"e\"' f\"g h\"i ''").arguments())
                .containsExactly("/bin/echo", "a", "b  c", "d \"e\"", "fg hi", "");
    }

    @Test
    void escapesAreThoseOfC() {
        assertThat(
                        one("/bin/echo c\\n x\\x41y \\101 \\u00e9 \\U0001F600 \\s \\\\ \\\" \\xc3\\xa9")
                                .arguments())
                .containsExactly("/bin/echo", "c\n", "xAy", "A", "é", "😀", " ", "\\", "\"", "é");
    }

    @Test
    void unknownEscapesStayAndAreTold() {
        ExecCommand.Line line = parse("/bin/echo \\q \\x0 \\400 \\u00 \\x00 \\");
        assertThat(line.commands().getFirst().arguments())
                .containsExactly("/bin/echo", "\\q", "\\x0", "\\400", "\\u00", "\\x00", "\\");
        assertThat(line.diagnostics())
                .extracting(Diagnostic::kind)
                .containsExactly(Diagnostic.Kind.REMARK);
    }

    /** Words, separated by |, as systemd 257 reads them. */
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            quoteCharacter = '`',
            value = {
                "e\\ f g; e\\ f|g",
                "e\\\tf; e\\\tf",
                "e\\  f; e\\ |f",
                "\\ ; \\",
                "\"e\\ f\"; e\\ f",
                "'e\\ f'g; e\\ fg",
                "e\\\\ f; e\\|f",
                "e\\sf; e f",
                "\\q\\ \\x41.; \\q\\ A.",
                "\\x4 1; \\x4|1",
                "e\\; e\\"
            })
    void aBackslashThatBeginsNoEscapeKeepsTheNextCharacterInItsWord(String line, String words) {
        assertThat(parse("/bin/x " + line).commands().getFirst().arguments())
                .containsExactly(("/bin/x|" + words).split("\\|"));
    }

    @Test
    void specifiersAreExpandedInsideOfTheirWord() {
        assertThat(one("/bin/x %i").arguments()).containsExactly("/bin/x", "inst ance");
    }

    @Test
    void aLoneSemicolonSeparatesCommands() {
        ExecCommand.Line line = parse("/bin/a x ; -/bin/b ; ; @/bin/c zero one \\; \";\" ;");
        assertThat(line.commands())
                .extracting(ExecCommand::arguments)
                .containsExactly(
                        List.of("/bin/a", "x"),
                        List.of("/bin/b"),
                        List.of("zero", "one", ";", ";"));
        assertThat(line.commands())
                .extracting(ExecCommand::executable)
                .containsExactly("/bin/a", "/bin/b", "/bin/c");
        assertThat(line.commands().get(0).has(Flag.IGNORE_FAILURE)).isFalse();
        assertThat(line.commands().get(1).has(Flag.IGNORE_FAILURE)).isTrue();
        assertThat(line.commands().get(2).has(Flag.IGNORE_FAILURE)).isFalse();
    }

    @Test
    void aSemicolonInsideOfAWordIsPartOfIt() {
        assertThat(one("/bin/a x; y;z").arguments()).containsExactly("/bin/a", "x;", "y;z");
    }

    @ParameterizedTest
    @CsvSource({
        "-/x, IGNORE_FAILURE",
        ":/x, NO_EXPANSION",
        "+/x, FULLY_PRIVILEGED",
        "!/x, NO_SETUID",
        "!!/x, AMBIENT_MAGIC",
        "-+:/x, IGNORE_FAILURE NO_EXPANSION FULLY_PRIVILEGED",
        ":!!-/x, IGNORE_FAILURE NO_EXPANSION AMBIENT_MAGIC",
    })
    void prefixesSetFlagsInAnyOrder(String line, String flags) {
        assertThat(one(line).flags()).extracting(Flag::name).containsExactly(flags.split(" "));
        assertThat(one(line).executable()).isEqualTo("/x");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/bin/",
                "bin/a",
                ".",
                "@/bin/a",
                "@",
                "+!/bin/a",
                "\"unclosed",
                "/bin/a 'unclosed",
                "/bin/a \"unclosed\\",
                "/bin/a\\x0ab",
                "/bin/a \\xff",
                "\"\"",
                "/bin/..",
                "++/bin/a",
                "|/bin/a"
            })
    void badCommandsRefuseTheUnit(String line) {
        ExecCommand.Line parsed = parse(line);
        assertThat(parsed.commands()).isEmpty();
        assertThat(parsed.diagnostics())
                .anySatisfy(d -> {
                    assertThat(d.kind()).isEqualTo(Diagnostic.Kind.REFUSED);
                    assertThat(d.place()).isEqualTo(PLACE);
                });
    }

    @Test
    void aBadCommandWhoseFailureIsIgnoredIsIgnored() {
        assertThat(parse("-/bin/").diagnostics())
                .extracting(Diagnostic::kind)
                .containsExactly(Diagnostic.Kind.IGNORED);
    }

    @Test
    void anExecutableMayBeAName() {
        assertThat(one("true").executable()).isEqualTo("true");
    }

    @Test
    void variablesAreExpandedAsWordsOrInsideOfWords() {
        ExecCommand command =
                one("/bin/x $A ${A} a${B}c $NO ${NO} $$A $$ $ a$B ${ A$$B \"$A\" ${A:-x}");
        assertThat(command.expand(Map.of("A", "1 '2 3'", "B", "b")))
                .containsExactly(
                        "/bin/x", "1", "2 3", "1 '2 3'", "abc", "", "$A", "$", "a$B", "${", "A$B",
                        "1", "2 3", "${A:-x}");
    }

    @Test
    void aColonPreventsExpansion() {
        assertThat(one(":/bin/x $A ${A} $$").expand(Map.of("A", "1")))
                .containsExactly("/bin/x", "$A", "${A}", "$$");
    }

    static Stream<Gen> generated() {
        return Gen.cases(300);
    }

    @ParameterizedTest
    @MethodSource("generated")
    void quotedWordsComeBackAsTheyWere(Gen gen) {
        List<String> words = gen.list(6, () -> gen.string("ab \\\"'\n;é$%\t", 8));
        StringBuilder line = new StringBuilder("/bin/x");
        for (String word : words) {
            line.append(" \"")
                    .append(word.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n"))
                    .append('"');
        }
        ExecCommand.Line parsed = ExecCommand.parse(line.toString(), PLACE, w -> w);
        List<String> arguments = parsed.commands().getFirst().arguments();
        assertThat(arguments.subList(1, arguments.size())).isEqualTo(words);
    }
}
