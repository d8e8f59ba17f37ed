package io.holdfast.cli.command;

import io.holdfast.cli.output.Output;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A program that shows long output on a terminal page by page, as journalctl(1) uses one: {@code
 * $SYSTEMD_PAGER}, {@code $PAGER} or less(1); none if that is empty or {@code cat}.
 *
 * <p>A pager can execute commands and write files as its user. So for somebody who may execute this
 * program as root, by sudo(8) for instance, but not every program, it is less(1) in its secure
 * mode, whatever the environment says.
 */
public final class Pager implements AutoCloseable {
    private static final List<String> USUAL = List.of("less");
    private static final List<String> LENT_RIGHTS =
            List.of("SUDO_UID", "PKEXEC_UID", "DOAS_USER", "RUN0_USER", "SYSTEMD_PAGERSECURE");

    private final Output output;
    private final @Nullable Child child; // null without a pager

    private Pager(Output output, @Nullable Child child) {
        this.output = output;
        this.child = child;
    }

    /**
     * Starts the pager, if the output is a terminal.
     *
     * @param isWanted whether to use one at all
     */
    public static Pager start(Output output, boolean isWanted) {
        List<String> command =
                isWanted && output.isTerminal() && canMoveCursor(System.getenv())
                        ? command(System.getenv())
                        : List.of();
        if (command.isEmpty()) {
            return new Pager(output, null);
        }
        boolean isUtf8 = Output.terminalCharset().equals(StandardCharsets.UTF_8);
        Spawn spawn =
                Spawn.of(command)
                        .environment("LESS", "FRSXMK") // as journalctl(1)
                        .environment("LESSCHARSET", isUtf8 ? "utf-8" : "")
                        .stdin(Stdio.pipe())
                        .stdout(Stdio.inherit())
                        .stderr(Stdio.inherit());
        if (hasLentRights(System.getenv())) {
            spawn.environment("LESSSECURE", "1");
        }
        try {
            Child child = spawn.start();
            return new Pager(output.through(child.stdin()), child);
        } catch (ErrnoException e) { // it is not installed, for instance
            return new Pager(output, null);
        }
    }

    /** Returns the words of the command; none if there is to be no pager. */
    static List<String> command(Map<String, String> environment) {
        if (hasLentRights(environment)) {
            return USUAL;
        }
        String chosen = environment.getOrDefault("PAGER", String.join(" ", USUAL));
        String words = environment.getOrDefault("SYSTEMD_PAGER", chosen).strip();
        return words.isEmpty() || words.equals("cat") ? List.of() : List.of(words.split("\\s+"));
    }

    /** On others, such as the shell of an editor, less(1) asks before it begins. */
    private static boolean canMoveCursor(Map<String, String> environment) {
        String terminal = environment.getOrDefault("TERM", "dumb");
        return !terminal.isEmpty() && !terminal.equals("dumb");
    }

    private static boolean hasLentRights(Map<String, String> environment) {
        return LENT_RIGHTS.stream().anyMatch(environment::containsKey);
    }

    /** Returns the output that the pager shows. */
    public Output output() {
        return output;
    }

    /** Waits until the user has left the pager. */
    @Override
    public void close() {
        if (child == null) {
            return;
        }
        try (child) {
            output.bytes().close();
            var _ = child.await();
        } catch (IOException e) {
            throw new UncheckedIOException(e); // not from a stream for printing
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
