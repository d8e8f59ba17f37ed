package io.holdfast.cli.permission;

import io.holdfast.authority.agent.HelperLimits;
import io.holdfast.authority.agent.HelperProcess;
import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.DaemonProcess;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.output.LogLines;
import io.holdfast.cli.output.Output;
import io.holdfast.core.sys.Unistd;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Authenticates a user for one connection of an agent: a service that its socket starts. */
public final class AgentHelperCommand implements Command {
    @Override
    public CommandSpec spec() {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
        spec.usageMessage()
                .header(
                        "Authenticate a user for an agent (started by a socket unit with Accept=yes).")
                .description(
                        "%nAs root, for the connection of LISTEN_FDS or of standard input: speaks what agents of polkit"
                                + " speak with their helper, lets PAM ask, and tells the authority.%n")
                .footer(
                        "%nExit codes: 0 authenticated, 1 it went wrong, 2 PAM has refused the user.");
        return spec.addOption(Command.option("--bus", "ADDRESS", "A bus, and not the system's."))
                .addOption(
                        Command.option("--service", "NAME", "The PAM service, and not polkit-1."))
                .addOption(
                        Command.option(
                                "--pam-folder", "DIR", "Where its file is, and not /etc/pam.d."))
                .addOption(
                        Command.option(
                                "--answer-time",
                                "SECONDS",
                                "How long an answer may take, and not five minutes."));
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

    /** PAM works, and cannot be told that nobody waits for it. */
    private static void end(String reason) {
        LogLines.notice(reason);
        try {
            LogLines.flush();
        } catch (InterruptedException e) {
            // then without the last line
        }
        Unistd.exit(ExitCode.FAILURE);
    }
}
