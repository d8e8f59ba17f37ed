package io.holdfast.cli.up;

import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.ExitJson;
import io.holdfast.cli.output.Output;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Readiness;
import io.holdfast.core.Registration;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/**
 * A manager that is started in the background: in a session of its own, without a terminal, with
 * its output in a file. It reports by its notify socket (sd_notify(3)) when its units are started.
 */
final class DetachedManager {
    private static final int MESSAGE = 64 << 10;
    private static final int OWNER_ONLY = 0600;
    private static final String OWNER_WRITES = "rw-r-----";

    /** The most that is shown of the output of a manager that has failed. */
    private static final int SHOWN = 16 << 10;

    private final Path log;
    private final Output output;
    private final ByteBuffer message = ByteBuffer.allocate(MESSAGE);
    private boolean ready;
    private String problems = "";

    /**
     * @param log the file to which the output of the manager is appended; created if it is missing
     */
    DetachedManager(Path log, Output output) {
        this.log = log;
        this.output = output;
    }

    /**
     * Starts the manager, and waits until its units are started or it has ended. SIGINT and SIGTERM
     * meanwhile stop it.
     *
     * @return the exit code: that of the manager if it has ended
     */
    int start(List<String> command) throws Exception {
        long before = prepareLog();
        Path folder = Files.createTempDirectory("holdfast-"); // mode 0700: nobody else may report
        Path address = folder.resolve("ready");
        try (UnixSocket socket =
                        UnixSocket.bind(new UnixAddress.PathName(address.toString()), OWNER_ONLY);
                Child manager =
                        Spawn.of(command)
                                .environment("NOTIFY_SOCKET", address.toString())
                                .stdin(Stdio.devNull())
                                .stdout(Stdio.appendTo(log))
                                .stderr(Stdio.merged())
                                .newSession()
                                .start()) {
            await(socket, manager);
            if (!ready) {
                return failed(manager.await(), before);
            }
            String name = manager.pidFd().processId().toString();
            output.line("running in the background as process ", name, "; output: ", log);
            output.line("stop it with: holdfast signal ", name, " TERM");
            problems.lines().forEach(output::complain);
            return problems.isEmpty() ? ExitCode.OK : ExitCode.FAILURE;
        } finally {
            Files.deleteIfExists(address);
            Files.deleteIfExists(folder);
        }
    }

    /** Creates the log if it is missing, and returns its size. */
    private long prepareLog() {
        try {
            if (log.getParent() != null) {
                Path _ = Files.createDirectories(log.getParent());
            }
            Path _ =
                    Files.createFile(
                            log,
                            PosixFilePermissions.asFileAttribute(
                                    PosixFilePermissions.fromString(OWNER_WRITES)));
            return 0;
        } catch (FileAlreadyExistsException e) {
            return log.toFile().length();
        } catch (IOException e) {
            throw new CommandException(
                    "cannot write the output to "
                            + CommandException.reason(e)
                            + "; name another file with --log",
                    e);
        }
    }

    private void await(UnixSocket socket, Child manager) {
        try (EventLoop loop = EventLoop.open()) {
            Runnable stop =
                    () -> {
                        boolean _ = manager.signal(Signal.TERM);
                    };
            try (Registration _ = loop.onSignal(Signal.INT, stop);
                    Registration _ = loop.onSignal(Signal.TERM, stop)) {
                EventLoop.Watch _ =
                        loop.watch(
                                socket.fd(),
                                Readiness.IN,
                                _ -> {
                                    receive(socket);
                                    if (ready) {
                                        loop.stop();
                                    }
                                });
                var _ = manager.onExit().thenRun(loop::stop);
                loop.run();
            }
        }
    }

    private void receive(UnixSocket socket) {
        message.clear();
        if (socket.tryReceive(message) <= 0) {
            return;
        }
        String text = StandardCharsets.UTF_8.decode(message.flip()).toString();
        for (String line : text.split("\n", -1)) {
            if (line.equals("READY=1")) {
                ready = true;
            } else if (line.startsWith(SupervisorNotices.STATUS)) {
                problems =
                        line.substring(SupervisorNotices.STATUS.length())
                                .replace(SupervisorNotices.SEPARATOR, "\n");
            }
        }
    }

    /** Shows the output of a manager that has ended, and returns its exit code. */
    private int failed(Exit exit, long before) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(log.toFile(), "r")) {
            file.seek(Math.max(before, file.length() - SHOWN));
            byte[] written = new byte[Math.toIntExact(file.length() - file.getFilePointer())];
            file.readFully(written);
            new String(written, StandardCharsets.UTF_8).lines().forEach(output::line);
        }
        output.complain("the manager has ended: " + exit + "; its output is in " + log);
        int code = ExitJson.code(exit);
        return code == ExitCode.OK ? ExitCode.FAILURE : code;
    }
}
