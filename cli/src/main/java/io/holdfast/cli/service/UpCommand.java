package io.holdfast.cli.service;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.DaemonProcess;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.metrics.MetricsSocket;
import io.holdfast.cli.output.Output;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.ContainerInit;
import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.log.ManagerListener.Level;
import io.holdfast.manager.survival.Keeper;
import io.holdfast.manager.survival.ManagerEnd;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/** Runs a service manager in the foreground, with the units that are named. */
public final class UpCommand implements Command {
    @Override
    public CommandSpec spec() {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
        spec.usageMessage()
                .header("Run a service manager, and start units with it.")
                .description(
                        "%nWithout units: a message bus, an authority and its authentication helper, each a"
                                + " process and user of its own (holdfast.target); for a user a message bus.%n%nStays"
                                + " in the foreground until SIGINT or SIGTERM, which stop all units in order, as"
                                + " does the end of its terminal; a second one kills them. SIGHUP reads the unit"
                                + " files again. Each service is spawned into a cgroup of its own and"
                                + " held by pidfd. `holdfast status` and the others talk to it.%n%nA manager that"
                                + " is killed is replaced at once: the process that was started is its keeper, which"
                                + " holds its sockets and pipes meanwhile.%n%nAs PID 1 of a container the keeper also"
                                + " stops all at SIGRTMIN+3, SIGRTMIN+4 and SIGPWR, which runtimes send, and at"
                                + " SIGRTMIN+5 it restarts the container.%n")
                .footer(
                        "%nExamples:",
                        "  holdfast up",
                        "  holdfast up redis-server.service",
                        "  holdfast up holdfast.target redis-server.service",
                        "  holdfast up --units ./units web.service worker@1.service",
                        "  holdfast up --user --units ~/units");
        ManagerSocket.addOptions(spec);
        spec.addOption(
                OptionSpec.builder("--units")
                        .paramLabel("DIR")
                        .type(List.class)
                        .auxiliaryTypes(Path.class)
                        .description("A folder of unit files that comes before the standard ones.")
                        .build());
        spec.addOption(
                OptionSpec.builder("--slice")
                        .paramLabel("NAME.slice")
                        .type(String.class)
                        .description("The manager's slice in the cgroup that it is started in.")
                        .build());
        spec.addOption(
                OptionSpec.builder("--bus")
                        .paramLabel("ADDRESS")
                        .type(String.class)
                        .description(
                                "Also serve org.freedesktop.systemd1 on this bus, and start what it"
                                        + " activates.")
                        .build());
        spec.addOption(
                MetricsSocket.option(
                        "counters of units, jobs, processes and crashes of the manager"));
        spec.addOption(
                OptionSpec.builder("--no-keeper")
                        .description(
                                "Run without a keeper, the small process that holds the manager's descriptors"
                                        + " and starts the next manager when one is killed; without it the"
                                        + " services of a killed manager are lost, and as PID 1 of a container it"
                                        + " stops at SIGTERM and SIGINT only.")
                        .build());
        return spec.addPositional(
                PositionalParamSpec.builder()
                        .paramLabel("UNIT")
                        .arity("0..*")
                        .type(List.class)
                        .auxiliaryTypes(String.class)
                        .description("Units to start.")
                        .build());
    }

    @Override
    public boolean isDaemon() {
        return true;
    }

    @Override
    public int run(ParseResult line, Output output) {
        Optional<Keeper> keeper = Keeper.above();
        if (keeper.isEmpty()) {
            if (!line.hasMatchedOption("--no-keeper")) {
                checkWords(line); // one line says what is wrong, and at once
                becomeKeeper(line.originalArgs(), output);
            }
            return run(line, DaemonProcess.begin(), keeper, output);
        }
        try (Keeper above = keeper.get()) {
            boolean isAfterCrash = !above.store().isEmpty();
            Path runtime = ManagerSocket.options(line).runtimeDirectory();
            int code;
            try {
                code = run(line, DaemonProcess.beginBelowKeeper(), keeper, output);
            } catch (CommandException e) {
                if (!isAfterCrash) { // else another attempt may have what this one lacked
                    above.ends(e.exitCode(), runtime);
                }
                throw e;
            }
            output.flush(); // what it has printed ends with the keeper
            above.ends(code, runtime);
            return code;
        }
    }

