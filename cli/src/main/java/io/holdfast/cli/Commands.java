package io.holdfast.cli;

import io.holdfast.cli.bus.BusCommand;
import io.holdfast.cli.bus.DbusCommand;
import io.holdfast.cli.command.Command;
import io.holdfast.cli.log.JournalCommand;
import io.holdfast.cli.log.LogsCommand;
import io.holdfast.cli.permission.ActionsCommand;
import io.holdfast.cli.permission.AgentCommand;
import io.holdfast.cli.permission.AgentHelperCommand;
import io.holdfast.cli.permission.AuthorityCommand;
import io.holdfast.cli.permission.AuthorizationsCommand;
import io.holdfast.cli.permission.CheckCommand;
import io.holdfast.cli.permission.RulesCommand;
import io.holdfast.cli.process.InfoCommand;
import io.holdfast.cli.process.LeftoversCommand;
import io.holdfast.cli.process.RunCommand;
import io.holdfast.cli.process.SignalCommand;
import io.holdfast.cli.process.TopCommand;
import io.holdfast.cli.process.WatchCommand;
import io.holdfast.cli.service.DaemonReexecCommand;
import io.holdfast.cli.service.DaemonReloadCommand;
import io.holdfast.cli.service.EditCommand;
import io.holdfast.cli.service.InstallCommand;
import io.holdfast.cli.service.JobCommand;
import io.holdfast.cli.service.KillCommand;
import io.holdfast.cli.service.ResetFailedCommand;
import io.holdfast.cli.service.StatusCommand;
import io.holdfast.cli.service.TimersCommand;
import io.holdfast.cli.service.TransientUnitRequest;
import io.holdfast.cli.service.UnitFileQuery;
import io.holdfast.cli.service.VerifyCommand;
import io.holdfast.cli.tour.TourCommand;
import io.holdfast.cli.up.UpCommand;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The subcommands by name, and the order in which help shows them. */
final class Commands {
    /** A heading of the help, and the subcommands below it. */
    record Section(String title, List<String> names) {
        static Section of(String title, String names) {
            return new Section(title, List.of(names.split(" ", -1)));
        }
    }

    static final List<Section> SECTIONS =
            List.of(
                    Section.of(
                            "Services",
                            "up init status timers start stop restart reload enable disable"
                                    + " reenable preset mask unmask link revert set-default get-default"
                                    + " is-enabled list-unit-files cat edit reset-failed kill run verify daemon-reload daemon-reexec"),
                    Section.of("Logs", "logs journal"),
                    Section.of("Messages", "bus dbus"),
                    Section.of("Permissions", "authority check actions authorizations rules agent"),
                    Section.of("Processes", "info who top watch signal leftovers"),
                    Section.of(
                            "This machine, this command", "tour doctor completion help version"));

    private static final Set<String> WITHOUT_KERNEL = Set.of("completion", "help", "version");

    private Commands() {}

    /** Creates the command with this name. Only this one is created, to keep the start fast. */
    static Optional<Command> named(String name) {
        return Optional.ofNullable(
                switch (name) {
                    case "up" -> UpCommand.up();
                    case "init" -> UpCommand.init();
                    case "status" -> new StatusCommand();
                    case "timers" -> new TimersCommand();
                    case "start" -> JobCommand.start();
                    case "stop" -> JobCommand.stop();
                    case "restart" -> JobCommand.restart();
                    case "reload" -> JobCommand.reload();
                    case "enable" -> InstallCommand.enable();
                    case "disable" -> InstallCommand.disable();
                    case "mask" -> InstallCommand.mask();
                    case "unmask" -> InstallCommand.unmask();
                    case "reenable" -> InstallCommand.reenable();
                    case "preset" -> InstallCommand.preset();
                    case "link" -> InstallCommand.link();
                    case "revert" -> InstallCommand.revert();
                    case "set-default" -> InstallCommand.setDefault();
                    case "get-default" -> UnitFileQuery.defaultTarget();
                    case "is-enabled" -> UnitFileQuery.isEnabled();
                    case "list-unit-files" -> UnitFileQuery.list();
                    case "cat" -> UnitFileQuery.cat();
                    case "edit" -> new EditCommand();
                    case "reset-failed" -> new ResetFailedCommand();
                    case "kill" -> new KillCommand();
                    case "run" -> new RunCommand(new TransientUnitRequest());
                    case "verify" -> new VerifyCommand();
                    case "daemon-reload" -> new DaemonReloadCommand();
                    case "daemon-reexec" -> new DaemonReexecCommand();
                    case "logs" -> new LogsCommand();
                    case "journal" -> new JournalCommand();
                    case "bus" -> new BusCommand();
                    case "dbus" -> new DbusCommand();
                    case "authority" -> new AuthorityCommand();
                    case "check" -> new CheckCommand();
                    case "actions" -> new ActionsCommand();
                    case "authorizations" -> new AuthorizationsCommand();
                    case "rules" -> new RulesCommand();
                    case "agent" -> new AgentCommand();
                    case "agent-helper" -> new AgentHelperCommand(); // for units, not for people
                    case "info", "who" -> new InfoCommand();
                    case "top" -> new TopCommand();
                    case "watch" -> new WatchCommand();
                    case "signal" -> new SignalCommand();
                    case "leftovers" -> new LeftoversCommand();
                    case "doctor" -> new DoctorCommand();
                    case "tour" -> new TourCommand();
                    case "complete" -> new CompleteCommand(); // for shells, not for people
                    case "completion" -> new CompletionCommand();
                    case "help" -> new HelpCommand();
                    case "version" -> new VersionCommand();
                    default -> null;
                });
    }

    /**
     * Returns whether the command of this line calls libc. Binding libc takes half of the start-up
     * time, so another thread begins it while the line is parsed.
     */
    static boolean needsKernel(List<String> line) {
        return !line.isEmpty()
                && !line.getFirst().startsWith("-")
                && !WITHOUT_KERNEL.contains(line.getFirst())
                && !line.contains("--help");
    }

    static List<String> names() {
        return SECTIONS.stream().flatMap(section -> section.names().stream()).toList();
    }
}
