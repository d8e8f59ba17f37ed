package io.holdfast.manager.unit.value;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import io.holdfast.core.testkit.Gen;
import io.holdfast.manager.unit.UnitFilePlace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class EnvironmentFileTest {
    private static final UnitFilePlace PLACE = new UnitFilePlace("f", 1);

    @Test
    void linesAreAssignments() {
        assertThat(
                        EnvironmentFile.parse(
                                """
                                # comment
                                ; comment
                                A=1
                                  B = two words \s
                                C="quo ted" 'and' more
                                D='single $X \\'
                                E="dou\\"ble \\$ \\q"
                                F=joined\\
                                line
                                G=es\\caped\\ $
                                H=
                                nothing here
                                1BAD=x
                                I="over
                                lines"
                                A=again
                                """))
                .containsExactly(
                        entry("A", "again"),
                        entry("B", "two words"),
                        entry("C", "quo tedandmore"),
                        entry("D", "single $X \\"),
                        entry("E", "dou\"ble $ \\q"),
                        entry("F", "joinedline"),
                        entry("G", "escaped $"),
                        entry("H", ""),
                        entry("I", "over\nlines"));
    }

    @Test
    void theLastLineNeedsNoEnd() {
        assertThat(EnvironmentFile.parse("A=b")).containsExactly(entry("A", "b"));
        assertThat(EnvironmentFile.parse("A=")).containsExactly(entry("A", ""));
        assertThat(EnvironmentFile.parse("A")).isEmpty();
    }

    @Test
    void aMissingFileIsAnErrorUnlessOptional(@TempDir Path folder) throws IOException {
        String missing = folder.resolve("none").toString();
        assertThat(new EnvironmentFile(missing, true, PLACE).load()).isEmpty();
        assertThatThrownBy(() -> new EnvironmentFile(missing, false, PLACE).load())
                .isInstanceOf(NoSuchFileException.class)
                .hasMessageContaining(missing)
                .hasMessageContaining("f:1");
    }

    @Test
    void wildcardsReadEveryMatchInOrder(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("2.env"), "A=two\n");
        Files.writeString(folder.resolve("1.env"), "A=one\nB=1\n");
        Files.writeString(folder.resolve("other"), "A=other\n");
        EnvironmentFile file = new EnvironmentFile(folder + "/*.env", false, PLACE);
        assertThat(file.load()).containsExactly(entry("A", "two"), entry("B", "1"));
    }

    @Test
    void whatIsNoTextFileIsRefused(@TempDir Path folder) throws IOException {
        Files.write(folder.resolve("bad"), new byte[] {'A', '=', (byte) 0xff});
        assertThatThrownBy(() -> new EnvironmentFile(folder + "/bad", true, PLACE).load())
                .isInstanceOf(IOException.class)
                .hasMessageContaining("not UTF-8");
        assertThatThrownBy(() -> new EnvironmentFile(folder.toString(), true, PLACE).load())
                .hasMessageContaining("not a regular file");
    }

    @Test
    void tooManyMatchesAreRefused(@TempDir Path folder) throws IOException {
        for (int i = 0; i <= EnvironmentFile.MAX_FILES; i++) {
            Files.createFile(folder.resolve("f" + i));
        }
        assertThatThrownBy(() -> new EnvironmentFile(folder + "/*", true, PLACE).load())
                .hasMessageContaining("more than " + EnvironmentFile.MAX_FILES);
    }

    static Stream<Gen> generated() {
        return Gen.cases(200);
    }

    @ParameterizedTest
    @MethodSource("generated")
    void quotedValuesRoundTrip(Gen gen) {
        String value = gen.string("ab \t\\\"'$`\n#;é", 20);
        String quoted = value.replaceAll("([\\\\\"$`])", "\\\\$1");
        assertThat(EnvironmentFile.parse("A=\"" + quoted + "\"\nB=2\n"))
                .isEqualTo(Map.of("A", value, "B", "2"));
    }
}