    private static void checkWords(ParseResult line) {
        var _ = ManagerSocket.options(line);
        var _ = units(line);
        var _ = folders(line);
        var _ = slice(line);
    }

    /**
     * The manager is this very command, below a keeper: by the door, if there is one, so that a
     * later manager may be of a newer build.
     */
    private static void becomeKeeper(List<String> arguments, Output output) {
        String door = System.getProperty(Stack.DOOR_PROPERTY, "");
        List<String> command = new ArrayList<>();
        if (door.isEmpty()) {
            try (PidFd self = PidFd.self()) {
                command.addAll(self.proc().commandLine());
                command.set(0, self.proc().executable().toString());
            }
        } else {
            command.add(door);
            command.addAll(arguments);
        }
        try {
            Keeper.become(command);
        } catch (ErrnoException e) {
            new EventLines(output)
                    .event(
                            Level.WARNING,
                            "nothing outlives this manager, for there is no keeper: "
                                    + e.getMessage());
        }
    }

    private static int run(
            ParseResult line, DaemonProcess process, Optional<Keeper> keeper, Output output) {
        boolean isInit = ContainerInit.isHere(keeper.isPresent());
        ManagerOptions options =
                options(line, process).withProcessOwned().withContainerInit(isInit);
        List<UnitName> units = new ArrayList<>(units(line));
        Optional<Stack> stack =
                units.isEmpty() || units.contains(Stack.TARGET)
                        ? Optional.of(Stack.of(options))
                        : Optional.empty();
        if (units.isEmpty()) {
            units.add(Stack.TARGET);
        }
        RunningManager manager =
                new RunningManager(
                        stack.map(each -> each.applied(options)).orElse(options),
                        units,
                        stack,
                        line.matchedOptionValue("--bus", ""),
                        keeper,
                        new EventLines(output, keeper),
                        line);
        int code = manager.run(process);
        ManagerEnd end = manager.end();
        if (end.what() == ManagerEnd.What.EXIT) {
            return code;
        }
        output.flush(); // what it has printed ends with the container
        Path runtime = options.runtimeDirectory();
        keeper.ifPresent(above -> above.forget(runtime)); // it may outlive the container
        try {
            ContainerInit.end(end.what(), keeper.isPresent());
        } catch (ErrnoException e) {
            new EventLines(output)
                    .event(
                            Level.NOTICE,
                            e.getMessage() + "; the runtime sees the exit status alone");
        }
        boolean isReboot = end.what() == ManagerEnd.What.REBOOT && end.status().isEmpty();
        return isReboot ? ExitCode.REBOOT : code;
    }

    private static ManagerOptions options(ParseResult line, DaemonProcess process) {
        ManagerOptions options = ManagerSocket.options(line);
        ManagerScope scope = options.scope();
        if (scope.user()) {
            options = options.withScope(scope.withUmask(process.serviceUmask()));
        }
        options = options.withUnits(folders(line));
        return slice(line).map(options::withSlice).orElse(options);
    }

    private static List<UnitName> units(ParseResult line) {
        List<UnitName> units = new ArrayList<>();
        for (String text : line.<List<String>>matchedPositionalValue(0, List.of())) {
            try {
                units.add(UnitName.meant(text));
            } catch (IllegalArgumentException e) {
                throw new CommandException("not the name of a unit: " + text, e);
            }
        }
        return units;
    }

    private static List<Path> folders(ParseResult line) {
        List<Path> folders = line.matchedOptionValue("--units", List.of());
        for (Path folder : folders) {
            if (!folder.toFile().isDirectory()) {
                throw new CommandException("not a folder of unit files: " + folder);
            }
        }
        return folders.stream().map(Path::toAbsolutePath).toList();
    }

    private static Optional<UnitName> slice(ParseResult line) {
        String slice = line.matchedOptionValue("--slice", null);
        if (slice == null) {
            return Optional.empty();
        }
        try {
            UnitName name = UnitName.of(slice);
            int ignored = name.slicePath().size();
            return Optional.of(name);
        } catch (IllegalArgumentException e) {
            throw new CommandException("not the name of a slice: " + slice, e);
        }
    }
}
