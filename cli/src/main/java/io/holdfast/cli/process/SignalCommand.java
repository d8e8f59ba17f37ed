package io.holdfast.cli.process;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.ProcessArgument;
import io.holdfast.cli.output.Output;
import io.holdfast.core.Signal;
import io.holdfast.core.process.PidFd;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Sends a signal through a pidfd. */
public final class SignalCommand implements Command {
    private static final List<String> SCOPES = List.of("thread", "process", "group");

    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "Send a signal to a process by pidfd.")
                .footer(
                        "%nExit codes: 0 sent, 1 the process is gone, is a zombie, or may not be"
                                + " signalled.",
                        "%nExamples:",
                        "  holdfast signal 4711 TERM",
                        "  holdfast signal 4711:8734:8c1e6a0e-3f0b-4f0e-9d59-27b1a0c6f7d2 KILL",
                        "  holdfast signal --scope group 4711 HUP",
                        "  holdfast signal --value 7 4711 RTMIN+3",
                        "  holdfast signal 4711 0        # only check")
                .option(
                        "--scope SCOPE",
                        SCOPES,
                        "The target: ${COMPLETION-CANDIDATES} (thread: PID is a TID; group: the"
                                + " process group that the process leads; default: process).")
                .option("--value NUMBER", "Send this value with the signal, as sigqueue(3) does.")
                .argument(ProcessArgument.LABEL, "1", ProcessArgument.DESCRIPTION)
                .argument(
                        "SIGNAL",
                        "1",
                        "A signal name, with or without SIG, or a number; 0 only checks whether a"
                                + " signal may be sent.")
                .spec();
    }

    @Override
    public int run(ParseResult line, Output output) {
        String text = line.matchedPositionalValue(0, "");
        Signal signal = signal(text, line.matchedPositionalValue(1, ""), line);
        String scope = line.matchedOptionValue("--scope", "").toLowerCase(Locale.ROOT);
        if (!scope.isEmpty() && !SCOPES.contains(scope)) {
            throw Command.misuse(line, "not a scope: '" + scope + "'; expected one of " + SCOPES);
        }
        try (PidFd process =
                scope.equals("thread")
                        ? ProcessArgument.openThread(text, line)
                        : ProcessArgument.open(text, line)) {
            if (process.state() == PidFd.State.EXITED) {
                throw new CommandException(
                        process
                                + " has exited and cannot be signalled: its parent has not"
                                + " reaped it");
            }
            if (!send(process, signal, scope, line)) {
                throw new CommandException(process + " is gone: nothing was sent");
            }
        }
        return ExitCode.OK;
    }

    private static boolean send(PidFd process, Signal signal, String name, ParseResult line) {
        PidFd.Scope scope = scope(name);
        if (line.hasMatchedOption("--value")) {
            long value = value(line);
            return scope == null
                    ? process.signalWithValue(signal, value)
                    : process.signalWithValue(signal, value, scope);
        }
        return scope == null ? process.signal(signal) : process.signal(signal, scope);
    }

    private static PidFd.@Nullable Scope scope(String name) {
        return switch (name) {
            case "thread" -> PidFd.Scope.THREAD;
            case "process" -> PidFd.Scope.PROCESS;
            case "group" -> PidFd.Scope.PROCESS_GROUP;
            default -> null;
        };
    }

    private static long value(ParseResult line) {
        String text = line.matchedOptionValue("--value", "");
        try {
            return Long.decode(text);
        } catch (NumberFormatException e) {
            throw Command.misuse(line, "not a value: '" + text + "'; expected a 64-bit number");
        }
    }

    private static Signal signal(String process, String text, ParseResult line) {
        if (isName(process)) {
            throw Command.misuse(
                    line, "the process must precede the signal: signal " + text + " " + process);
        }
        try {
            return Signal.of(text);
        } catch (IllegalArgumentException e) {
            throw Command.misuse(
                    line,
                    "not a signal: '" + text + "'; expected a name, or a number from 0 to 64");
        }
    }

    private static boolean isName(String text) {
        try {
            return !Signal.of(text).name().isEmpty() && Character.isLetter(text.charAt(0));
        } catch (IllegalArgumentException e) {
            return false;
        }
    }
}
