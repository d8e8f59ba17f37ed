package io.holdfast.cli.command;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.Program;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tests commands whose manager is hostile, silent or missing. */
@Timeout(180)
class ManagerSocketTest {
    @TempDir private Path folder;

    @BeforeEach
    void letOthersIn() throws Exception {
        Files.setAttribute(folder, "unix:mode", 01777);
    }

    private interface Conversation {
        void with(UnixSocket client) throws Exception;
    }

    /** Runs a command while a server has a conversation with each of its clients. */
    private Program against(Conversation conversation, String... words) throws Exception {
        return against(Duration.ofSeconds(1), conversation, words);
    }

    private Program against(Duration patience, Conversation conversation, String... words)
            throws Exception {
        try (UnixListener listener =
                UnixListener.listen(
                        UnixAddress.path(folder.resolve("io.holdfast.Manager")),
                        SocketType.STREAM,
                        1,
                        0666)) {
            Thread server =
                    Thread.ofVirtual()
                            .start(() -> {
                                try (UnixSocket client = listener.accept()) {
                                    conversation.with(client);
                                } catch (Exception e) {
                                    // the client has gone
                                }
                            });
            List<String> line = new ArrayList<>(List.of(words));
            line.addAll(1, List.of("--runtime-dir", folder.toString()));
            Program program =
                    Program.run(
                            new ProcessBuilder(
                                    Program.command(
                                            List.of(
                                                    "-Xmx128m",
                                                    "-Dio.holdfast.cli.replyTimeout="
                                                            + patience.toMillis()),
                                            line.toArray(String[]::new))));
            server.interrupt();
            server.join();
            return program;
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "[", "{\"a\":[1,", "[[],"})
    void anEndlessReplyIsRefusedInOneLine(String part) throws Exception {
        byte[] much = part.repeat(4096).getBytes(StandardCharsets.UTF_8);

        Program status =
                against(
                        client -> {
                            while (true) {
                                client.sendFully(ByteBuffer.wrap(much));
                            }
                        },
                        "status");

        assertThat(status.code()).isEqualTo(1);
        assertThat(status.err())
                .hasLineCount(1)
                .startsWith("holdfast: the manager does not answer: ");
    }

    @Test
    void aReplyOfManyValuesIsRefusedInOneLine() throws Exception {
        byte[] reply = "[],".repeat(2 << 20).getBytes(StandardCharsets.UTF_8);
        String begin = "{\"parameters\":{\"units\":[";
        Program status =
                against(
                        Duration.ofMinutes(1), // a busy machine reads 6 MB slowly
                        client -> {
                            client.sendFully(
                                    ByteBuffer.wrap(begin.getBytes(StandardCharsets.UTF_8)));
                            client.sendFully(ByteBuffer.wrap(reply));
                            client.sendFully(
                                    ByteBuffer.wrap("1]}}\0".getBytes(StandardCharsets.UTF_8)));
                            int _ = client.receive(ByteBuffer.allocate(1));
                        },
                        "status");

        assertThat(status.code()).isEqualTo(1);
        assertThat(status.err()).hasLineCount(1).contains("values");
    }

    @ParameterizedTest
    @ValueSource(strings = {"status", "start", "kill"})
    void aSilentManagerIsNotAwaitedForEver(String verb) throws Exception {
        Program program =
                against(
                        client -> {
                            while (client.receive(ByteBuffer.allocate(4096)) >= 0) {
                                // no answer
                            }
                        },
                        verb,
                        "a");

        assertThat(program.code()).isEqualTo(1);
        assertThat(program.err()).hasLineCount(1).contains("no reply came in time");
    }

    // ---- no manager

    private static Program asNobody(String classPath, Path home, String runtimeDir, String... words)
            throws Exception {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "setpriv",
                                "--reuid=nobody",
                                "--regid=nogroup",
                                "--clear-groups",
                                "env",
                                "HOME=" + home,
                                runtimeDir.isEmpty()
                                        ? "--unset=XDG_RUNTIME_DIR"
                                        : "XDG_RUNTIME_DIR=" + runtimeDir));
        command.addAll(Program.ofClasses(classPath, List.of(), words));
        return Program.run(new ProcessBuilder(command));
    }

    @Test
    @Needs(root = true)
    void aUserWithoutARuntimeFolderLearnsWhyAndWhatToDo() throws Exception {
        String classPath = ChildJvm.classPathIn(folder);
        Program up = asNobody(classPath, folder, "", "up", "a.service");

        assertThat(up.code()).isEqualTo(1);
        assertThat(up.out() + up.err())
                .hasLineCount(1)
                .startsWith("holdfast: XDG_RUNTIME_DIR is not set, and /run/user/")
                .endsWith("choose a folder with: --runtime-dir DIR\n");

        Path ofRoot = Files.createDirectory(folder.resolve("of-root"));
        Files.setAttribute(ofRoot, "unix:mode", 0700);
        assertThat(asNobody(classPath, folder, ofRoot.toString(), "up", "a").err())
                .startsWith("holdfast: XDG_RUNTIME_DIR: " + ofRoot + " is not yours, as after su");
    }
}
