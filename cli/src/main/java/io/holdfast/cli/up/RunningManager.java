package io.holdfast.cli.up;

import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.DaemonProcess;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.ManagerSocket;
import io.holdfast.cli.command.Terminal;
import io.holdfast.cli.metrics.ManagerFamilies;
import io.holdfast.cli.metrics.MetricsSocket;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Registration;
import io.holdfast.core.Signal;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.sys.Unistd;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.address.BusAddressException;
import io.holdfast.manager.Manager;
import io.holdfast.manager.ManagerMetrics;
import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.generator.GeneratorFolders;
import io.holdfast.manager.job.JobOutcome;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.log.ManagerListener.Level;
import io.holdfast.manager.runtime.BusNameWatcher;
import io.holdfast.manager.survival.Keeper;
import io.holdfast.manager.survival.ManagerEnd;
import io.holdfast.manager.survival.SupervisorStore;
import io.holdfast.manager.systemd1.Systemd1;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.varlink.ManagerInterface;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ParseResult;

/**
 * Runs a manager with its faces from start to end: starts the requested units, and reacts to
 * signals, to a hangup of the terminal, to the death of the keeper, and to requests of the service
 * manager above it.
 */
final class RunningManager {
    /** The time after which a terminal that has hung up is certainly gone. */
    private static final Duration HANGUP = Duration.ofSeconds(1);

    private static final String ENDS_WITH_TERMINAL =
            "all units are stopped when this terminal is closed; to run in the background use:"
                    + " holdfast up --detach";

    private final ManagerOptions options;
    private final List<UnitName> units;
    private final Set<UnitName> essential;
    private final Optional<Stack> stack;
    private final String bus;
    private final Optional<Keeper> keeper;
    private final EventLines lines;
    private final ParseResult line;
    private final SupervisorNotices supervisor = new SupervisorNotices();
    private final Set<UnitName> absent = new HashSet<>(); // to be started; used on the loop only
    private volatile int code = ExitCode.OK;
    private volatile ManagerEnd end = ManagerEnd.PLAIN;
    private boolean isSystemctls; // systemctl finds this manager
    private boolean stopping; // used on the loop only
    private Optional<EssentialUnits> awaited = Optional.empty(); // used on the loop only

    /**
     * Prepares a manager.
     *
     * @param units the units to start
     * @param essential those of the units of which each ends the manager when it has ended
     * @param stack its units are laid out before the start, if it is requested
     * @param bus the address of another bus to serve; may be empty
     * @param keeper stays owned by the caller
     * @param line the command line, which may name a socket for metrics
     */
    RunningManager(
            ManagerOptions options,
            List<UnitName> units,
            Set<UnitName> essential,
            Optional<Stack> stack,
            String bus,
            Optional<Keeper> keeper,
            EventLines lines,
            ParseResult line) {
        this.options = options;
        this.units = units;
        this.essential = essential;
        this.stack = stack;
        this.bus = bus;
        this.keeper = keeper;
        this.lines = lines;
        this.line = line;
    }

