package io.holdfast.cli.permission;

import io.holdfast.authority.agent.HelperLimits;
import io.holdfast.authority.agent.HelperProcess;
import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.DaemonProcess;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.output.LogLines;
import io.holdfast.cli.output.Output;
import io.holdfast.core.sys.Unistd;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Authenticates a user for one connection of an agent, as a service of a socket unit. */
public final class AgentHelperCommand implements Command {
    @Override
    public CommandSpec spec() {
        return Grammar.of(
                        this,
                        "Authenticate a user for an agent (started by a socket unit with"
                                + " Accept=yes).")
                .description(
                        "%nSpeaks the protocol of polkit-agent-helper-1 on the socket in LISTEN_FDS"
                                + " or on standard input: runs PAM, relays its prompts to the"
                                + " agent, and reports success to the authority. Needs root.%n")
                .footer("%nExit codes: 0 authenticated, 1 error, 2 PAM refused the user.")
                .option("--bus ADDRESS", "The bus of the authority (default: the system bus).")
                .option("--service NAME", "The PAM service (default: polkit-1).")
                .option(
                        "--pam-folder DIR",
                        "The folder of the PAM service file (default: /etc/pam.d).")
                .option(
                        "--answer-time SECONDS",
                        "The timeout for each answer of the user (default: 300).")
                .spec();
    }

    @Override
    public boolean isDaemon() {
        return true;
    }

    @Override
    public int run(ParseResult line, Output output) throws Exception {
        DaemonProcess _ = DaemonProcess.begin();
        HelperProcess.Options system = HelperProcess.Options.system();
        String folder = line.matchedOptionValue("--pam-folder", null);
        HelperProcess.Options options =
                new HelperProcess.Options(
                        BusOption.of(line),
                        line.matchedOptionValue("--service", system.service()),
                        Optional.ofNullable(folder).map(Path::of),
                        limits(line));
        try {
            return HelperProcess.run(options, LogLines::notice, AgentHelperCommand::end);
        } catch (IOException | IllegalArgumentException e) {
            throw new CommandException(String.valueOf(e.getMessage()), e);
        }
    }

    private static HelperLimits limits(ParseResult line) {
        String seconds = line.matchedOptionValue("--answer-time", null);
        HelperLimits limits = HelperLimits.DEFAULT;
        if (seconds == null) {
            return limits;
        }
        if (!seconds.matches("[1-9][0-9]{0,5}")) {
            throw Command.misuse(line, "--answer-time: not a number of seconds: " + seconds);
        }
        Duration answer = Duration.ofSeconds(Integer.parseInt(seconds));
        return new HelperLimits(limits.line(), limits.request(), answer, limits.dialog());
    }

    /** Ends the process while PAM works, because PAM cannot be cancelled. */
    private static void end(String reason) {
        LogLines.notice(reason);
        try {
            LogLines.flush();
        } catch (InterruptedException e) {
            // the reason may not be logged
        }
        Unistd.exit(ExitCode.FAILURE);
    }
}
