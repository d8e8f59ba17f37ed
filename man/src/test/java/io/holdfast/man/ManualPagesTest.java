package io.holdfast.man;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.config.BusLimit;
import io.holdfast.cli.Holdfast;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.ProcessLimits;
import io.holdfast.core.limit.Limit;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** Tests the manual pages that the build has written. */
@Timeout(60)
class ManualPagesTest {
    private static final Path PAGES = Path.of("target/man");
    private static final int UNBROKEN = 4096; // help breaks org.example.Name at its dots, too
    private static final Set<String> HEADINGS =
            Set.of("Usage:", "Examples:", "Exit", "code:", "codes:");

    private record Formatted(String text, String warnings) {}

    /** Formats a page as man(1) does, in lines so long that none is broken. */
    private static Formatted format(Path page) throws IOException, InterruptedException {
        Process groff =
                new ProcessBuilder(
                                "groff",
                                "-k",
                                "-man",
                                "-ww",
                                "-Tutf8",
                                "-P-cbou",
                                "-rLL=200n",
                                page.toString())
                        .start();
        String text = new String(groff.getInputStream().readAllBytes(), UTF_8);
        String warnings = new String(groff.getErrorStream().readAllBytes(), UTF_8);
        assertThat(groff.waitFor()).as(warnings).isZero();
        return new Formatted(text, warnings);
    }

    private static String page(String name) throws IOException {
        return Files.readString(PAGES.resolve(name)).replace("\\-", "-");
    }

    @Test
    void everyCommandHasAPageThatTheProgramsPageNames() throws IOException {
        String program = page("holdfast.1");
        for (String command : Holdfast.grammar().getSubcommands().keySet()) {
            assertThat(PAGES.resolve("holdfast-" + command + ".1")).isNotEmptyFile();
            assertThat(program).contains("\\fBholdfast-" + command + "\\fP(1)");
        }
    }

    static Stream<Path> everyPageIsFormattedWithoutAWarning() throws IOException {
        try (Stream<Path> pages = Files.list(PAGES)) {
            return pages.sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource
    @Needs(programs = "groff")
    void everyPageIsFormattedWithoutAWarning(Path page) throws Exception {
        Formatted formatted = format(page);
        assertThat(formatted.warnings()).isEmpty();
        assertThat(formatted.text())
                .contains("NAME\n", "SYNOPSIS\n", "DESCRIPTION\n", "SEE ALSO\n")
                .doesNotContain("pass:c[", "::", "%n");
    }

    static Stream<Map.Entry<String, CommandLine>> everythingThatHelpSaysIsInThePage() {
        return Holdfast.grammar().getSubcommands().entrySet().stream();
    }

    @ParameterizedTest
    @MethodSource
    @Needs(programs = "groff")
    void everythingThatHelpSaysIsInThePage(Map.Entry<String, CommandLine> command)
            throws Exception {
        Set<String> words =
                words(format(PAGES.resolve("holdfast-" + command.getKey() + ".1")).text());
        CommandLine line = command.getValue().setUsageHelpWidth(UNBROKEN);
        Set<String> help = words(line.getUsageMessage());
        help.removeAll(HEADINGS);
        assertThat(words).containsAll(help);
    }

    private static Set<String> words(String text) {
        return Arrays.stream(text.split("\\s+"))
                .map(word -> word.replaceFirst("[.]$", ""))
                .filter(word -> !word.isEmpty())
                .collect(Collectors.toSet());
    }

    @Test
    void everyExitCodeIsInItsPage() throws Exception {
        String page = page("holdfast-exit-codes.7");
        List<Field> codes =
                Arrays.stream(ExitCode.class.getFields())
                        .filter(field -> field.getType() == int.class)
                        .toList();
        assertThat(codes).hasSizeGreaterThan(5);
        for (Field code : codes) {
            assertThat(page).as(code.getName()).contains("\n\\fB" + code.getInt(null) + "\\fP\n");
        }
    }

    @Test
    void everyLimitIsInItsPageWithItsDefault() throws IOException {
        String page = page("holdfast-limits.7");
        for (Limit limit : ProcessLimits.all()) {
            assertThat(page)
                    .contains(
                            "\\fB" + limit.property() + "\\fP (" + limit.standard(), limit.what());
        }
        for (BusLimit limit : BusLimit.values()) {
            assertThat(page).contains("\\fB" + limit.name().toLowerCase(Locale.ROOT) + "\\fP: ");
        }
    }
}
