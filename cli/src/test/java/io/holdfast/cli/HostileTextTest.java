package io.holdfast.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.client.Authority;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Gives hostile texts of a service, a client and a rule to real daemons and commands, and tests
 * that only printable characters reach a terminal or a log.
 */
@Timeout(180)
@Needs(programs = "python3")
class HostileTextTest {
    /**
     * Control characters that clear the screen, set the title, reorder text, forge a line and hide
     * text, and plain text.
     */
    private static final String SAID =
            "\u001b[2J\u001b]0;owned\u0007\u009b31m\u202egro.\u2066live\u2069"
                    + "\u2028holdfast: ready\u0085\u200b\udb40\udc41\r caf\u00e9 \u65e5\u672c \ud83d\udc99";

    private static final String SHOWN =
            "\\u001b[2J\\u001b]0;owned\\u0007\\u009b31m\\u202egro.\\u2066live\\u2069"
                    + "\\u2028holdfast: ready\\u0085\\u200b\\udb40\\udc41\\r caf\u00e9 \u65e5\u672c \ud83d\udc99";

    private static final String SERVICE =
            """
            import ctypes, os, signal, socket
            said = SAID
            ctypes.CDLL(None).prctl(15, b"\\x1b[2Jname")
            def notify(text):
                s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                s.connect(os.environ["NOTIFY_SOCKET"])
                s.send(text)
                s.close()
            os.write(1, said.encode() + b"\\n")
            os.write(1, b"\\xff\\x1b invalid \\xed\\xa0\\x80\\n")
            notify(b"MAINPID=" + said.encode())
            notify(b"READY=1\\nERRNO=5\\nSTATUS=" + said.encode())
            signal.pause()
            """;

    @TempDir private Path folder;
    private final List<Process> started = new ArrayList<>();
    private String runtime;

    @BeforeEach
    void layOut() {
        runtime = folder.resolve("run").toString();
    }

    @AfterEach
    void end() throws InterruptedException {
        for (Process each : started) {
            each.destroy();
            if (!each.waitFor(60, TimeUnit.SECONDS)) {
                each.destroyForcibly();
            }
        }
    }

    /** Starts a daemon whose output and errors go to a file. */
    private Path start(String... arguments) throws IOException {
        Path log = folder.resolve("log" + started.size());
        started.add(
                new ProcessBuilder(Program.command(List.of(), arguments))
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start());
        return log;
    }

    private static String read(Path file) {
        try {
            return new String(Files.readAllBytes(file), UTF_8);
        } catch (IOException e) {
            return "";
        }
    }

    /** Returns the bytes that a command writes. */
    private static byte[] bytes(String... arguments) throws IOException, InterruptedException {
        Process process =
                new ProcessBuilder(Program.command(List.of(), arguments))
                        .redirectErrorStream(true)
                        .start();
        process.getOutputStream().close();
        byte[] bytes = process.getInputStream().readAllBytes();
        assertThat(process.waitFor()).isZero();
        return bytes;
    }

    private static String harmless(byte[] bytes) throws CharacterCodingException {
        String text = UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        assertThat(text.codePoints().filter(c -> c != '\n'))
                .as(text)
                .noneMatch(Character::isISOControl)
                .noneMatch(c -> Character.getType(c) == Character.FORMAT)
                .noneMatch(c -> c == 0x2028 || c == 0x2029);
        return text;
    }

    private Path manager() throws IOException {
        Path units = Files.createDirectory(folder.resolve("units"));
        Path script = folder.resolve("service.py");
        StringBuilder literal = new StringBuilder("\"");
        SAID.codePoints().forEach(c -> literal.append("\\U%08x".formatted(c)));
        Files.writeString(script, SERVICE.replace("SAID", literal.append('"')));
        Files.writeString(
                units.resolve("a.service"),
                """
                [Unit]
                Description=\u001b[2J of \u202e
                DefaultDependencies=no
                [Service]
                Type=notify
                ExecStartPre=-"/nowhere/\\x1b[2J\\n"
                ExecStart=python3 %s "\\x1b[2J\\u202eword"
                """
                        .formatted(script));
        return start(
                "up",
                "--runtime-dir",
                runtime,
                "--slice",
                "hfhostile" + ProcessHandle.current().pid() + ".slice",
                "--units",
                units.toString(),
                "a");
    }

    @Test
    void aServiceIsShownByItsManagerAndByStatus() throws Exception {
        Path log = manager();
        Await.until(() -> read(log).contains("\nholdfast: ready\n"));
        byte[] status = bytes("status", "--runtime-dir", runtime, "a");
        JsonObject json =
                ((JsonObject)
                        Json.parse(
                                new String(
                                        bytes("status", "--json", "--runtime-dir", runtime, "a"),
                                        UTF_8)));
        String pid = Long.toString(json.object("mainProcess").integer("pid"));

        assertThat(harmless(status))
                .contains("Status: " + SHOWN + "\n", "\n" + SHOWN + "\n")
                .contains("\n\ufffd\\u001b invalid ")
                .contains("\\u001b[2J\\u202eword")
                .contains(" - \\u001b[2J of \\u202e\n");
        assertThat(json.string("statusText")).isEqualTo(SAID);
        assertThat(json.strings("log")).contains(SAID);
        assertThat(harmless(bytes("info", pid))).contains("\\u001b[2Jname", "\\u202eword");
        assertThat(harmless(bytes("who", pid))).contains("\\u001b[2Jname");
        Process manager = started.getFirst();
        manager.destroy();
        assertThat(manager.waitFor()).isZero();
        assertThat(harmless(Files.readAllBytes(log)))
                .contains("a.service | " + SHOWN + "\n")
                .contains("refused: MAINPID=" + SHOWN.substring(0, 40))
                .contains("ExecStartPre=: the command ", "/nowhere/\\u001b[2J")
                .containsOnlyOnce("\nholdfast: ready\n");
    }

    @Test
    void whatARuleLogsIsOneLine() throws Exception {
        Path rules = Files.createDirectory(folder.resolve("rules.d"));
        Files.writeString(
                rules.resolve("50\u202e\u001b[2J.rules"),
                "polkit.log('\\u001b[2J\\nholdfast: error: \\u202e caf\\u00e9');");
        Path socket = folder.resolve(Authority.VARLINK_INTERFACE);
        Path log =
                start(
                        "authority",
                        "--bus",
                        "none",
                        "--socket",
                        socket.toString(),
                        "--actions",
                        folder.resolve("none").toString(),
                        "--rules",
                        rules.toString());
        Await.until(() -> read(log).contains("café"));

        assertThat(harmless(Files.readAllBytes(log)))
                .contains(
                        "50\\u202e\\u001b[2J.rules:1: \\u001b[2J\\nholdfast: error: \\u202e café\n");
    }
}