    /** Runs until all units are stopped; returns the exit code. */
    int run(DaemonProcess process) {
        try (AutoCloseable _ = follow();
                Manager manager = Manager.open(options, lines, keeper);
                Systemd1 systemd1 = Systemd1.serve(manager, options.runtimeDirectory());
                ManagerInterface varlink =
                        ManagerInterface.serve(
                                manager, options.runtimeDirectory(), systemd1.permission());
                MetricsSocket<ManagerMetrics> _ = metrics(manager);
                // before the folder is released: another manager may then lay out its own stack
                AutoCloseable _ = () -> stack.ifPresent(Stack::remove)) {
            lines.units(manager.view()::unit);
            isSystemctls = serveSystemctl(systemd1, varlink);
            if (!bus.isEmpty()) {
                manager.busNames(onBus(systemd1, manager));
            }
            stack.ifPresent(each -> each.layOut(manager.slice().map(CgroupPath::path)));
            manager.lostWithoutCgroups().ifPresent(text -> lines.event(Level.WARNING, text));
            boolean mayHangUp = Terminal.isThere() && !process.isHangupInherited();
            if (mayHangUp && !manager.hasBegun()) {
                lines.event(Level.NOTICE, ENDS_WITH_TERMINAL);
            }
            Runnable hangup =
                    () -> {
                        if (mayHangUp && !Terminal.isThere()) {
                            hungUp(manager);
                            return;
                        }
                        reload(manager);
                        if (mayHangUp) { // the kernel may not have taken it from this process yet
                            var _ =
                                    manager.loop()
                                            .after(
                                                    HANGUP,
                                                    () -> {
                                                        if (!stopping && !Terminal.isThere()) {
                                                            hungUp(manager);
                                                        }
                                                    });
                        }
                    };
            try (SyslogSocket _ = syslog(manager);
                    Registration _ = manager.loop().onSignal(Signal.TERM, () -> stop(manager));
                    Registration _ = manager.loop().onSignal(Signal.INT, () -> stop(manager));
                    Registration _ = manager.loop().onSignal(Signal.HUP, hangup);
                    Registration _ = onReboot(manager);
                    Registration _ = watchKeeper(manager)) {
                stack.ifPresent(each -> connect(each, manager, systemd1));
                keeper.ifPresent(Keeper::ready);
                supervisor.watch(manager.loop());
                begin(manager);
                if (!manager.run()) {
                    handOver();
                }
            }
            end = manager.end();
            return end.status().orElse(code);
        } catch (UncheckedIOException e) {
            IOException cause = Objects.requireNonNull(e.getCause());
            String reason = CommandException.reason(cause);
            boolean isBare = cause.toString().equals(e.getMessage());
            throw new CommandException(isBare ? reason : e.getMessage() + ": " + reason, e);
        } catch (ErrnoException e) {
            boolean isTaken = e.errno() == Errno.EBUSY && e.call().equals(Manager.LOCK_CALL);
            throw new CommandException(
                    isTaken
                            ? taken()
                            : e.errno() == Errno.EROFS
                                    ? readOnly()
                                    : String.valueOf(e.getMessage()),
                    e);
        } catch (BusAddressException | ConnectionLostException e) {
            throw new CommandException(String.valueOf(e.getMessage()), e);
        } catch (DBusException e) {
            throw new CommandException(e.text().isEmpty() ? e.name() : e.text(), e);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError(e); // declared by AutoCloseable, never thrown
        }
    }

    /** Prints the lines of units from the journal, to its end when the manager has ended. */
    private AutoCloseable follow() {
        return stack.<AutoCloseable>map(each -> new JournalLines(each.journal(), lines, keeper))
                .orElse(() -> {});
    }

    private void hungUp(Manager manager) {
        if (!stopping || keeper.isEmpty()) { // else the keeper's copy
            lines.event(Level.WARNING, "the terminal has hung up");
            stop(manager);
        }
    }

    private String readOnly() {
        return options.runtimeDirectory()
                + ": the file system is read-only (EROFS); give the container a writable /run, for"
                + " example by --tmpfs /run, or choose --runtime-dir DIR";
    }

    /** Returns the error if another manager has the runtime folder. */
    private String taken() {
        String folder = ManagerSocket.folderOption(line);
        String unit = units.getFirst().equals(Stack.TARGET) ? "UNIT" : units.getFirst().stem();
        return "a manager is already running at "
                + options.runtimeDirectory()
                + "; to start units in it use: holdfast start"
                + folder
                + " "
                + unit
                + "; to run another one add: --runtime-dir DIR";
    }

    /**
     * Returns how the manager ended, and how the container ends if the manager is its init. Call it
     * after {@link #run}.
     */
    ManagerEnd end() {
        return end;
    }

    /**
     * Serves metrics, if requested. After a crash a failure is only logged, because a manager
     * without metrics is better than none.
     */
    private @Nullable MetricsSocket<ManagerMetrics> metrics(Manager manager) {
        try {
            return MetricsSocket.of(line, manager.loop(), manager::metrics, this::text);
        } catch (ErrnoException e) {
            if (!manager.isAfterCrash()) {
                throw e;
            }
            lines.event(Level.WARNING, "metrics are not served: " + e.getMessage());
            return null;
        }
    }

    private String text(ManagerMetrics metrics) {
        return ManagerFamilies.text(metrics, lines.dropped());
    }

