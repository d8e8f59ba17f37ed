package io.holdfast.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNoException;

import io.holdfast.cli.output.Output;
import io.holdfast.core.Feature;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests that the README and the pages in docs/ are true: their programs and commands. */
@Timeout(120)
class ReadmeTest {
    private static final String IMPORTS =
            "import io.holdfast.core.*;\nimport io.holdfast.core.process.*;\n";

    private static final String FURTHER_IMPORTS =
            """
            import io.holdfast.authority.client.*;
            import io.holdfast.bus.*;
            import io.holdfast.bus.config.*;
            import io.holdfast.core.file.*;
            import io.holdfast.core.run.*;
            import io.holdfast.core.scope.*;
            import io.holdfast.core.socket.*;
            import io.holdfast.core.terminal.*;
            import io.holdfast.dbus.*;
            import io.holdfast.dbus.address.*;
            import io.holdfast.dbus.typed.*;
            import io.holdfast.journal.*;
            import io.holdfast.varlink.client.*;
            import io.holdfast.varlink.idl.*;
            import io.holdfast.varlink.typed.*;
            import io.holdfast.varlink.json.*;
            import io.holdfast.varlink.server.*;
            import java.nio.*;
            import java.nio.file.*;
            import java.time.*;
            import java.util.*;
            """;

    /** The variables that the examples use. */
    private static final String GIVEN = "UnixListener listener, UnixSocket connection";

    private static final Pattern EXAMPLE = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
    private static final Pattern COMMAND =
            Pattern.compile(
                    "(?:(?<=^ {4})|`|\\./)holdfast(?= [a-z])([^`#\n…]*)", Pattern.MULTILINE);

    @TempDir private Path temp;

    private static List<String> examples(String page) {
        return EXAMPLE.matcher(page).results().map(found -> found.group(1)).toList();
    }

    private static String first() throws IOException {
        return examples(Pages.text("README.md")).getFirst();
    }

    private static ProcessBuilder java(Path source) {
        return new ProcessBuilder(
                ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                source.toString());
    }

    @Test
    void theExampleCompilesAndRuns() throws Exception {
        Path source = temp.resolve("Example.java");
        Files.writeString(source, IMPORTS + first());
        Program example = Program.run(java(source));

        assertThat(example.err()).isEmpty();
        assertThat(example.out())
                .startsWith("ProcessInfo[pid=")
                .endsWith("a\nb\nexited with status 0\nfalse\n");
        assertThat(example.code()).isZero();
    }

    /** Compiles each example of the guide as a method, or if it is annotated as a member. */
    @Test
    void allExamplesOfTheGuideCompile() throws IOException {
        List<String> examples = examples(Pages.text("docs/library.md"));
        assertThat(examples).hasSizeGreaterThan(15);
        StringBuilder source =
                new StringBuilder(IMPORTS + FURTHER_IMPORTS + "abstract class Example {");
        source.append("abstract void reboot();");
        for (int i = 0; i < examples.size(); i++) {
            boolean isMember = examples.get(i).startsWith("@");
            source.append(
                            isMember
                                    ? ""
                                    : "void example%d(%s) throws Exception {".formatted(i, GIVEN))
                    .append(examples.get(i))
                    .append(isMember ? "" : "}\n");
        }
        Path file = Files.writeString(temp.resolve("Example.java"), source.append('}'));
        compile("-cp", System.getProperty("java.class.path"), file.toString());
    }

    /** Compiles against the module of core and no other jar. */
    @Test
    void theExampleIsAModuleThatNeedsTheCoreAlone() throws Exception {
        Path info = temp.resolve("module-info.java");
        Files.writeString(info, "module example { requires io.holdfast.core; }");
        Path source = Files.createDirectory(temp.resolve("example")).resolve("Example.java");
        Files.writeString(
                source, "package example;\n%sfinal class Example {%s}".formatted(IMPORTS, first()));
        String core =
                Path.of(Feature.class.getProtectionDomain().getCodeSource().getLocation().toURI())
                        .toString();
        compile("-Xlint:all", "-Werror", "-p", core, info.toString(), source.toString());
        Program example =
                Program.run(
                        new ProcessBuilder(
                                ProcessHandle.current().info().command().orElseThrow(),
                                "--enable-native-access=io.holdfast.core",
                                "--illegal-native-access=deny",
                                "-p",
                                core + ":" + temp,
                                "-m",
                                "example/example.Example"));

        assertThat(example.err()).isEmpty();
        assertThat(example.out()).endsWith("exited with status 0\nfalse\n");
        assertThat(example.code()).isZero();
    }

    private void compile(String... arguments) {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(said, true, UTF_8);
        List<String> words = new ArrayList<>(List.of("-d", temp.toString()));
        words.addAll(List.of(arguments));
        int code =
                ToolProvider.findFirst("javac")
                        .orElseThrow()
                        .run(out, out, words.toArray(String[]::new));
        assertThat(code).as(() -> said.toString(UTF_8)).isZero();
    }

    @Test
    void theBusInsideOfAProgramRuns() throws Exception {
        String example =
                examples(Pages.text("docs/library.md")).stream()
                        .filter(each -> each.contains("Bus.open("))
                        .findFirst()
                        .orElseThrow();
        Path source = temp.resolve("Example.java");
        Files.writeString(
                source,
                IMPORTS + FURTHER_IMPORTS + "void main() throws Exception {" + example + "}");
        Program program = Program.run(java(source));

        assertThat(program.err()).isEmpty();
        assertThat(program.out()).matches("\\[\\[org\\.freedesktop\\.DBus, :1\\.[0-9]+\\]\\]\n");
        assertThat(program.code()).isZero();
    }

    @Test
    void everyCommandIsNamed() throws IOException {
        String readme = Pages.text("README.md");
        assertThat(readme).contains("./holdfast up redis-server.service", "./test");
        for (String name : Commands.names()) {
            assertThat(readme).contains("`" + name + "`");
        }
    }

    @Test
    void everyCommandThatAPageShowsIsUnderstood() throws IOException {
        Output output = new Output(System.out, System.err, false, false);
        int shown = 0;
        for (Path page : Pages.all()) {
            for (MatchResult found : COMMAND.matcher(Files.readString(page)).results().toList()) {
                List<String> words = List.of(found.group(1).strip().split(" +"));
                assertThatNoException()
                        .as("%s: holdfast%s", page, found.group(1))
                        .isThrownBy(() -> {
                            var parsed =
                                    CommandTree.forLine(words, output)
                                            .parseArgs(words.toArray(String[]::new));
                            assertThat(parsed.hasSubcommand())
                                    .isEqualTo(!words.getFirst().startsWith("-"));
                        });
                shown++;
            }
        }
        assertThat(shown).isGreaterThan(40);
    }

    @Test
    void everyKernelThatBringsAFeatureIsInItsTable() throws IOException {
        String table = Pages.text("docs/kernels.md");
        for (Feature feature : Feature.values()) {
            if (feature != Feature.PIDFD_OPEN) { // 5.3, but 5.4 is needed to wait for children
                assertThat(table)
                        .contains(
                                feature.since()
                                        .split(" and ")[0]
                                        .replaceFirst("^(Linux|glibc) ", ""));
            }
        }
    }
}
