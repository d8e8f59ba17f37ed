package io.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.client.Authority;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs each daemon with a full pipe that is not read as standard output and standard error: it
 * starts, serves, and ends on SIGTERM.
 */
@Timeout(180)
class StalledReaderTest {
    /** In seconds; the daemon itself waits at most two, but the machine may be busy. */
    private static final int BOUND = 30;

    @TempDir private Path folder;
    private Fd readEnd;
    private Fd writeEnd;

    @BeforeEach
    void fill() {
        Fd[] pipe = Unistd.pipe2(0);
        readEnd = pipe[0];
        writeEnd = pipe[1];
        int ignored = Fcntl.setfl(writeEnd, Fcntl.O_NONBLOCK);
        byte[] chunk = new byte[1];
        int n;
        do {
            n = Unistd.write(writeEnd, chunk, 0, 1);
        } while (n == 1);
        assertThat(n).isEqualTo(-Errno.EAGAIN);
        ignored = Fcntl.setfl(writeEnd, 0); // the daemon's writes block
    }

    @AfterEach
    void close() {
        readEnd.close();
        writeEnd.close();
    }

    private Child start(String... arguments) {
        return Spawn.of(Program.command(List.of(), arguments))
                .stdin(Stdio.devNull())
                .stdout(Stdio.descriptor(writeEnd))
                .stderr(Stdio.descriptor(writeEnd))
                .start();
    }

    private static void endsInTime(Child daemon) throws Exception {
        assertThat(daemon.signal(Signal.TERM)).isTrue();
        try {
            assertThat(daemon.onExit().get(BOUND, TimeUnit.SECONDS)).isEqualTo(new Exit.Exited(0));
        } finally {
            boolean ignored = daemon.signal(Signal.KILL);
        }
    }

    private Path unit(String name, String start) throws IOException {
        Path units = Files.createDirectories(folder.resolve("units"));
        Files.writeString(
                units.resolve(name),
                "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=" + start + "\n");
        return units;
    }

    private String[] up() throws IOException {
        return new String[] {
            "up",
            "--runtime-dir",
            folder.resolve("run").toString(),
            "--slice",
            "hfstalled" + ProcessHandle.current().pid() + ".slice",
            "--units",
            unit("a.service", "/bin/sh -c 'yes | head -n 20000; echo all; exec sleep 1000'")
                    .toString(),
            "a"
        };
    }

    /** Returns whether the service has written more than the manager can queue for the reader. */
    private boolean hasSaidAll() {
        Invocation status =
                Invocation.of("status", "--runtime-dir", folder.resolve("run").toString(), "a");
        return status.out().contains("\nall\n");
    }

    @Test
    void aManagerServesAndEnds() throws Exception {
        try (Child manager = start(up())) {
            Await.until(this::hasSaidAll);
            endsInTime(manager);
        }
    }

    @Test
    @Needs(programs = "python3")
    void aManagerOnAStoppedTerminalServesAndEnds() throws Exception {
        Path script =
                Files.writeString(
                        folder.resolve("terminal.py"),
                        """
                        import os, pty, sys, termios
                        master, slave = pty.openpty()
                        termios.tcflow(slave, termios.TCOOFF)
                        child = os.fork()
                        if child == 0:
                            os.dup2(slave, 1)
                            os.dup2(slave, 2)
                            os.execv(sys.argv[1], sys.argv[1:])
                        os.write(1, b"%d\\n" % child)
                        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
                        """);
        List<String> command = Program.command(List.of(), up());
        try (Child terminal =
                Spawn.of("python3", script.toString())
                        .arguments(command)
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.pipe())
                        .start()) {
            StringBuilder number = new StringBuilder();
            for (int c = terminal.stdout().read(); c != '\n'; c = terminal.stdout().read()) {
                number.append((char) c);
            }
            Await.until(this::hasSaidAll);
            try (PidFd manager = PidFd.open(Integer.parseInt(number.toString()))) {
                assertThat(manager.signal(Signal.TERM)).isTrue();
                assertThat(terminal.onExit().get(BOUND, TimeUnit.SECONDS))
                        .isEqualTo(new Exit.Exited(0));
            }
        }
    }

    @Test
    void aBusServesAndEnds() throws Exception {
        UnixAddress address = UnixAddress.path(folder.resolve("bus"));
        try (Child bus =
                start(
                        "bus",
                        "--print-address",
                        "--address",
                        "unix:path=" + folder.resolve("bus"))) {
            Await.until(() -> refused(address));
            for (int i = 0; i < 100; i++) {
                assertThat(refused(address)).isTrue();
            }
            try (BusConnection client =
                    BusConnection.connect("unix:path=" + folder.resolve("bus"))) {
                assertThat(client.owner("org.freedesktop.DBus")).isPresent();
            }
            endsInTime(bus);
        }
    }

    /** Sends invalid bytes, which the bus logs; returns false while the bus does not listen yet. */
    private static boolean refused(UnixAddress address) {
        try (UnixSocket socket = UnixSocket.connect(address, SocketType.STREAM)) {
            socket.sendFully(ByteBuffer.wrap("nonsense".getBytes(StandardCharsets.UTF_8)));
            return true;
        } catch (ErrnoException e) {
            assertThat(e.errno()).isIn(Errno.ENOENT, Errno.ECONNREFUSED, Errno.EPIPE);
            return e.errno() == Errno.EPIPE;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void anAuthorityServesAndEnds() throws Exception {
        Path rules = Files.createDirectory(folder.resolve("rules.d"));
        Files.writeString(
                rules.resolve("50.rules"),
                "for (var i = 0; i < 500; i++) { polkit.log('line ' + i); }\n");
        Path actions = Files.createDirectory(folder.resolve("actions"));
        Path socket = folder.resolve(Authority.VARLINK_INTERFACE);
        try (Child authority =
                start(
                        "authority",
                        "--bus",
                        "none",
                        "--socket",
                        socket.toString(),
                        "--actions",
                        actions.toString(),
                        "--rules",
                        rules.toString())) {
            Await.until(() -> Files.exists(socket));
            try (Authority client = Authority.overVarlink("unix:" + socket);
                    PidFd self = PidFd.self()) {
                long uid = Unistd.geteuid();
                assertThat(client.check(self, uid, "org.example.none", Map.of()).get())
                        .matches(decision -> !decision.isAuthorized());
            }
            endsInTime(authority);
        }
    }
}
