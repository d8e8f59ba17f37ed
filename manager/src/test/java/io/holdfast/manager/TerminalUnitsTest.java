package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.process.Exit;
import io.holdfast.core.run.Run;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.terminal.PseudoTerminal;
import io.holdfast.core.terminal.TerminalSize;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Services with a terminal, with input from their unit file, and with opened files. */
@Timeout(120)
class TerminalUnitsTest {
    @TempDir private Path folder;
    private Stage stage;
    private Path out;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        out = folder.resolve("out");
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
    }

    private static BufferedReader reader(PseudoTerminal terminal) {
        return new BufferedReader(new InputStreamReader(terminal.input(), StandardCharsets.UTF_8));
    }

    @Test
    void aServiceTalksToItsTerminal() throws Exception {
        try (PseudoTerminal terminal = PseudoTerminal.open(new TerminalSize(10, 20));
                var _ = terminal.openOther()) {
            stage.service(
                    "a",
                    "Type=oneshot",
                    "StandardInput=tty",
                    "StandardOutput=tty",
                    "TTYPath=" + terminal,
                    "TTYReset=yes",
                    "TTYColumns=77",
                    "ExecStart=/bin/sh -c 'tty; stty size; ps -o tty= -p $$$$; read x; echo got $$x'");
            var result = stage.starting("a");
            BufferedReader lines = reader(terminal);
            assertThat(lines.readLine()).isEqualTo(terminal.toString());
            assertThat(lines.readLine()).isEqualTo("10 77");
            assertThat(lines.readLine().strip()).isEqualTo(terminal.toString().substring(5));
            terminal.output().write("hello\n".getBytes(StandardCharsets.UTF_8));
            terminal.output().flush();
            assertThat(lines.readLine()).isEqualTo("hello"); // the echo
            assertThat(lines.readLine()).isEqualTo("got hello");
            assertThat(result.get()).isEqualTo(JobResult.DONE);
        }
    }

    @Test
    @Needs(root = true)
    void theUserOfAServiceOwnsItsTerminalWhileItRuns() throws Exception {
        try (PseudoTerminal terminal = PseudoTerminal.open();
                var _ = terminal.openOther()) {
            stage.service(
                    "a",
                    "Type=oneshot",
                    "User=nobody",
                    "StandardInput=tty",
                    "StandardOutput=tty",
                    "TTYPath=" + terminal,
                    "ExecStart=/bin/sh -c 'stat -c \"%%U %%a\" " + terminal + "; echo $TERM'");
            BufferedReader lines = reader(terminal);
            assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
            assertThat(lines.readLine()).isEqualTo("nobody 600");
            assertThat(lines.readLine()).isEqualTo("vt220");
            assertThat(Files.getOwner(Path.of(terminal.toString())).getName()).isEqualTo("root");
        }
    }

    @Test
    @Needs(root = true)
    void aDeviceThatIsNoTerminalKeepsItsOwnerAndMode() throws Exception {
        Path device = folder.resolve("null");
        assertThat(Run.of("mknod", "-m", "666", device.toString(), "c", "1", "3").run().isSuccess())
                .isTrue();
        stage.service(
                "a",
                "Type=exec",
                "User=nobody",
                "StandardInput=tty",
                "TTYPath=" + device,
                "ExecStart=true");
        assertThat(stage.start("a")).isEqualTo(JobResult.FAILED);
        assertThat(Files.getAttribute(device, "unix:mode")).isEqualTo(020666);
    }

    @Test
    void aTerminalOfAnotherSessionIsTakenOnlyByForce() throws Exception {
        try (PseudoTerminal terminal = PseudoTerminal.open();
                var _ = terminal.openOther()) {
            for (String kind : new String[] {"tty", "tty-fail", "tty-force"}) {
                stage.service(
                        kind,
                        "StandardInput=" + kind,
                        "TTYPath=" + terminal,
                        "ExecStart=/bin/sleep 1000");
            }
            assertThat(stage.start("tty")).isEqualTo(JobResult.DONE);
            assertThat(stage.start("tty-fail")).isEqualTo(JobResult.FAILED);
            stage.happenings().await("is the terminal of another session");
            assertThat(stage.start("tty-force")).isEqualTo(JobResult.DONE);
            String _ = stage.happenings().awaitRest("tty.service"); // it was hung up
        }
    }

    @Test
    void aServiceStartsAndStopsOnATerminalWhoseOutputIsStopped() throws Exception {
        try (PseudoTerminal terminal = PseudoTerminal.open();
                Fd other = terminal.openOther()) {
            Fcntl.setBlocking(other, false);
            terminal.output().write(new byte[] {'S' - '@'}); // Ctrl-S
            terminal.output().flush();
            byte[] byteOf = {'x'};
            Await.until(() -> Unistd.write(other, byteOf, 0, 1) == -Errno.EAGAIN);
            stage.service(
                    "a",
                    "StandardInput=tty",
                    "TTYPath=" + terminal,
                    "TTYVTDisallocate=yes",
                    "ExecStart=/bin/sleep 1000");
            assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
            assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        }
    }

    @Test
    void theInputIsInTheUnitFile() throws Exception {
        String binary =
                Base64.getEncoder().encodeToString("three\n".getBytes(StandardCharsets.UTF_8));
        stage.service(
                "a",
                "Type=oneshot",
                "StandardInputText=one \\x41 50%%",
                "StandardInputText=two",
                "StandardInputData=" + binary,
                "ExecStart=/bin/sh -c 'cat >" + out + "'",
                "ExecStart=/bin/sh -c 'cat >>" + out + "'");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        String text = "one A 50%\ntwo\nthree\n";
        assertThat(out).content().isEqualTo(text + text);
    }

    @ParameterizedTest
    @EnumSource
    void socketsOfEachTypeAreConnectedForTheMainProcess(SocketType type) throws Exception {
        Path socket = folder.resolve("socket");
        UnixAddress address = UnixAddress.path(socket);
        boolean isDatagram = type == SocketType.DATAGRAM;
        try (AutoCloseable _ =
                isDatagram ? UnixSocket.bind(address) : UnixListener.listen(address, type, 1)) {
            String program =
                    "import os, socket; s = socket.socket(fileno=3); print(s.type.name,"
                            + " os.get_blocking(3))";
            stage.service(
                    "a",
                    "Type=oneshot",
                    "OpenFile=" + socket,
                    "StandardOutput=truncate:" + out,
                    "ExecStart=/usr/bin/python3 -c '" + program + "'");
            assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
            String name = "SOCK_" + (isDatagram ? "DGRAM" : type.name());
            assertThat(out).content().isEqualTo(name + " True\n");
        }
    }

    @Test
    void filesAreOpenedForTheMainProcess() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "content\n");
        stage.service(
                "a",
                "Type=oneshot",
                "OpenFile=" + file + ":mine:read-only",
                "OpenFile=" + folder.resolve("missing") + "::graceful",
                "OpenFile=" + out + ":log:append,graceful",
                "ExecStart=/bin/sh -c 'read x <&3; echo $$LISTEN_FDS $$LISTEN_FDNAMES $$x >&4'");
        Files.createFile(out);
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(out).content().isEqualTo("2 mine:log content\n");
        stage.service(
                "b",
                "Type=oneshot",
                "OpenFile=" + folder.resolve("missing"),
                "ExecStart=/bin/true");
        assertThat(stage.start("b")).isEqualTo(JobResult.FAILED);
        stage.happenings().await("missing: no such file or directory (ENOENT)");
        assertThat(stage.status("b").mainExit().orElseThrow()).isEqualTo(new Exit.Exited(202));
    }
}
