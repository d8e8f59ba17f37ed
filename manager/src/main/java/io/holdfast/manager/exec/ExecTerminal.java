package io.holdfast.manager.exec;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.file.FileException;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Isolation;
import io.holdfast.core.process.Spawn;
import io.holdfast.manager.unit.settings.ExecSettings;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The terminal of a run: who owns it, and in which state it is before and after the processes that
 * it controls.
 */
final class ExecTerminal {
    private final ExecSettings settings;
    private final UnitTerminal terminal;
    private final ExecWarnings warnings;

    ExecTerminal(ExecSettings settings, ExecWarnings warnings) {
        this.settings = settings;
        this.terminal = new UnitTerminal(settings.streams().terminal());
        this.warnings = warnings;
    }

    /** Puts the unit's terminal in order, as far as the unit has one and wants that. */
    void tidy() {
        if (UnitTerminal.isOf(settings)) {
            try {
                terminal.tidy();
            } catch (FileException | ErrnoException e) {
                warnings.once("TTYPath", "its terminal is left as it is: " + e.getMessage());
            }
        }
    }

    /** Makes the user of the run the owner of the terminal that is its standard input. */
    void giveTo(OptionalLong uid, ExecStreams streams) {
        Optional<Fd> input =
                streams.controlling().or(() -> streams.passedInput().filter(terminal::isPassed));
        if (input.isPresent() && uid.isPresent()) {
            try {
                terminal.giveTo(input.get(), uid.getAsLong());
            } catch (ErrnoException e) {
                warnings.once("TTYPath", "its user does not own its terminal: " + e.getMessage());
            }
        }
    }

    /**
     * Starts a process with its controlling terminal, if it has one.
     *
     * @throws ErrnoException as {@link Spawn#start}
     * @throws SetupException if the terminal of the unit belongs to another session
     */
    Child start(Spawn spawn, ExecStreams streams) throws SetupException {
        return streams.controlling().isPresent()
                ? startOnOwn(spawn, streams.controlling().get())
                : startOnPassed(spawn, streams);
    }

    /**
     * Starts a process with the terminal of the unit as its controlling terminal. The console of
     * the machine is an input only: it never becomes the controlling terminal when it is opened.
     */
    private Child startOnOwn(Spawn spawn, Fd fd) throws SetupException {
        try {
            return spawn.copy().terminal(fd).start();
        } catch (Isolation.FailedException e) {
            throw e;
        } catch (ErrnoException e) {
            if (!terminal.isTaken(e)) {
                throw e;
            }
            if (terminal.isConsole()) {
                return spawn.start();
            }
            throw new SetupException(
                    SetupException.Step.STDIN,
                    terminal
                            + " is the terminal of another session: end that one, or set"
                            + " StandardInput=tty-force");
        }
    }

    /**
     * Starts a process with the terminal that was passed as its standard input, if there is one, as
     * its controlling terminal. A terminal that belongs to another session stays an input only.
     */
    private static Child startOnPassed(Spawn spawn, ExecStreams streams) {
        Optional<Fd> terminal = streams.passedInput().filter(UnitTerminal::isTerminal);
        if (terminal.isPresent()) {
            try {
                return spawn.copy().terminal(terminal.get()).start();
            } catch (Isolation.FailedException e) {
                throw e;
            } catch (ErrnoException e) {
                // of the terminal, or else the next start fails in the same way
            }
        }
        return spawn.start();
    }

    /** Makes root the owner of the terminal that is the standard input of the unit. */
    void takeBackFrom(OptionalLong uid) {
        if (settings.standardInput().isTerminal() && uid.isPresent()) {
            try {
                terminal.takeBack();
            } catch (FileException e) {
                // it no longer exists
            } catch (ErrnoException e) {
                warnings.once(
                        "TTYPath", "its user remains the owner of its terminal: " + e.getMessage());
            }
        }
    }
}
