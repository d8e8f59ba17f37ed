package io.holdfast.cli.command;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.authority.agent.AgentUserInterface;
import io.holdfast.authority.agent.AuthenticationRequest;
import io.holdfast.authority.agent.DismissedException;
import io.holdfast.cli.output.Output;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Termios;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.text.PrintableText;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Shows authentication dialogs on a terminal. Secrets are not echoed, and the echo is restored
 * however a prompt ends, at the latest by {@link #close}. The process that requests a dialog
 * chooses some of its texts, so every line is escaped when it is written ({@link PrintableText}).
 */
public final class TerminalFace implements AgentUserInterface, AutoCloseable {
    private static final int CHOICE = 20; // bytes of the number that the user types
    private static final int LINE = 4096; // characters of a line or a prompt
    private static final Charset CHARSET = Output.terminalCharset();

    private final Fd terminal;

    @GuardedBy("this")
    private @Nullable Termios before; // while the echo is off

    private TerminalFace(Fd terminal) {
        this.terminal = terminal;
    }

    /**
     * Opens the controlling terminal of this process.
     *
     * @throws ErrnoException ENXIO if there is none
     */
    public static TerminalFace open() {
        Fd terminal = Fcntl.open("/dev/tty", Fcntl.O_RDWR | Fcntl.O_NOCTTY | Fcntl.O_NONBLOCK);
        return new TerminalFace(terminal);
    }

    @Override
    public int choose(AuthenticationRequest request, List<String> users)
            throws DismissedException, IOException, InterruptedException {
        line("");
        if (!Terminal.isForeground()) {
            line("A dialog waits until its agent is in the foreground of this terminal: fg");
        }
        line("Authentication is required for " + request.actionId());
        line("  " + request.message());
        if (users.size() == 1) {
            line("  Authenticating as: " + users.getFirst());
            return 0;
        }
        for (int i = 0; i < users.size(); i++) {
            line("%3d  %s".formatted(i + 1, users.get(i)));
        }
        for (; ; ) {
            ByteBuffer typed = ByteBuffer.allocateDirect(CHOICE);
            prompt("Authenticate as [1-" + users.size() + "] ", true, typed);
            byte[] bytes = new byte[typed.position()];
            typed.get(0, bytes);
            String text = new String(bytes, StandardCharsets.US_ASCII).strip();
            if (text.matches("[0-9]{1,4}")) {
                int number = Integer.parseInt(text);
                if (number >= 1 && number <= users.size()) {
                    return number - 1;
                }
            }
        }
    }

    @Override
    public void prompt(String text, boolean echo, ByteBuffer answer)
            throws DismissedException, IOException, InterruptedException {
        boolean answered = false;
        try {
            if (!echo) {
                hide();
            }
            write(text, "");
            while (!readLine(answer)) {
                line("");
                write("The answer is too long. " + text, "");
                wipe(answer);
            }
            answered = true;
        } finally {
            restore();
            if (!answered) {
                newLineAtLast();
            }
        }
        if (!echo) {
            line("");
        }
    }

    /** Reads a line without its line break; returns false if it does not fit into the buffer. */
    private boolean readLine(ByteBuffer answer)
            throws DismissedException, IOException, InterruptedException {
        ByteBuffer one = ByteBuffer.allocateDirect(1);
        boolean fits = true;
        boolean begun = false;
        try {
            for (; ; ) {
                long n = Unistd.read(terminal, MemorySegment.ofBuffer(one));
                if (n == -Errno.EAGAIN) {
                    int ignored = Readiness.await(terminal, Readiness.IN);
                } else if ((n == 0 && !begun) || n == -Errno.EIO) {
                    throw new DismissedException(); // ^D, or the terminal has hung up
                } else if (n == 0) {
                    begun = false; // ^D within a line: a second one dismisses
                } else if (n < 0) {
                    throw failed("read", n);
                } else if (one.get(0) == '\n') {
                    return fits;
                } else if (answer.hasRemaining()) {
                    answer.put(one.get(0));
                    begun = true;
                } else {
                    fits = false;
                }
            }
        } finally {
            one.put(0, (byte) 0);
        }
    }

    private static void wipe(ByteBuffer answer) {
        answer.clear();
        while (answer.hasRemaining()) {
            answer.put((byte) 0);
        }
        answer.clear();
    }

    @Override
    public void showMessage(String text, boolean isError) throws IOException, InterruptedException {
        line(text);
    }

    @Override
    public void ended(boolean authenticated, boolean again)
            throws IOException, InterruptedException {
        line(
                authenticated
                        ? "Authenticated."
                        : again ? "Authentication failed; try again." : "Not authenticated.");
    }

    private synchronized void hide() {
        before = Termios.of(terminal);
        int set = before.withoutEcho().apply(terminal);
        int ignored = ErrnoException.check(set, "tcsetattr", "/dev/tty");
    }

    private synchronized void restore() {
        if (before != null && terminal.isOpen()) {
            int ignored = before.apply(terminal); // fails if the terminal has hung up
        }
        before = null;
    }

    private void newLineAtLast() {
        byte[] end = {'\n'};
        if (terminal.isOpen()) {
            int ignored = Unistd.write(terminal, end, 0, 1); // a full terminal drops it
        }
    }

    private void line(String text) throws IOException, InterruptedException {
        write(text, "\n");
    }

    private void write(String text, String end) throws IOException, InterruptedException {
        byte[] bytes = (PrintableText.of(text, LINE) + end).getBytes(CHARSET);
        int at = 0;
        while (at < bytes.length) {
            int n = Unistd.write(terminal, bytes, at, bytes.length - at);
            if (n == -Errno.EAGAIN) {
                int ignored = Readiness.await(terminal, Readiness.OUT);
            } else if (n < 0) {
                throw failed("write", n);
            } else {
                at += n;
            }
        }
    }

    private static IOException failed(String call, long result) {
        ErrnoException e = new ErrnoException(call, "/dev/tty", (int) -result);
        return new IOException(e.getMessage(), e);
    }

    @Override
    public void close() {
        restore();
        terminal.close();
    }
}
