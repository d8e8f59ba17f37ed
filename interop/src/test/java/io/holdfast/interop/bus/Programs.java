package io.holdfast.interop.bus;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Programs that find a bus by the variables of their environment; they end with this object. */
final class Programs implements AutoCloseable {
    private final String address;
    private final List<Running> running = new ArrayList<>();

    Programs(String address) {
        this.address = address;
    }

    String address() {
        return address;
    }

    /**
     * The end of a program.
     *
     * @param output standard output and error
     */
    record Ended(Exit exit, String output) {}

    /** Runs a program to its successful end, and returns its output. */
    String output(String... command) throws InterruptedException {
        Ended ended = run(command);
        assertThat(ended.exit())
                .as(() -> String.join(" ", command) + "\n" + ended.output())
                .isEqualTo(new Exit.Exited(0));
        return ended.output().strip();
    }

    /** Runs a program to its end. */
    Ended run(String... command) throws InterruptedException {
        return start(command).end();
    }

    /** Starts a program. */
    Running start(String... command) {
        Running started =
                new Running(
                        Spawn.of(List.of(command))
                                .environment("DBUS_SESSION_BUS_ADDRESS", address)
                                .environment("DBUS_SYSTEM_BUS_ADDRESS", address)
                                .environment("LC_ALL", "C.UTF-8")
                                .environment("NO_COLOR", "1")
                                .stdin(Stdio.devNull())
                                .stdout(Stdio.pipe())
                                .stderr(Stdio.merged())
                                .start());
        running.add(started);
        return started;
    }

    @Override
    public void close() {
        try {
            for (Running program : running.reversed()) {
                program.kill();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A running program. */
    static final class Running {
        private final Child child;
        private final BufferedReader output;
        private final List<String> seen = new ArrayList<>();

        private Running(Child child) {
            this.child = child;
            output = new BufferedReader(new InputStreamReader(child.stdout(), UTF_8));
        }

        int pid() {
            return child.pidFd().pid();
        }

        boolean isAlive() {
            return child.exit().isEmpty();
        }

        /** Reads until a line contains a text, and returns that line. */
        String lineWith(String text) {
            String line = line();
            while (line != null && !line.contains(text)) {
                line = line();
            }
            assertThat(line).as(() -> text + " in " + seen).isNotNull();
            return String.valueOf(line);
        }

        /** Returns the lines that were read. */
        List<String> seen() {
            return List.copyOf(seen);
        }

        /** Waits until it exits, without sending a signal. */
        Ended end() throws InterruptedException {
            while (line() != null) {}
            return new Ended(child.await(), String.join("\n", seen));
        }

        /** Sends it SIGTERM, and waits until it has ended. */
        Ended terminate() throws InterruptedException {
            boolean ignored = child.signal(Signal.TERM);
            return end();
        }

        /** Kills it. Idempotent. */
        void kill() throws InterruptedException {
            boolean ignored = child.signal(Signal.KILL);
            var _ = child.await();
            child.close();
        }

        private @Nullable String line() {
            try {
                String line = output.readLine();
                if (line != null) {
                    seen.add(line);
                }
                return line;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
