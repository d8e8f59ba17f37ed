package io.holdfast.cli.output;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.up.EventLines;
import io.holdfast.core.testkit.Gen;
import io.holdfast.core.text.PrintableText;
import io.holdfast.manager.log.ManagerListener.Level;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Tests how pieces become lines, and what reaches the streams. */
class OutputTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private Output output(boolean colours) {
        return new Output(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                colours,
                false);
    }

    private String written() {
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void everyPieceIsEscapedAndOnlyAStyleIsNot() {
        Output colours = output(true);
        colours.line(colours.bad("\u001b[2J\n"), ": ", "caf\u00e9\r", 7, colours.faint(""));

        assertThat(written()).isEqualTo("\u001b[31m\\u001b[2J\\n\u001b[0m: caf\u00e9\\r7\n");
    }

    @Test
    void aStyleThatIsJoinedToATextIsLost() {
        Output colours = output(true);
        colours.line("x" + colours.bad("y"));

        assertThat(written()).isEqualTo("xy\n");
    }

    @Test
    void withoutColoursThereIsNoControlCharacterButTheNewline() {
        Output plain = output(false);
        plain.line(plain.bad("\u009b31m"), plain.strong("\u2028"));
        plain.field("name", "\u202e");
        plain.complain("\u0085");
        plain.trace(new IllegalStateException("one\u001b\ntwo"));

        assertThat(written()).isEqualTo("\\u009b31m\\u2028\nname        \\u202e\n");
        assertThat(err.toString(StandardCharsets.UTF_8))
                .startsWith(
                        "holdfast: \\u0085\njava.lang.IllegalStateException: one\\u001b\ntwo\n"
                                + "        at ");
    }

    static Stream<Gen> jsonKeepsItsMeaning() {
        return Gen.cases(100);
    }

    @ParameterizedTest
    @MethodSource
    void jsonKeepsItsMeaning(Gen gen) {
        StringBuilder text = new StringBuilder();
        for (int i = gen.between(0, 40); i > 0; i--) {
            int c = gen.chance(0.5) ? gen.between(0, 0x2FFF) : gen.between(0xE000, 0xE0FFF);
            text.appendCodePoint(c);
        }
        JsonObject json = JsonObject.of(text.toString(), text.toString());
        output(false).line(json);

        assertThat(Json.parse(written())).isEqualTo(json);
        String line = written().substring(0, written().length() - 1);
        assertThat(PrintableText.of(line)).isEqualTo(line);
    }

    @Test
    void aDaemonsLinesAreCutAndNoneIsLost() {
        Output output = output(false);
        output.queueLines();
        EventLines events = new EventLines(output);
        events.event(Level.WARNING, "x".repeat(2 * LineQueue.LINE));
        events.event(UnitName.of("a.service"), Level.ERROR, "\u001b");
        events.output(UnitName.of("a.service"), "\tone\u202e");
        output.complain("said");
        output.flush();

        assertThat(output.isStalled()).isFalse();
        assertThat(written().lines())
                .containsExactly(
                        "holdfast: "
                                + "x".repeat(LineQueue.LINE - "holdfast: ".length())
                                + PrintableText.CUT,
                        "a.service: \\u001b",
                        "a.service | " + " ".repeat(8) + "one\\u202e");
        assertThat(err.toString(StandardCharsets.UTF_8)).isEqualTo("holdfast: said\n");
    }

    @Test
    void aDaemonWhoseReaderHasStalledEndsAllTheSame() {
        try (SlowReader reader = new SlowReader()) {
            Output output = new Output(reader.stream(), reader.stream(), false, false);
            output.queueLines();
            output.line("first");
            output.complain("second");
            output.flush();

            assertThat(output.isStalled()).isTrue();
        }
    }

    @Test
    void coloursAreForTerminalsOnly() {
        Map<String, String> xterm = Map.of("TERM", "xterm");

        assertThat(Output.usesColours(xterm, _ -> "/dev/pts/3")).isTrue();
        assertThat(
                        Output.usesColours(
                                xterm, descriptor -> descriptor == 1 ? "pipe:[7]" : "/dev/pts/3"))
                .isFalse();
        assertThat(Output.usesColours(Map.of("TERM", "xterm", "NO_COLOR", "1"), _ -> "/dev/pts/3"))
                .isFalse();
        assertThat(Output.usesColours(Map.of("TERM", "dumb"), _ -> "/dev/pts/3")).isFalse();
        assertThat(Output.usesColours(Map.of(), _ -> "/dev/tty1")).isFalse();
    }
}
