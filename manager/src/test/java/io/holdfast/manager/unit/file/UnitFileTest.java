package io.holdfast.manager.unit.file;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.manager.unit.Diagnostic;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, unit = TimeUnit.SECONDS)
class UnitFileTest {
    private static List<String> entries(UnitFile file) {
        return file.sections().stream()
                .flatMap(s ->
                        s.entries().stream()
                                .map(e ->
                                        s.name()
                                                + "|"
                                                + e.key()
                                                + "|"
                                                + e.value()
                                                + "|"
                                                + e.place().line()))
                .toList();
    }

    private static List<String> problems(UnitFile file) {
        return file.diagnostics().stream().map(Diagnostic::toString).toList();
    }

    @Test
    void sectionsAndAssignmentsKeepTheirOrderAndPlaces() {
        UnitFile file =
                UnitFile.parse("f", "[Unit]\nA=1\n\n  A = 2 \n[Service]\nB=\n[Unit]\nA=x = y\n");
        assertThat(entries(file))
                .containsExactly("Unit|A|1|2", "Unit|A|2|4", "Service|B||6", "Unit|A|x = y|8");
        assertThat(file.diagnostics()).isEmpty();
    }

    @Test
    void commentsAreSkippedAlsoInsideOfContinuedLines() {
        UnitFile file =
                UnitFile.parse(
                        "f",
                        "# c\n; c\n[S]\nA=one \\\n  # between\n;\n   two\\\n\nB=# no comment\n");
        assertThat(entries(file)).containsExactly("S|A|one  two|4", "S|B|# no comment|9");
    }

    @Test
    void anEvenNumberOfBackslashesDoesNotContinue() {
        UnitFile file = UnitFile.parse("f", "[S]\nA=a\\\\\nB=b\\\\\\\nc\nC=end\\");
        assertThat(entries(file)).containsExactly("S|A|a\\\\|2", "S|B|b\\\\ c|3", "S|C|end|5");
    }

    @Test
    void aBackslashBeforeABlankIsPartOfTheValue() {
        UnitFile file = UnitFile.parse("f", "[S]\nA=a\\ \nB=b\n");
        assertThat(entries(file)).containsExactly("S|A|a\\|2", "S|B|b|3");
        assertThat(entries(UnitFile.parse("f", file.toText()))).isEqualTo(entries(file));
    }

    @Test
    void quotesStayUntouched() {
        UnitFile file = UnitFile.parse("f", "[S]\nA=\"a b\" 'c' \\x41\n");
        assertThat(entries(file)).containsExactly("S|A|\"a b\" 'c' \\x41|2");
    }

    @Test
    void windowsLineEndsAndAByteOrderMarkAreAccepted() {
        UnitFile file = UnitFile.parse("f", "\ufeff[S]\r\nA=1\r\nB=2\rC=3");
        assertThat(entries(file)).containsExactly("S|A|1|2", "S|B|2|3", "S|C|3|4");
        assertThat(file.diagnostics()).isEmpty();
    }

    @Test
    void brokenLinesAreNamedAndSkipped() {
        UnitFile file = UnitFile.parse("f", "A=0\n[S]\nnothing\n=x\nB=2\n");
        assertThat(entries(file)).containsExactly("S|B|2|5");
        assertThat(problems(file))
                .containsExactly(
                        "f:1: an assignment outside of any section; ignored",
                        "f:3: no '=' in \"nothing\"; the line is ignored",
                        "f:4: no name before the '='; the line is ignored");
        assertThat(file.diagnostics()).allMatch(d -> d.severity() == Diagnostic.Severity.WARNING);
    }

    @Test
    void aBrokenSectionHeaderRefusesTheFileAndLosesItsLines() {
        UnitFile file = UnitFile.parse("f", "[A]\nx=1\n[B\ny=2\n[C]\nz=3\n");
        assertThat(entries(file)).containsExactly("A|x|1|2", "C|z|3|6");
        assertThat(problems(file)).containsExactly("f:3: broken section header \"[B\"");
        assertThat(file.diagnostics().getFirst().severity()).isEqualTo(Diagnostic.Severity.ERROR);
    }

    @Test
    void aNulBreaksItsLineOnly() {
        UnitFile file = UnitFile.parse("f", "[S]\nB=b\0c\nC=3\n");
        assertThat(entries(file)).containsExactly("S|C|3|3");
        assertThat(problems(file)).containsExactly("f:2: a NUL byte; the line is ignored");
    }

    @Test
    void aValueThatIsNotUtf8RefusesTheFile() {
        byte[] bytes = "[S]\n# \u00ff\nA=\u00ff\nC=3\n".getBytes(ISO_8859_1);
        UnitFile file = UnitFile.parse("f", bytes);
        assertThat(problems(file)).containsExactly("f:3: not UTF-8");
        assertThat(file.diagnostics().getFirst().severity()).isEqualTo(Diagnostic.Severity.ERROR);
    }

    @Test
    void aLineOfOneMebibyteIsTheLongest() {
        String longest = "A=" + "x".repeat(UnitFile.MAX_LINE - 2);
        UnitFile fits = UnitFile.parse("f", "[S]\n" + longest + "\nB=2\n");
        assertThat(fits.diagnostics()).isEmpty();
        assertThat(fits.sections().getFirst().entries()).hasSize(2);

        UnitFile tooLong = UnitFile.parse("f", "[S]\n" + longest + "x\nB=2\n");
        assertThat(entries(tooLong)).containsExactly("S|B|2|3");
        assertThat(problems(tooLong)).containsExactly("f:2: a line of more than 1048576 bytes");
        assertThat(tooLong.diagnostics().getFirst().severity())
                .isEqualTo(Diagnostic.Severity.ERROR);

        UnitFile joined = UnitFile.parse("f", "[S]\n" + longest + "\\\ny\nB=2\n");
        assertThat(problems(joined)).containsExactly("f:2: a line of more than 1048576 bytes");
    }

    @Test
    void sizeEntriesAndProblemsAreLimited() {
        UnitFile large = UnitFile.parse("f", new byte[UnitFile.MAX_SIZE + 1]);
        assertThat(problems(large)).containsExactly("f: larger than 4194304 bytes");

        UnitFile many = UnitFile.parse("f", "[S]\n" + "A=\n".repeat(UnitFile.MAX_ENTRIES + 1));
        assertThat(problems(many)).containsExactly("f:65538: more than 65536 assignments");

        UnitFile bad = UnitFile.parse("f", "x\n".repeat(100_000) + "[broken\n");
        assertThat(bad.diagnostics()).hasSizeBetween(Diagnostic.LIMIT, Diagnostic.LIMIT + 2);
        assertThat(bad.diagnostics()).anyMatch(d -> d.severity() == Diagnostic.Severity.ERROR);
        assertThat(problems(bad)).last().asString().contains("more problems are not listed");
    }

    @Test
    void aFileThatCannotBeReadIsRefusedWithTheReason(@TempDir Path folder) {
        UnitFile missing = UnitFile.read(folder.resolve("no.service"), UnitFile.Role.FRAGMENT);
        UnitFile directory = UnitFile.read(folder, UnitFile.Role.FRAGMENT);
        assertThat(problems(missing).getFirst())
                .endsWith("no.service: no such file or directory (ENOENT)");
        assertThat(problems(directory).getFirst())
                .endsWith(": is a directory, not a regular file (EISDIR)");
    }
}
