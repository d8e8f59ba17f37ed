package io.holdfast.authority.agent;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Unistd;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A dialog with a running helper. Closing it ends the helper. */
final class HelperSession implements AutoCloseable {
    private static final Duration CONNECT = Duration.ofSeconds(10);

    private final UnixSocket socket;
    private final Optional<Child> child;
    private final HelperDialog dialog;

    private HelperSession(UnixSocket socket, Optional<Child> child) {
        this.socket = socket;
        this.child = child;
        this.dialog = new HelperDialog(new SocketLink(socket));
    }

    /**
     * Begins a dialog with the first helper that is available.
     *
     * @throws IOException if none is: the message has each address with its error
     */
    static HelperSession open(List<HelperAddress> addresses, String user, String cookie)
            throws IOException, InterruptedException {
        List<String> failures = new ArrayList<>();
        for (HelperAddress address : addresses) {
            try {
                return switch (address) {
                    case HelperAddress.Socket socket -> connect(socket, user, cookie);
                    case HelperAddress.Program program -> start(program, user, cookie);
                };
            } catch (IOException | ErrnoException e) {
                failures.add(address + ": " + e.getMessage());
            }
        }
        throw new IOException("no helper can be had; " + String.join("; ", failures));
    }

    private static HelperSession connect(HelperAddress.Socket address, String user, String cookie)
            throws IOException, InterruptedException {
        UnixSocket socket =
                UnixSocket.connect(UnixAddress.path(address.path()), SocketType.STREAM, CONNECT);
        return begun(
                new HelperSession(socket, Optional.empty()),
                () -> requireTrusted(socket),
                user,
                cookie);
    }

    /** Checks the listener, which receives passwords: it must be root, or this process's user. */
    private static void requireTrusted(UnixSocket socket) throws IOException {
        try (Peer peer = socket.peer()) {
            if (peer.uid() != 0 && peer.uid() != Unistd.geteuid()) {
                throw new IOException("user " + peer.uid() + " listens there, and not root");
            }
        }
    }

    /**
     * Starts a helper program. The cookie is not passed on the command line, which all users can
     * read. The program gets its own process group: a signal from the terminal, such as Ctrl-C, is
     * for the agent, and must not end the helper before the agent has dismissed the dialog.
     */
    private static HelperSession start(HelperAddress.Program address, String user, String cookie)
            throws IOException, InterruptedException {
        if (!Files.isExecutable(address.path())) {
            throw new IOException("no such program");
        }
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        UnixSocket ours = pair[0];
        try (UnixSocket theirs = pair[1]) {
            Child child =
                    Spawn.of(address.path().toString(), user)
                            .stdin(Stdio.descriptor(theirs.fd()))
                            .stdout(Stdio.descriptor(theirs.fd()))
                            .newProcessGroup()
                            .start();
            return begun(new HelperSession(ours, Optional.of(child)), () -> {}, cookie);
        } catch (RuntimeException e) {
            ours.close();
            throw e;
        }
    }

    /** A check of the other side. */
    private interface Check {
        void run() throws IOException;
    }

    private static HelperSession begun(HelperSession session, Check check, String... lines)
            throws IOException, InterruptedException {
        boolean begun = false;
        try {
            check.run();
            session.dialog.begin(lines);
            begun = true;
            return session;
        } finally {
            if (!begun) {
                session.close();
            }
        }
    }

    HelperDialog dialog() {
        return dialog;
    }

    /** Hangs up. A program of polkit that runs as another user then ends on its own. */
    @Override
    public void close() {
        socket.close();
        child.ifPresent(program -> {
            try (program) {
                boolean ignored = program.signal(Signal.TERM);
            } catch (ErrnoException e) {
                // EPERM: it runs as root by now, and ends at the end of the stream
            }
        });
    }
}
