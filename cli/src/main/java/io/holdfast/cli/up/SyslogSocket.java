package io.holdfast.cli.up;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Readiness;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.core.limit.Throttle;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.Sender;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.SysStat;
import io.holdfast.manager.Manager;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * {@code /dev/log} in a container without a receiver of log messages: messages of syslog(3) are
 * printed beside the output of the units, each with the unit of its sender. A syslog daemon that
 * starts later replaces the link, or receives the messages from its {@code syslog.socket}, as it
 * does from systemd's journal: with the user and group of the sender and, if this process has
 * CAP_SYS_ADMIN, its PID, else that of this process. Used on the manager's event loop.
 */
final class SyslogSocket implements AutoCloseable {
    /** The socket of syslog(3). */
    static final Path DEV_LOG = Path.of("/dev/log");

    /** The socket to which systemd's journal forwards messages, if it is there. */
    private static final UnixAddress SYSLOG_DAEMON =
            new UnixAddress.PathName("/run/systemd/journal/syslog");

    private static final String NAME = "dev-log";
    private static final int FOR_ALL = 0666;
    private static final int MAX_MESSAGE = 8192; // bytes; the rest is cut
    private static final int BATCH = 32; // messages in one turn of the loop
    private static final int MAX_LINES = 16; // of one message

    /** The lines that are printed of one unit, or of one user's other processes. */
    private static final int BURST = 1000;

    private static final Duration INTERVAL = Duration.ofSeconds(30);
    private static final int SOURCES = 256;

    /** Priority and time, with which syslog(3) begins a message. */
    private static final Pattern HEADER =
            Pattern.compile("^(<\\d{1,3}>)?([A-Z][a-z]{2} [ 0-9]\\d \\d\\d:\\d\\d:\\d\\d )?");

    private final Manager manager;
    private final UnixSocket socket;
    private final Path path;
    private final EventLoop.Watch watch;
    private final Throttle lines;
    private final Ancillary beside = Ancillary.ofDescriptors(0);
    private final ByteBuffer data = ByteBuffer.allocateDirect(MAX_MESSAGE);

    private SyslogSocket(Manager manager, UnixSocket socket, Path path, Consumer<String> printer) {
        this.manager = manager;
        this.socket = socket;
        this.path = path;
        this.lines =
                Throttle.of(BURST, INTERVAL, SOURCES, printer)
                        .withTimer((delay, task) -> {
                            var _ = manager.loop().after(delay, task);
                        });
        this.watch = manager.loop().watch(socket.fd(), Readiness.IN, _ -> receive());
    }

    /**
     * Opens the socket, unless another program serves {@code /dev/log}.
     *
     * @param runtime the runtime folder of the manager
     * @param printer receives lines
     * @throws IOException if the link cannot be made
     * @throws ErrnoException if the socket cannot be made
     */
    static Optional<SyslogSocket> open(Manager manager, Path runtime, Consumer<String> printer)
            throws IOException {
        Path path = runtime.resolve(NAME);
        boolean isOurs =
                Files.isSymbolicLink(DEV_LOG) && Files.readSymbolicLink(DEV_LOG).equals(path);
        if (!isOurs && Files.exists(DEV_LOG)) {
            return Optional.empty();
        }
        UnixSocket socket;
        try (TrustedFolder folder = TrustedFolder.open(runtime)) {
            int _ = SysStat.unlinkat(folder.fd(), NAME); // of a killed manager
            socket = UnixSocket.bind(new UnixAddress.PathName(path.toString()), FOR_ALL);
        }
        try {
            socket.passIdentity();
            socket.refuseDescriptors();
            if (!isOurs) {
                if (Files.exists(DEV_LOG, LinkOption.NOFOLLOW_LINKS)) {
                    Files.delete(DEV_LOG); // a link that leads nowhere
                }
                Files.createSymbolicLink(DEV_LOG, path);
            }
            return Optional.of(new SyslogSocket(manager, socket, path, printer));
        } catch (IOException | ErrnoException e) {
            socket.close();
            boolean _ = Files.deleteIfExists(path);
            throw e;
        }
    }

    private void receive() {
        for (int i = 0; i < BATCH; i++) {
            data.clear();
            try {
                if (socket.tryReceive(data, beside) == UnixSocket.WOULD_BLOCK) {
                    return;
                }
            } catch (ErrnoException e) {
                lines.log("lost", "syslog | message lost: " + e.getMessage());
                return;
            }
            data.flip();
            beside.takeSender().ifPresent(this::forwardOrTake);
        }
    }

    private void forwardOrTake(Sender sender) {
        if (isForwarded(sender)) {
            sender.close();
        } else {
            take(sender, UTF_8.decode(data.rewind()).toString());
        }
    }

    /** Returns false if no syslog daemon listens, or if its socket is full. */
    private boolean isForwarded(Sender sender) {
        try {
            return socket.tryForwardTo(SYSLOG_DAEMON, sender, data) != UnixSocket.WOULD_BLOCK;
        } catch (ErrnoException e) {
            return false;
        }
    }

    /** Prints a message once the unit of its sender is known. */
    private void take(Sender sender, String message) {
        String user = "user " + sender.uid();
        Optional<PidFd> process = sender.pidFd();
        if (process.isEmpty()) {
            sender.close();
            print(user, message);
            return;
        }
        var _ =
                manager.unitOf(process.get())
                        .whenComplete((unit, _) -> {
                            sender.close();
                            boolean isKnown = unit != null && unit.isPresent();
                            print(isKnown ? unit.get().name() : user, message);
                        });
    }

    private void print(String source, String message) {
        String text = HEADER.matcher(message).replaceFirst("").replace("\0", "").stripTrailing();
        text.lines().limit(MAX_LINES).forEach(line -> lines.log(source, source + " | " + line));
    }

    /** Removes the socket, and the link if it still leads there. */
    @Override
    public void close() {
        watch.close();
        socket.close();
        beside.close();
        try {
            boolean isOurs =
                    Files.isSymbolicLink(DEV_LOG) && Files.readSymbolicLink(DEV_LOG).equals(path);
            boolean _ = isOurs && Files.deleteIfExists(DEV_LOG);
            boolean _ = Files.deleteIfExists(path);
        } catch (IOException e) {
            // the container ends anyway
        }
    }
}
