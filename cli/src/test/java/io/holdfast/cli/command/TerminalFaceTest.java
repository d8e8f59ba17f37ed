package io.holdfast.cli.command;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.agent.AuthenticationRequest;
import io.holdfast.authority.agent.DismissedException;
import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Termios;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Runs dialogs in a JVM with a controlling terminal, to which the test writes the input. */
@Timeout(120)
@Needs(programs = "script")
class TerminalFaceTest {
    @TempDir private Path folder;
    private @Nullable Child script;
    private final StringBuilder screen = new StringBuilder();

    private Child open(String scene) {
        String command =
                String.join(" ", ChildJvm.command(List.of(), Scene.class, scene))
                        .replace("$", "\\$"); // quoted for the shell
        Child started =
                Spawn.of("script", "-qec", command, folder.resolve("typescript").toString())
                        .stdin(Stdio.pipe())
                        .stdout(Stdio.pipe())
                        .start();
        script = started;
        return started;
    }

    @AfterEach
    void close() throws Exception {
        if (script != null) {
            boolean ignored = script.signal(Signal.KILL);
            var _ = script.await();
            script.close();
        }
    }

    private void awaitScreen(Child child, String text) throws IOException {
        while (screen.indexOf(text) < 0) {
            int c = child.stdout().read();
            assertThat(c).as(() -> text + " in " + screen).isNotNegative();
            screen.append((char) c);
        }
    }

    private static void type(Child child, String text) throws IOException {
        child.stdin().write(text.getBytes(UTF_8));
        child.stdin().flush();
    }

    private String toTheEnd(Child child) throws Exception {
        screen.append(new String(child.stdout().readAllBytes(), UTF_8));
        assertThat(child.await()).as(screen.toString()).isEqualTo(new Exit.Exited(0));
        return screen.toString();
    }

    @Test
    void aSecretIsNotShownAndTheEchoComesBack() throws Exception {
        Child child = open("ask");
        awaitScreen(child, "Secret\\u001b: ");
        type(child, "s3cret-wörd\n");

        assertThat(toTheEnd(child))
                .contains("12 bytes, echo true")
                .doesNotContain("s3cret")
                .doesNotContain("\u001b");
    }

    @Test
    void whatIsTooLongIsAskedForAgain() throws Exception {
        Child child = open("ask");
        awaitScreen(child, "Secret\\u001b: ");
        type(child, "x".repeat(512) + "\n");
        awaitScreen(child, "too long");
        type(child, "y".repeat(511) + "\n");

        assertThat(toTheEnd(child)).contains("511 bytes, echo true").doesNotContain("xx", "yy");
    }

    @Test
    void anEndOfFileDismisses() throws Exception {
        Child child = open("ask");
        awaitScreen(child, "Secret\\u001b: ");
        type(child, "\u0004");

        assertThat(toTheEnd(child)).contains("dismissed, echo true");
    }

    @Test
    void anInterruptedPromptGivesTheEchoBack() throws Exception {
        assertThat(toTheEnd(open("interrupt"))).contains("interrupted, echo true");
    }

    @Test
    void oneOfSeveralIsChosenAndTextsGiveNoOrders() throws Exception {
        Child child = open("choose");
        awaitScreen(child, "[1-2] ");
        type(child, "7\nx\n2\n");

        assertThat(toTheEnd(child))
                .contains("Clear \\u001b[2Jthe screen", "  1  alice", "  2  bob", "chosen 1")
                .doesNotContain("\u001b");
    }

    /** The program that runs on the terminal. */
    static final class Scene {
        private Scene() {}

        public static void main(String[] arguments) throws Exception {
            try (TerminalFace face = TerminalFace.open()) {
                switch (arguments[0]) {
                    case "ask" -> print(prompt(face));
                    case "interrupt" -> {
                        Thread asking = Thread.ofVirtual().start(() -> print(prompt(face)));
                        Await.until(() -> !echoes());
                        asking.interrupt();
                        asking.join();
                    }
                    default -> print("chosen " + face.choose(request(), List.of("alice", "bob")));
                }
            }
        }

        private static AuthenticationRequest request() {
            String message = "Clear \u001b[2Jthe screen";
            return new AuthenticationRequest(
                    "org.example.act", message, "", Map.of(), "c", List.of(1L, 2L));
        }

        private static String prompt(TerminalFace face) {
            ByteBuffer answer = ByteBuffer.allocateDirect(511);
            try {
                face.prompt("Secret\u001b: ", false, answer);
                return answer.position() + " bytes";
            } catch (DismissedException e) {
                return "dismissed";
            } catch (InterruptedException e) {
                return "interrupted";
            } catch (IOException e) {
                return e.toString();
            }
        }

        private static void print(String text) {
            System.out.println(text + ", echo " + echoes());
        }

        private static boolean echoes() {
            try (Fd terminal = Fcntl.open("/dev/tty", Fcntl.O_RDWR)) {
                return Termios.of(terminal).echoes();
            }
        }
    }
}
