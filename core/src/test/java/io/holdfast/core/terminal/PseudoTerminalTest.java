package io.holdfast.core.terminal;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.OpenDescriptors;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PseudoTerminalTest {
    private static final Exit SUCCESS = new Exit.Exited(0);

    private final OpenDescriptors before = OpenDescriptors.now();

    @AfterEach
    void nothingStaysOpen() {
        before.awaitSameNumber();
    }

    private static String output(PseudoTerminal terminal) throws IOException {
        return new String(terminal.input().readAllBytes(), UTF_8);
    }

    private static void type(PseudoTerminal terminal, String text) throws IOException {
        terminal.output().write(text.getBytes(US_ASCII));
        terminal.output().flush();
    }

    @Test
    void theChildHasItAsControllingTerminalAndAsItsStreams() throws Exception {
        try (PseudoTerminal terminal = PseudoTerminal.open();
                Child child =
                        terminal.start(
                                Spawn.of(
                                        "sh",
                                        "-c",
                                        "tty; test -t 0 -a -t 1 -a -t 2; : >/dev/tty"))) {
            assertThat(output(terminal)).isEqualTo(terminal + "\r\n");
            assertThat(child.await()).isEqualTo(SUCCESS);
        }
    }

    @Test
    void aProgramReadsWhatIsTyped() throws Exception {
        try (PseudoTerminal terminal = PseudoTerminal.open();
                Child child = terminal.start(Spawn.of("sh", "-c", "read a; echo got $a"))) {
            type(terminal, "hello\n");
            assertThat(output(terminal)).isEqualTo("hello\r\ngot hello\r\n");
            assertThat(child.await()).isEqualTo(SUCCESS);
        }
    }

    @Test
    void itsSizeIsReportedAndAChangeIsASignal() throws Exception {
        try (PseudoTerminal terminal = PseudoTerminal.open(new TerminalSize(24, 80));
                Child child =
                        terminal.start(
                                Spawn.of(
                                        "sh",
                                        "-c",
                                        "trap 'stty size; exit 7' WINCH; stty size; while :; do"
                                                + " read x; done"))) {
            BufferedReader lines =
                    new BufferedReader(new InputStreamReader(terminal.input(), UTF_8));
            assertThat(lines.readLine()).isEqualTo("24 80");
            terminal.resize(new TerminalSize(50, 132));
            assertThat(terminal.size()).isEqualTo(new TerminalSize(50, 132));
            type(terminal, "\n"); // a shell ends its read before it runs a trap
            assertThat(lines.lines()).contains("50 132");
            assertThat(child.await()).isEqualTo(new Exit.Exited(7));
        }
        assertThatIllegalArgumentException().isThrownBy(() -> new TerminalSize(-1, 80));
    }

    @Test
    void controlCInterruptsTheProgram() throws Exception {
        try (PseudoTerminal terminal = PseudoTerminal.open();
                Child child = terminal.start(Spawn.of("cat"))) {
            type(terminal, "\3");
            assertThat(child.await()).isEqualTo(new Exit.Killed(Signal.INT, false));
        }
    }

    @Test
    void aCloseHangsTheProgramUp() throws Exception {
        @SuppressWarnings("MustBeClosed")
        PseudoTerminal terminal = PseudoTerminal.open();
        try (Child child = terminal.start(Spawn.of("cat"))) {
            terminal.close();
            terminal.close();
            assertThat(child.await()).isEqualTo(new Exit.Killed(Signal.HUP, false));
        }
    }

    @Test
    void aCloseEndsAReadOfAnotherThread() {
        @SuppressWarnings("MustBeClosed")
        PseudoTerminal terminal = PseudoTerminal.open();
        FutureTask<Integer> reader = new FutureTask<>(() -> terminal.input().read());
        Await.parked(Thread.startVirtualThread(reader));
        terminal.close();
        assertThatThrownBy(reader::get).cause().isInstanceOf(IOException.class);
    }

    @Test
    void oneProgramFollowsAnother() throws Exception {
        try (PseudoTerminal terminal = PseudoTerminal.open()) {
            for (int i = 0; i < 3; i++) {
                try (Child child = terminal.start(Spawn.of("sh", "-c", "exit " + i))) {
                    assertThat(child.await()).isEqualTo(new Exit.Exited(i));
                }
            }
        }
    }
}