    /**
     * Also serves on the sockets to which systemctl and varlinkctl connect: those of a user
     * manager, or those of root if this is the init of a container. Not if the manager has a
     * non-standard runtime folder.
     *
     * @return whether systemctl finds this manager
     */
    private boolean serveSystemctl(Systemd1 systemd1, ManagerInterface varlink) {
        ManagerScope scope = options.scope();
        Path folder = Path.of(scope.runtimeDirectory());
        if (!(scope.user() || options.isContainerInit())
                || !folder.equals(options.runtimeDirectory().getParent())) {
            return false;
        }
        try {
            systemd1.serveAlso(folder);
            varlink.serveAlso(folder);
            if (options.isContainerInit()) {
                // its presence means that the init has systemd's interfaces: sd_booted(3)
                TrustedFolder.make(folder.resolve("systemd/system")).close();
            }
            return true;
        } catch (ErrnoException e) {
            lines.event(
                    Level.NOTICE,
                    scope.user()
                            ? "systemctl --user cannot find this manager: "
                                    + e.getMessage()
                                    + "; run systemctl with XDG_RUNTIME_DIR="
                                    + options.runtimeDirectory()
                            : "systemctl cannot find this manager: " + e.getMessage());
            return false;
        }
    }

    /**
     * Serves /dev/log in a container that has none; null if the receiver of log messages or another
     * program does.
     */
    private @Nullable SyslogSocket syslog(Manager manager) {
        boolean isReceived = stack.filter(each -> each.journal().isMachines()).isPresent();
        if (!options.isContainerInit() || isReceived) {
            return null;
        }
        try {
            return SyslogSocket.open(manager, options.runtimeDirectory(), lines::message)
                    .orElse(null);
        } catch (IOException e) {
            noSyslog(CommandException.reason(e));
        } catch (ErrnoException e) {
            noSyslog(String.valueOf(e.getMessage()));
        }
        return null;
    }

    private void noSyslog(String why) {
        lines.event(
                Level.NOTICE,
                SyslogSocket.DEV_LOG
                        + " cannot be made, messages of syslog(3) are lost, and units that bind it"
                        + " do not start: "
                        + why);
    }

    /**
     * Connects to the bus of the stack. Once its socket listens, this connection activates the bus,
     * unless another client has.
     */
    private static void connect(Stack stack, Manager manager, Systemd1 systemd1) {
        var _ =
                manager.start(List.of(Stack.BUS_SOCKET))
                        .thenRun(() -> manager.busNames(systemd1.follow(stack.busAddress())));
    }

    /** Connects to the bus of the command line, which one of the units may have to start first. */
    private BusNameWatcher onBus(Systemd1 systemd1, Manager manager) throws InterruptedException {
        if (manager.isAfterCrash()) {
            return systemd1.follow(bus);
        }
        try {
            return systemd1.connect(bus);
        } catch (ConnectionLostException e) {
            return systemd1.follow(bus);
        }
    }

    // ---- the start

    private void begin(Manager manager) {
        awaitEnds(manager);
        // where another manager is systemctl's, its generators have run
        CompletableFuture<Void> generated =
                isSystemctls
                        ? manager.generate(GeneratorFolders.of(options.scope()))
                        : CompletableFuture.completedFuture(null);
        if (manager.hasBegun()) { // a previous manager has started the units
            supervisor.ready();
            awaited.ifPresent(each -> manager.loop().post(() -> each.started(List.of())));
            return;
        }
        var _ =
                generated
                        .thenCompose(_ -> manager.request(JobType.START, units))
                        .whenComplete((outcomes, failure) -> {
                            manager.begun();
                            if (!stopping) {
                                started(manager, outcomes, failure);
                            }
                        });
    }

    /** Ends with the units for which this manager runs; they are those of a container's line. */
    private void awaitEnds(Manager manager) {
        boolean endsWithAll = options.isContainerInit() && stack.isEmpty();
        if (!endsWithAll && essential.isEmpty()) {
            return;
        }
        EssentialUnits ends =
                new EssentialUnits(
                        manager.view(),
                        essential,
                        endsWithAll ? units : List.of(),
                        (unit, status) -> {
                            if (!absent.contains(unit)) { // else that was reported
                                lines.event(unit, Level.NOTICE, "has ended: the manager ends");
                            }
                            code = status;
                            var _ = manager.shutdown();
                        });
        AutoCloseable _ = manager.view().listen(ends); // as long as the manager
        awaited = Optional.of(ends);
    }

