package io.holdfast.cli;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Registration;
import io.holdfast.core.Signal;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.Unistd;
import io.holdfast.dbus.BusAddressException;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.DBusException;
import io.holdfast.manager.Manager;
import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.log.ManagerListener.Level;
import io.holdfast.manager.survival.Keeper;
import io.holdfast.manager.systemd1.Systemd1;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.varlink.ManagerInterface;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/** Runs a service manager in the foreground, with the units that are named. */
final class UpCommand implements Command {
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
                                + " held by pidfd. `holdfast status` and the others talk to it.%n")
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
                OptionSpec.builder("--keeper")
                        .description(
                                "Let a process of two megabytes hold what the manager has, and start"
                                        + " the next one when it is killed: its services run on.")
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
            if (line.hasMatchedOption("--keeper")) {
                becomeKeeper(line.originalArgs());
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
            above.ends(code, runtime);
            return code;
        }
    }

    /**
     * The manager is this very command, below a keeper: by the door, if there is one, so that a
     * later manager may be of a newer build.
     */
    private static void becomeKeeper(List<String> arguments) {
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
        Keeper.become(command);
    }

    private static int run(
            ParseResult line, DaemonProcess process, Optional<Keeper> keeper, Output output) {
        ManagerOptions options = options(line, process).withProcessOwned();
        List<UnitName> units = new ArrayList<>();
        for (String text : line.<List<String>>matchedPositionalValue(0, List.of())) {
            try {
                units.add(UnitName.meant(text));
            } catch (IllegalArgumentException e) {
                throw new CommandException("not the name of a unit: " + text, e);
            }
        }
        Optional<Stack> stack =
                units.isEmpty() || units.contains(Stack.TARGET)
                        ? Optional.of(Stack.of(options))
                        : Optional.empty();
        if (units.isEmpty()) {
            units.add(Stack.TARGET);
        }
        return run(
                stack.map(each -> each.applied(options)).orElse(options),
                units,
                stack,
                line.matchedOptionValue("--bus", ""),
                process,
                keeper,
                new EventLines(output));
    }

    private static ManagerOptions options(ParseResult line, DaemonProcess process) {
        ManagerOptions options = ManagerSocket.options(line);
        ManagerScope scope = options.scope();
        if (scope.user()) {
            options = options.withScope(scope.withUmask(process.serviceUmask()));
        }
        List<Path> folders = line.matchedOptionValue("--units", List.of());
        for (Path folder : folders) {
            if (!folder.toFile().isDirectory()) {
                throw new CommandException("not a folder of unit files: " + folder);
            }
        }
        options = options.withUnits(folders.stream().map(Path::toAbsolutePath).toList());
        String slice = line.matchedOptionValue("--slice", null);
        if (slice == null) {
            return options;
        }
        try {
            UnitName name = UnitName.of(slice);
            int ignored = name.slicePath().size();
            return options.withSlice(name);
        } catch (IllegalArgumentException e) {
            throw new CommandException("not the name of a slice: " + slice, e);
        }
    }

    /** Where systemctl --user looks, unless a manager of another folder is meant. */
    private static void serveUser(ManagerOptions options, Systemd1 systemd1, EventLines lines) {
        ManagerScope scope = options.scope();
        Path folder = Path.of(scope.runtimeDirectory());
        if (!scope.user() || !folder.equals(options.runtimeDirectory().getParent())) {
            return;
        }
        try {
            systemd1.serveAlso(folder);
        } catch (ErrnoException e) {
            lines.event(
                    Level.NOTICE,
                    "systemctl --user does not find this manager: "
                            + e.getMessage()
                            + "; XDG_RUNTIME_DIR="
                            + options.runtimeDirectory()
                            + " leads it here");
        }
    }

    private static int run(
            ManagerOptions options,
            List<UnitName> units,
            Optional<Stack> stack,
            String bus,
            DaemonProcess process,
            Optional<Keeper> keeper,
            EventLines lines) {
        AtomicInteger code = new AtomicInteger(ExitCode.OK);
        try (Manager manager = Manager.open(options, lines, keeper);
                Systemd1 systemd1 = Systemd1.serve(manager, options.runtimeDirectory());
                ManagerInterface _ =
                        ManagerInterface.serve(
                                manager, options.runtimeDirectory(), systemd1.permission());
                // as long as the folder is ours: another manager may lay out his own behind us
                AutoCloseable _ = () -> stack.ifPresent(Stack::remove)) {
            serveUser(options, systemd1, lines);
            if (!bus.isEmpty()) {
                manager.busNames(
                        manager.isAfterCrash() ? systemd1.follow(bus) : systemd1.connect(bus));
            }
            stack.ifPresent(each -> each.layOut(manager.slice().map(CgroupPath::path)));
            manager.lostWithoutCgroups().ifPresent(text -> lines.event(Level.WARNING, text));
            AtomicInteger asked = new AtomicInteger();
            Runnable stop =
                    () -> {
                        if (asked.incrementAndGet() == 1) {
                            lines.event(Level.INFO, "stopping");
                            var ignored = manager.shutdown();
                        } else {
                            lines.event(Level.WARNING, "stopping at once");
                            manager.loop().stop();
                        }
                    };
            boolean mayHangUp = Terminal.isThere() && !process.isHangupInherited();
            Runnable hangup =
                    () -> {
                        if (mayHangUp && !Terminal.isThere()) {
                            if (asked.get() == 0 || keeper.isEmpty()) { // else said again by it
                                stop.run();
                            }
                        } else {
                            reload(manager, lines);
                        }
                    };
            try (Registration _ = manager.loop().onSignal(Signal.TERM, stop);
                    Registration _ = manager.loop().onSignal(Signal.INT, stop);
                    Registration _ = manager.loop().onSignal(Signal.HUP, hangup)) {
                stack.ifPresent(each -> connect(each, manager, systemd1));
                keeper.ifPresent(Keeper::ready);
                if (!manager.hasBegun()) { // else what was asked for is up, or was stopped since
                    var ignored =
                            manager.start(units)
                                    .whenComplete((results, failure) -> {
                                        manager.begun();
                                        if (asked.get() == 0) {
                                            started(manager, units, results, failure, lines, code);
                                        }
                                    });
                }
                if (!manager.run()) {
                    lines.event(Level.INFO, "hands over to a new manager");
                    lines.flush();
                    Unistd.exit(
                            ExitCode.OK); // nothing is closed: it is what the next one goes on with
                }
            }
            return manager.exitStatus().orElse(code.get());
        } catch (UncheckedIOException e) {
            IOException cause = Objects.requireNonNull(e.getCause());
            String reason = CommandException.reason(cause);
            boolean isBare = cause.toString().equals(e.getMessage());
            throw new CommandException(isBare ? reason : e.getMessage() + ": " + reason, e);
        } catch (ErrnoException | BusAddressException | ConnectionLostException e) {
            throw new CommandException(String.valueOf(e.getMessage()), e);
        } catch (DBusException e) {
            throw new CommandException(e.text().isEmpty() ? e.name() : e.text(), e);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError(e); // closing a signal handler
        }
    }

    /** As systemd does at SIGHUP. */
    private static void reload(Manager manager, EventLines lines) {
        var _ =
                manager.reloadFiles()
                        .whenComplete((count, failure) -> {
                            if (count == null) {
                                lines.event(
                                        Level.ERROR,
                                        "cannot read the unit files: " + failure.getMessage());
                            } else {
                                lines.event(
                                        Level.INFO, "read the files of " + count + " units again");
                            }
                        });
    }

    /** Once its socket listens, the bus is started by our own connection at the latest. */
    private static void connect(Stack stack, Manager manager, Systemd1 systemd1) {
        var _ =
                manager.start(List.of(Stack.BUS_SOCKET))
                        .thenRun(() -> manager.busNames(systemd1.follow(stack.busAddress())));
    }

    private static void started(
            Manager manager,
            List<UnitName> units,
            Map<UnitName, JobResult> results,
            Throwable failure,
            EventLines lines,
            AtomicInteger code) {
        if (failure != null) {
            lines.event(Level.ERROR, "cannot start: " + failure.getMessage());
            code.set(ExitCode.FAILURE);
            var ignored = manager.shutdown();
            return;
        }
        List<UnitName> failed =
                units.stream().filter(unit -> results.get(unit) != JobResult.DONE).toList();
        if (failed.isEmpty()) {
            lines.event(Level.INFO, "ready");
            return;
        }
        code.set(ExitCode.FAILURE);
        CompletableFuture<?>[] told =
                failed.stream()
                        .map(unit -> tell(manager, unit, results.get(unit), lines))
                        .toArray(CompletableFuture[]::new);
        if (failed.size() == units.size()) { // nothing runs
            var _ =
                    CompletableFuture.allOf(told)
                            .whenComplete((_, _) -> {
                                var _ = manager.shutdown();
                            });
        }
    }

    private static CompletableFuture<Void> tell(
            Manager manager, UnitName unit, @Nullable JobResult result, EventLines lines) {
        return manager.status(unit)
                .thenAccept(status -> {
                    String why =
                            result == null
                                    ? "no answer"
                                    : JobText.of("start", result.word(), status.loadState());
                    lines.event(Level.ERROR, "cannot start " + unit + ": " + why);
                });
    }
}
