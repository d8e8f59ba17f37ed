package io.holdfast.cli.service;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.cli.Program;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.terminal.PseudoTerminal;
import io.holdfast.core.terminal.TerminalSize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests how the units of a running manager are shown. */
@Timeout(180)
class StatusCommandTest {
    private static final String LONG = "Serves everything that anybody could ever ask for by name";
    private static final int WIDTH = 60;

    @TempDir private Path folder;
    private String runtime;
    private CommandProcess up;

    @BeforeEach
    void start() throws Exception {
        Files.setAttribute(folder, "unix:mode", 01777);
        Path units = Files.createDirectory(folder.resolve("units"));
        for (String name : List.of("hf-c", "hf-a", "hf-b")) {
            Files.writeString(
                    units.resolve(name + ".service"),
                    """
                    [Unit]
                    Description=%s %s
                    DefaultDependencies=no
                    [Service]
                    ExecStart=/bin/sleep 1000000000000000000000000000000000000000000000000000
                    """
                            .formatted(name, LONG));
        }
        runtime = folder.resolve("run").toString();
        up =
                CommandProcess.start(
                        "up",
                        "--no-keeper",
                        "--runtime-dir",
                        runtime,
                        "--slice",
                        "hfstatus" + ProcessHandle.current().pid() + ".slice",
                        "--units",
                        units.toString(),
                        "hf-c",
                        "hf-a",
                        "hf-b");
        up.await("holdfast: ready");
    }

    @AfterEach
    void stop() throws Exception {
        try {
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        } finally {
            up.close();
        }
    }

    private Invocation status(String... words) {
        List<String> line = new ArrayList<>(List.of("status", "--runtime-dir", runtime));
        line.addAll(List.of(words));
        return Invocation.of(line.toArray(String[]::new));
    }

    private List<String> statusOnATerminal(String... words) throws IOException {
        List<String> line = new ArrayList<>(List.of("status", "--runtime-dir", runtime));
        line.addAll(List.of(words));
        List<String> command = Program.command(List.of(), line.toArray(String[]::new));
        try (PseudoTerminal terminal = PseudoTerminal.open(new TerminalSize(24, WIDTH));
                Child _ = terminal.start(Spawn.of(command).environment("NO_COLOR", "1"))) {
            return new String(terminal.input().readAllBytes(), UTF_8).lines().toList();
        }
    }

    @Test
    void allUnitsAreListedByNameAndAFileGetsWholeLines() {
        List<String> own = status().out().lines().filter(each -> each.startsWith("● hf-")).toList();
        assertThat(own)
                .hasSize(3)
                .isSorted()
                .allMatch(each -> each.endsWith(LONG))
                .first()
                .asString()
                .matches("● hf-a\\.service +active +running +hf-a " + LONG);
    }

    @Test
    void severalUnitsAndPatternsAreShownOneAfterTheOther() {
        Invocation some = status("hf-c", "hf-[ab]*");
        assertThat(some.err()).isEmpty();
        assertThat(some.code()).isZero();
        assertThat(some.out().lines().filter(each -> each.startsWith("●")))
                .containsExactly(
                        "● hf-c.service - hf-c " + LONG,
                        "● hf-a.service - hf-a " + LONG,
                        "● hf-b.service - hf-b " + LONG);
        assertThat(status("--json", "hf-?").out()).hasLineCount(3).startsWith("{");

        Invocation missing = status("hf-a", "hf-nowhere", "hf-b");
        assertThat(missing.code()).isEqualTo(4);
        assertThat(missing.out()).contains("● hf-b.service", "not-found");
        Invocation none = status("hf-x*", "hf-a");
        assertThat(none.code()).isEqualTo(4);
        assertThat(none.err()).isEqualTo("holdfast: no loaded unit matches hf-x*\n");
        assertThat(none.out()).contains("● hf-a.service");
    }

    @Test
    void aTerminalGetsLinesThatFit() throws Exception {
        assertThat(statusOnATerminal().stream().filter(each -> each.startsWith("● hf-a")))
                .singleElement()
                .asString()
                .hasSizeLessThanOrEqualTo(WIDTH)
                .matches("● hf-a\\.service +active +running +hf-a .*….* name");
        assertThat(statusOnATerminal("hf-a"))
                .anyMatch(
                        each -> each.length() == WIDTH && each.matches(" +[0-9:]+  /bin/sl.*…0+"));
        assertThat(statusOnATerminal("--full").stream().filter(each -> each.startsWith("● hf-a")))
                .singleElement()
                .asString()
                .endsWith(LONG);
    }
}
