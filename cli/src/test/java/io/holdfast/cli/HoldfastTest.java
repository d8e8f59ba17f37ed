package io.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.command.ExitCode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class HoldfastTest {
    private static final String ESCAPE = "\u001b[";

    @Test
    void versionNamesTheJdkAndTheKernel() {
        Invocation version = Invocation.of("--version");

        assertThat(version.code()).isZero();
        assertThat(version.out())
                .startsWith("holdfast ")
                .contains("JDK " + Runtime.version(), "Linux " + System.getProperty("os.version"))
                .hasLineCount(1);
        assertThat(Invocation.of("--version", "--debug").out()).isEqualTo(version.out());
    }

    @Test
    void helpListsEveryCommandWithWhatItDoes() {
        Invocation help = Invocation.of("--help");

        assertThat(help.code()).isZero();
        for (String name : Commands.names()) {
            assertThat(help.out()).containsPattern("(?m)^  " + name + " +\\S+");
        }
    }

    @Test
    void withoutACommandHelpGoesToStandardErrorAndFails() {
        Invocation nothing = Invocation.of();

        assertThat(nothing.code()).isEqualTo(ExitCode.USAGE);
        assertThat(nothing.out()).isEmpty();
        assertThat(nothing.err()).contains("Usage: holdfast");
    }

    @ParameterizedTest
    @MethodSource
    void everyCommandHasHelpWithAnExample(String name) {
        Invocation help = Invocation.of(name, "--help");

        assertThat(help.code()).isZero();
        assertThat(help.out())
                .contains("Usage: holdfast " + name, "Examples:\n  ")
                .doesNotContain("${C", "%n");
    }

    static Stream<String> everyCommandHasHelpWithAnExample() {
        return Commands.names().stream();
    }

    @Test
    void aMistypedCommandIsRefusedInOneLineThatNamesTheNearest() {
        Invocation mistyped = Invocation.of("completoin");

        assertThat(mistyped.code()).isEqualTo(ExitCode.USAGE);
        assertThat(mistyped.out()).isEmpty();
        assertThat(mistyped.err())
                .startsWith("holdfast: ")
                .contains("'completoin'", "did you mean completion")
                .hasLineCount(1);
    }

    @Test
    void helpAndVersionAreCommandsToo() {
        assertThat(Invocation.of("help")).isEqualTo(Invocation.of("--help"));
        assertThat(Invocation.of("version")).isEqualTo(Invocation.of("--version"));
        assertThat(Invocation.of("help", "status"))
                .isEqualTo(Invocation.of("status", "--help"))
                .satisfies(help -> assertThat(help.out()).contains("Usage: holdfast status"));
        Invocation unknown = Invocation.of("help", "statsu");
        assertThat(unknown.code()).isEqualTo(ExitCode.USAGE);
        assertThat(unknown.err()).contains("did you mean status").hasLineCount(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "list-units    | holdfast status",
                "is-active     | holdfast status",
                "condrestart   | holdfast restart",
                "list-sockets  | holdfast status",
                "try-restart   | holdfast restart",
                "pkcheck       | holdfast check",
                "staart        | did you mean start?",
                "xyzzyplugh    | commands: up init status timers start"
            })
    void aWordThatIsNoCommandLeadsToOne(String word, String said) {
        Invocation unknown = Invocation.of(word, "web.service", "--now");

        assertThat(unknown.code()).isEqualTo(ExitCode.USAGE);
        assertThat(unknown.out()).isEmpty();
        assertThat(unknown.err())
                .startsWith("holdfast: unknown command '" + word + "'")
                .contains(said)
                .hasLineCount(1);
    }

    @Test
    void anUnknownOptionIsRefusedInOneLineThatNamesIt() {
        Invocation unknown = Invocation.of("completion", "--frobnicate", "bash");

        assertThat(unknown.code()).isEqualTo(ExitCode.USAGE);
        assertThat(unknown.err())
                .startsWith("holdfast: unknown option: '--frobnicate'")
                .hasLineCount(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"start", "stop", "restart", "reload", "kill"})
    void whatIsMissingIsNamed(String command) {
        Invocation bare = Invocation.of(command);

        assertThat(bare.code()).isEqualTo(ExitCode.USAGE);
        assertThat(bare.err())
                .startsWith("holdfast: missing required parameter: 'UNIT")
                .hasLineCount(1);
    }

    @Test
    void namesKeepTheirCapitals() {
        assertThat(Invocation.of("bus", "--address", "nonsense").err())
                .startsWith("holdfast: D-Bus address \"nonsense\"");
    }

    @Test
    void theExamplesAreWhatAShellTakes() {
        assertThat(Invocation.of("info", "--help").out())
                .contains("info --json $$ |", "=$(holdfast");
    }

    @Test
    void whatCannotBeWrittenIsAFailure() throws Exception {
        ProcessBuilder full = new ProcessBuilder(Program.command(List.of(), "completion", "bash"));
        Process process = full.redirectOutput(Path.of("/dev/full").toFile()).start();

        assertThat(process.errorReader().lines())
                .containsExactly(
                        "holdfast: standard output: write error; the output is incomplete");
        assertThat(process.waitFor()).isEqualTo(ExitCode.FAILURE);
    }

    @Test
    void whereNobodyReadsItEndsWithoutAWord() throws Exception {
        Process process =
                new ProcessBuilder(Program.command(List.of(), "completion", "bash")).start();
        process.getInputStream().close(); // long before the program writes

        assertThat(process.errorReader().lines()).isEmpty();
        assertThat(process.waitFor()).isEqualTo(ExitCode.OUTPUT_CLOSED).isEqualTo(141);
        assertThat(Invocation.of("--help").out()).contains(", 141 output pipe closed");
    }

    @Test
    void helpIsColouredWhereColoursAre() {
        assertThat(Invocation.inColours("--help").out()).contains(ESCAPE);
        assertThat(Invocation.of("--help").out()).doesNotContain(ESCAPE);
        assertThat(Invocation.inColours("completoin").err()).contains(ESCAPE);
    }

    @Test
    void theCompletionScriptIsOneThatBashTakes() throws IOException, InterruptedException {
        String script = Invocation.of("completion", "bash").out();
        Process bash =
                new ProcessBuilder("bash", "-c", "eval \"$(cat)\" && complete -p holdfast")
                        .redirectErrorStream(true)
                        .start();
        try (var in = bash.outputWriter()) {
            in.write(script);
        }

        assertThat(bash.waitFor(30, TimeUnit.SECONDS)).isTrue();
        assertThat(bash.inputReader().lines().toList())
                .singleElement()
                .asString()
                .contains("holdfast");
        assertThat(Invocation.of("completion", "zsh").out()).startsWith("#compdef holdfast\n");
        assertThat(Invocation.of("completion", "fish").out()).contains("complete -c holdfast ");
    }

    @Test
    void noCompletionForUnknownShells() {
        Invocation csh = Invocation.of("completion", "csh");

        assertThat(csh.code()).isEqualTo(ExitCode.USAGE);
        assertThat(csh.err()).contains("'csh'", "bash", "zsh", "fish").hasLineCount(1);
        Invocation none = Invocation.of("completion");
        assertThat(none.code()).isEqualTo(ExitCode.USAGE);
        assertThat(none.err()).contains("missing SHELL; expected bash, zsh, fish").hasLineCount(1);
    }

    /** Binding native code takes half of the start-up time, which help must not cost. */
    @ParameterizedTest
    @MethodSource
    void whatNeedsNoKernelBindsNoNativeCode(List<String> arguments)
            throws IOException, InterruptedException {
        Process java =
                new ProcessBuilder(
                                Stream.concat(
                                                Stream.of(
                                                        ProcessHandle.current()
                                                                .info()
                                                                .command()
                                                                .orElseThrow(),
                                                        "-Xlog:class+load:stdout",
                                                        "-cp",
                                                        System.getProperty("java.class.path"),
                                                        "io.holdfast.cli.Holdfast"),
                                                arguments.stream())
                                        .toList())
                        .start();
        List<String> lines = java.inputReader().lines().toList();

        assertThat(java.waitFor()).isZero();
        assertThat(lines)
                .anyMatch(line -> line.contains("io.holdfast.cli.Holdfast "))
                .noneMatch(line -> line.contains("io.holdfast.core.sys.Libc"))
                .noneMatch(line -> line.contains("jdk.internal.foreign.abi.AbstractLinker"));
    }

    static Stream<List<String>> whatNeedsNoKernelBindsNoNativeCode() {
        return Stream.of(List.of("--version"), List.of("--help"), List.of("completion", "bash"));
    }
}
