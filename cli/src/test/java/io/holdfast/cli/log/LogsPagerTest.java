package io.holdfast.cli.log;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.Program;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.terminal.PseudoTerminal;
import io.holdfast.core.terminal.TerminalSize;
import io.holdfast.core.testkit.Needs;
import io.holdfast.journal.Field;
import io.holdfast.journal.JournalWriter;
import io.holdfast.journal.WriterOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests what a terminal shows of logs. */
@Timeout(120)
@Needs(programs = {"less", "sed", "head"})
class LogsPagerTest {
    private static final int MANY = 20_000;
    private static final String PREFIX = "sed s/^/paged:/";

    @TempDir private Path folder;

    @BeforeEach
    void write() throws Exception {
        try (JournalWriter writer =
                JournalWriter.open(folder.resolve("system.journal"), WriterOptions.standard())) {
            for (int i = 0; i < MANY; i++) {
                long _ =
                        writer.append(
                                List.of(
                                        Field.of("MESSAGE", "message " + i),
                                        Field.of("PRIORITY", "3")));
            }
        }
    }

    private List<String> onATerminal(Map<String, String> variables, String... options)
            throws Exception {
        List<String> words = new ArrayList<>(List.of("logs", "-D", folder.toString(), "-o", "cat"));
        words.addAll(List.of(options));
        Spawn spawn =
                Spawn.of(Program.command(List.of(), words.toArray(String[]::new)))
                        .environment("TERM", "xterm");
        for (String name : List.of("SUDO_UID", "PKEXEC_UID", "SYSTEMD_PAGER", "NO_COLOR")) {
            spawn = spawn.withoutEnvironment(name);
        }
        variables.forEach(spawn::environment);
        try (PseudoTerminal terminal = PseudoTerminal.open(new TerminalSize(24, 80));
                Child child = terminal.start(spawn)) {
            List<String> lines =
                    new String(terminal.input().readAllBytes(), UTF_8).lines().toList();
            assertThat(child.await()).isEqualTo(new Exit.Exited(0));
            return lines;
        }
    }

    @Test
    void aPagerShowsThem() throws Exception {
        assertThat(onATerminal(Map.of("PAGER", "cat", "SYSTEMD_PAGER", PREFIX), "-n", "2"))
                .hasSize(2)
                .allMatch(line -> line.startsWith("paged:"));
        assertThat(onATerminal(Map.of("PAGER", PREFIX), "-F", "PRIORITY"))
                .containsExactly("paged:3");
    }

    @Test
    void aPagerThatEndsEarlyEndsTheReading() throws Exception {
        assertThat(onATerminal(Map.of("PAGER", "head -n 2"), "-r")).hasSize(2);
        assertThat(onATerminal(Map.of("PAGER", "head -n 2"))).hasSize(2);
    }

    @Test
    void linesAreColouredWithAndWithoutAPager() throws Exception {
        String red = "\u001b[31mmessage " + (MANY - 1) + "\u001b[0m";
        assertThat(onATerminal(Map.of("PAGER", PREFIX), "-n", "1")).containsExactly("paged:" + red);
        assertThat(onATerminal(Map.of("PAGER", PREFIX), "-n", "1", "--no-pager"))
                .containsExactly(red);
        assertThat(onATerminal(Map.of("PAGER", ""), "-n", "1")).containsExactly(red);
    }

    @Test
    void someoneWithLentRightsChoosesNoPager() throws Exception {
        assertThat(onATerminal(Map.of("PAGER", PREFIX, "SUDO_UID", "1000"), "-n", "1"))
                .noneMatch(line -> line.contains("paged:"))
                .anyMatch(line -> line.contains("message " + (MANY - 1)));
    }

    @Test
    void aPagerThatIsNotInstalledHidesNothing() throws Exception {
        assertThat(onATerminal(Map.of("PAGER", "/nowhere/pager"), "-n", "1")).hasSize(1);
    }
}