    private void started(
            Manager manager, Map<UnitName, JobOutcome> outcomes, @Nullable Throwable failure) {
        if (failure != null) {
            lines.event(Level.ERROR, "cannot start: " + failure.getMessage());
            code = ExitCode.FAILURE;
            var ignored = manager.shutdown();
            return;
        }
        Set<String> warned = new HashSet<>(); // units of one request share their closure
        outcomes.forEach((unit, outcome) ->
                outcome.warnings().stream()
                        .filter(warned::add)
                        .forEach(text -> lines.event(unit, Level.WARNING, text)));
        List<UnitName> failed =
                units.stream()
                        .filter(unit -> outcome(outcomes, unit).result() != JobResult.DONE)
                        .toList();
        if (failed.isEmpty()) {
            lines.event(Level.INFO, "ready");
            supervisor.ready();
            awaited.ifPresent(each -> each.started(failed));
            return;
        }
        code = ExitCode.FAILURE;
        List<String> problems = new ArrayList<>(); // used on the loop only
        CompletableFuture<?>[] reports =
                failed.stream()
                        .map(unit ->
                                reasonOf(manager, unit, outcome(outcomes, unit))
                                        .thenAccept(why -> {
                                            lines.event(Level.ERROR, why);
                                            problems.add(why);
                                        }))
                        .toArray(CompletableFuture[]::new);
        var _ =
                CompletableFuture.allOf(reports)
                        .whenComplete((_, _) -> {
                            awaited.ifPresent(each -> each.started(failed));
                            absent.clear();
                            if (failed.size() == units.size()) { // no requested unit runs
                                var _ = manager.shutdown();
                            } else {
                                supervisor.ready(problems);
                            }
                        });
    }

    private static JobOutcome outcome(Map<UnitName, JobOutcome> outcomes, UnitName unit) {
        return outcomes.getOrDefault(unit, JobOutcome.NONE);
    }

    private CompletableFuture<String> reasonOf(Manager manager, UnitName unit, JobOutcome outcome) {
        return manager.status(unit)
                .thenApply(status -> {
                    if (status.loadState().equals(JobText.NOT_FOUND)) {
                        boolean _ = absent.add(unit);
                    }
                    return "cannot start "
                            + unit
                            + ": "
                            + JobText.of(
                                    "start",
                                    unit.text(),
                                    outcome.result().word(),
                                    outcome.reason(),
                                    status.loadState());
                });
    }

    // ---- events from outside; on the loop

    /** Reloads the unit files, as systemd does at SIGHUP. */
    private void reload(Manager manager) {
        supervisor.reloading();
        var _ =
                manager.reloadFiles()
                        .whenComplete((count, failure) -> {
                            if (count == null) {
                                lines.event(
                                        Level.ERROR,
                                        "cannot read the unit files: " + failure.getMessage());
                            } else {
                                lines.event(
                                        Level.INFO,
                                        "reloaded the unit files of "
                                                + count
                                                + (count == 1 ? " unit" : " units"));
                            }
                            supervisor.ready();
                        });
    }

    /**
     * Handles SIGUSR1, which the keeper of a container's init sends if the container is to be
     * restarted.
     */
    private Registration onReboot(Manager manager) {
        return options.isContainerInit()
                ? manager.loop()
                        .onSignal(
                                Signal.USR1,
                                () -> {
                                    manager.reboot();
                                    stop(manager);
                                })
                : () -> false;
    }

    private void stop(Manager manager) {
        if (stopping) {
            lines.event(Level.WARNING, "stopping at once");
            manager.loop().stop();
        } else {
            stopping = true;
            lines.event(Level.INFO, "stopping");
            supervisor.stopping();
            var ignored = manager.shutdown();
        }
    }

    /**
     * Stops all units if the keeper is killed, because its PID is that of the program. But if a
     * systemd above has stored the sockets of the keeper, the manager re-executes, and systemd
     * starts the next one.
     */
    private Registration watchKeeper(Manager manager) {
        if (keeper.isEmpty()) {
            return () -> false;
        }
        return keeper.get()
                .onDeath(
                        manager.loop(),
                        () -> {
                            lines.event(Level.WARNING, "the keeper of this manager has died");
                            if (SupervisorStore.isThere()) {
                                var _ = manager.reexecute();
                            } else if (!stopping) {
                                stop(manager);
                            }
                        });
    }

    /** Ends this process without closing anything, because the next manager continues with it. */
    private void handOver() {
        lines.event(Level.INFO, "re-executing");
        lines.flush();
        Unistd.exit(ExitCode.OK);
    }
}
