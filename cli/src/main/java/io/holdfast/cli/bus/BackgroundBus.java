package io.holdfast.cli.bus;

import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A bus in the background, as {@code dbus-daemon --fork} starts it: the same command in a new
 * session, which has printed its addresses and its PID to this process. A JVM cannot fork itself.
 */
record BackgroundBus(List<String> addresses, String pid) {
    private static final Path COMMAND_LINE = Path.of("/proc/self/cmdline");
    private static final List<String> REPLACED = List.of("--print-address", "--print-pid");

    /**
     * Starts the command of this process without an option, and returns when it listens.
     *
     * @param fork the option
     * @throws CommandException if it ends before that
     */
    static BackgroundBus start(String fork) throws InterruptedException {
        List<String> command = new ArrayList<>();
        try {
            for (String word : Files.readString(COMMAND_LINE).split("\0")) {
                if (!word.equals(fork) && REPLACED.stream().noneMatch(word::startsWith)) {
                    command.add(word);
                }
            }
        } catch (IOException e) {
            throw new CommandException(CommandException.reason(e), e);
        }
        command.addAll(REPLACED);
        try (Child child =
                        Spawn.of(command)
                                .stdin(Stdio.devNull())
                                .stdout(Stdio.pipe())
                                .stderr(Stdio.devNull()) // its reader would wait for the bus
                                .newSession()
                                .start();
                BufferedReader lines =
                        new BufferedReader(
                                new InputStreamReader(child.stdout(), StandardCharsets.UTF_8))) {
            BackgroundBus started = read(lines);
            if (started == null) {
                Exit exit = child.onExit().join();
                throw new CommandException(
                        "bus: did not start: %s; to see why, run it without %s"
                                .formatted(exit, fork));
            }
            return started;
        } catch (IOException | ErrnoException e) {
            throw new CommandException("bus: cannot be started: " + e.getMessage(), e);
        }
    }

    private static @Nullable BackgroundBus read(BufferedReader lines) throws IOException {
        List<String> addresses = new ArrayList<>();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (line.matches("[0-9]+")) {
                return new BackgroundBus(addresses, line);
            }
            addresses.add(line);
        }
        return null;
    }

    /** Prints what was asked for. */
    int print(@Nullable LineTarget forAddresses, @Nullable LineTarget forPid) {
        if (forAddresses != null) {
            forAddresses.write(addresses);
        }
        if (forPid != null) {
            forPid.write(List.of(pid));
        }
        return ExitCode.OK;
    }
}
