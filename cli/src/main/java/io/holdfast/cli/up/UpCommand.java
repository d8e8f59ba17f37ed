package io.holdfast.cli.up;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.DaemonProcess;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.ManagerSocket;
import io.holdfast.cli.metrics.MetricsSocket;
import io.holdfast.cli.output.Output;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.Unistd;
import io.holdfast.manager.ContainerInit;
import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.exec.SandboxSupport;
import io.holdfast.manager.log.ManagerListener.Level;
import io.holdfast.manager.survival.Keeper;
import io.holdfast.manager.survival.ManagerEnd;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/**
 * Runs a service manager in the foreground, and starts units. As PID 1 of a container it is the
 * container's init.
 */
public final class UpCommand implements Command {
    private static final String ESSENTIAL = "--essential";
    private static final String DETACH = "--detach";
    private static final String LOG = "--log";
    private static final String STRICT = "--strict";
    private static final String WEAKEN = "--weaken";

    private final boolean mustBeInit;

    private UpCommand(boolean mustBeInit) {
        this.mustBeInit = mustBeInit;
    }

    /** The command that runs a manager anywhere. */
    public static UpCommand up() {
        return new UpCommand(false);
    }

    /** The command that runs a manager as PID 1 of a container, and nowhere else. */
    public static UpCommand init() {
        return new UpCommand(true);
    }

    @Override
    public CommandSpec spec() {
        return (mustBeInit ? describeInit() : describeUp())
                .with(UpCommand::addOptions)
                .arguments(
                        "UNIT",
                        "0..*",
                        String.class,
                        mustBeInit
                                ? "The units to start (default: default.target or"
                                        + " multi-user.target, and holdfast.target)."
                                : "The units to start (default: holdfast.target).")
                .spec();
    }

    private Grammar describeInit() {
        return Grammar.of(
                        this, "Be PID 1 of a container: run units, or boot what its image enables.")
                .description(
                        "%nWithout UNIT, boots default.target, or multi-user.target if there is no"
                                + " such unit, with all units that the image enables, beside a bus"
                                + " and an authority (holdfast.target).%n%nWith UNIT, runs these"
                                + " units. The container ends when all of them have ended, or when"
                                + " one that --essential names has ended: with the exit status of"
                                + " its main process, or 128 plus the signal that killed it. A unit"
                                + " has ended when it is inactive or failed and is not restarted"
                                + " (Restart=); one that was stopped on request has not."
                                + " SuccessAction=exit and FailureAction=exit of any unit, and"
                                + " systemctl exit N, end the container, too.%n%nFirst makes what"
                                + " the image lacks: /run/lock, /run/log, /tmp, /var/tmp, a machine"
                                + " id and /dev/log, and runs systemd-sysusers(8) and"
                                + " systemd-tmpfiles(8) where they are installed. systemctl works"
                                + " inside.%n%nReaps orphans. Stops all units in order at SIGTERM,"
                                + " SIGINT, SIGRTMIN+3, SIGRTMIN+4, SIGPWR and, without a terminal,"
                                + " SIGQUIT and SIGWINCH; reloads unit files at SIGHUP, and"
                                + " restarts the container at SIGRTMIN+5. If the manager is killed,"
                                + " PID 1 starts the next one at once.%n%nholdfast up as PID 1 does"
                                + " the same.%n")
                .footer(
                        "%nExamples:",
                        "  holdfast init",
                        "  holdfast init nginx.service",
                        "  holdfast init --essential web.service web.service cache.service");
    }

    private Grammar describeUp() {
        return Grammar.of(this, "Run a service manager, and start units.")
                .description(
                        "%nWithout UNIT, starts holdfast.target: for root a message bus, an"
                                + " authority and its authentication helper, each as a separate"
                                + " process and user; for other users a message bus.%n%nRuns in the"
                                + " foreground until SIGINT, SIGTERM or a hangup of the terminal,"
                                + " then stops all units in order; a second signal kills them."
                                + " SIGHUP reloads the unit files. Each service is spawned into its"
                                + " own cgroup and held by pidfd. holdfast status and the other"
                                + " commands for services connect to this manager.%n%nThe process"
                                + " that you start is the keeper, which holds the sockets and pipes"
                                + " of the manager. If the manager is killed, the keeper starts the"
                                + " next one at once.%n%nAs PID 1 of a container, does what"
                                + " holdfast init does.%n")
                .footer(
                        "%nExamples:",
                        "  holdfast up",
                        "  holdfast up redis-server.service",
                        "  holdfast up holdfast.target redis-server.service",
                        "  holdfast up --detach nginx.service",
                        "  holdfast up --units ./units web.service worker@1.service",
                        "  holdfast up --user --units ~/units");
    }

    private static void addOptions(Grammar grammar) {
        grammar.with(ManagerSocket::addOptions)
                .options(
                        ESSENTIAL + " UNIT",
                        String.class,
                        "End when this unit has ended, with its exit status; may be given several"
                                + " times. It is started, too.")
                .flag(
                        DETACH,
                        "Run in the background, in a session of its own. Returns when the units are"
                                + " started, with exit code 1 if one of them is not, or with that"
                                + " of a manager that has ended.")
                .option(
                        LOG + " FILE",
                        Path.class,
                        "With --detach: append the output to FILE (default: /var/log/holdfast.log"
                                + " for root, ~/.local/state/log/holdfast.log for a user).")
                .options(
                        "--units DIR",
                        Path.class,
                        "Search this folder for unit files before the standard folders; may be"
                                + " given several times.")
                .option(
                        "--slice NAME.slice",
                        "The slice of the manager, below the cgroup in which the manager is started"
                                + " (default: holdfast.slice).")
                .option(
                        "--bus ADDRESS",
                        "Also serve org.freedesktop.systemd1 on this bus, and start the units that"
                                + " the bus activates. One of the units may start the bus.")
                .with(
                        MetricsSocket.option(
                                "counters of units, jobs, processes and crashes of the manager"))
                .flag(
                        "--no-keeper",
                        "Run without a keeper, the small process that holds the manager's"
                                + " descriptors and starts the next manager after a crash. Without"
                                + " a keeper, the services of a killed manager are lost; as PID 1"
                                + " of a container, the manager stops only at SIGTERM and SIGINT.")
                .flag(
                        STRICT,
                        "Do not start a unit that lacks a protection or a limit, because a"
                                + " directive cannot be applied here or is not supported. By"
                                + " default, such directives are dropped, and reported.")
                .flag(
                        WEAKEN,
                        "Start a unit without its sandbox if that cannot be made, also where the"
                                + " manager has all privileges.");
    }

    @Override
    public boolean isDaemon() {
        return true;
    }

    @Override
    public int run(ParseResult line, Output output) throws Exception {
        Optional<Keeper> keeper = Keeper.above();
        if (mustBeInit && !ContainerInit.isHere(keeper.isPresent())) {
            throw new CommandException(
                    "init: this process is not PID 1 of a container; make it the container's first"
                            + " program, or use: holdfast up");
        }
        if (ContainerInit.isHere(keeper.isPresent())) {
            chooseTemporaryFolder();
        }
        if (keeper.isEmpty()) {
            ManagerSocket.requireRuntimeFolder(line);
            if (line.hasMatchedOption(LOG) && !line.hasMatchedOption(DETACH)) {
                throw Command.misuse(line, LOG + " needs " + DETACH);
            }
            if (line.hasMatchedOption(DETACH)) {
                checkWords(line);
                return new DetachedManager(log(line), output)
                        .start(again(attached(line.originalArgs()), line.originalArgs().size()));
            }
            if (!line.hasMatchedOption("--no-keeper")) {
                checkWords(line); // report a usage error at once, in one line
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
                if (!isAfterCrash) { // after a crash the keeper tries again
                    above.ends(e.exitCode(), runtime);
                }
                throw e;
            }
            output.flush(); // printed lines are lost when the keeper ends
            above.ends(code, runtime);
            return code;
        }
    }

    /** Processes are started through files, in /tmp: a container may have none that is writable. */
    private static void chooseTemporaryFolder() {
        Path usual = Path.of(System.getProperty("java.io.tmpdir", "/tmp"));
        Path other = Path.of(ManagerScope.system(System.getenv()).runtimeDirectory());
        if (!Files.isWritable(usual) && Files.isWritable(other)) {
            System.setProperty("java.io.tmpdir", other.toString()); // before a process is started
        }
    }

    private static void checkWords(ParseResult line) {
        var _ = ManagerSocket.options(line);
        var _ = units(line);
        var _ = folders(line);
        var _ = slice(line);
        var _ = sandbox(line);
    }

    /**
     * Becomes the keeper, which starts the manager with the same command line. It uses the
     * launcher, if its path is known, so that a later manager runs the newest build.
     */
    private static void becomeKeeper(List<String> arguments, Output output) {
        try {
            Keeper.become(again(arguments, arguments.size()));
        } catch (ErrnoException e) {
            new EventLines(output)
                    .event(
                            Level.WARNING,
                            "no keeper: services are lost if the manager is killed: "
                                    + e.getMessage());
        }
    }

    /**
     * Returns a command that starts this program with these arguments.
     *
     * @param own the number of arguments of this process
     */
    private static List<String> again(List<String> arguments, int own) {
        String launcher = System.getProperty(Stack.LAUNCHER_PROPERTY, "");
        List<String> command = new ArrayList<>();
        if (launcher.isEmpty()) {
            try (PidFd self = PidFd.self()) {
                List<String> words = self.proc().commandLine();
                command.addAll(words.subList(0, words.size() - own));
                command.set(0, self.proc().executable().toString());
            }
        } else {
            command.add(launcher);
        }
        command.addAll(arguments);
        return command;
    }

    /** Returns the arguments without those that detach. */
    private static List<String> attached(List<String> arguments) {
        List<String> rest = new ArrayList<>();
        for (int i = 0; i < arguments.size(); i++) {
            String word = arguments.get(i);
            if (word.equals(LOG)) {
                i++; // and its value
            } else if (!word.equals(DETACH) && !word.startsWith(LOG + "=")) {
                rest.add(word);
            }
        }
        return rest;
    }

    private static Path log(ParseResult line) {
        Path file = line.matchedOptionValue(LOG, null);
        String folder = ManagerSocket.options(line).scope().logsDirectory();
        return (file == null ? Path.of(folder, "holdfast.log") : file).toAbsolutePath();
    }

    private static int run(
            ParseResult line, DaemonProcess process, Optional<Keeper> keeper, Output output)
            throws InterruptedException {
        boolean isInit = ContainerInit.isHere(keeper.isPresent());
        boolean isFirst = keeper.isEmpty() || keeper.get().store().isEmpty();
        if (isInit && isFirst && Unistd.geteuid() == 0) { // another user cannot make any of it
            EventLines events = new EventLines(output);
            new ContainerSetup(Path.of("/"), text -> events.event(Level.WARNING, text)).run();
        }
        ManagerOptions options =
                options(line, process).withProcessOwned().withContainerInit(isInit);
        List<UnitName> units = new ArrayList<>(units(line));
        boolean boots = isInit && line.matchedPositionalValue(0, List.of()).isEmpty();
        if (boots) {
            units.add(BootTarget.of(options.loadPath()));
        }
        if (boots || units.isEmpty()) {
            units.addFirst(Stack.TARGET);
        }
        Optional<Stack> stack =
                units.contains(Stack.TARGET) ? Optional.of(Stack.of(options)) : Optional.empty();
        ManagerOptions applied = stack.map(each -> each.applied(options)).orElse(options);
        Optional<EventJournal> journal =
                stack.map(each -> each.journal().events(options.scope().user()));
        RunningManager manager =
                new RunningManager(
                        boots ? BootTarget.applied(applied) : applied,
                        units,
                        essential(line),
                        stack,
                        line.matchedOptionValue("--bus", ""),
                        keeper,
                        new EventLines(output, journal),
                        line);
        int code = manager.run(process);
        ManagerEnd end = manager.end();
        if (end.what() == ManagerEnd.What.EXIT) {
            return code;
        }
        output.flush(); // printed lines are lost when the container ends
        Path runtime = options.runtimeDirectory();
        keeper.ifPresent(above -> above.forget(runtime)); // may outlive the container
        try {
            ContainerInit.end(end.what(), keeper.isPresent());
        } catch (ErrnoException e) {
            new EventLines(output)
                    .event(
                            Level.NOTICE,
                            e.getMessage()
                                    + "; the container runtime receives only the exit status");
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
        options = options.withUnits(folders(line)).withSandbox(sandbox(line));
        Path sockets = JournalPlace.of(options).sockets();
        options = options.withJournalSettings(sockets.resolveSibling("units"));
        return slice(line).map(options::withSlice).orElse(options);
    }

    private static SandboxSupport.Mode sandbox(ParseResult line) {
        if (line.hasMatchedOption(STRICT)) {
            if (line.hasMatchedOption(WEAKEN)) {
                throw Command.misuse(line, STRICT + " and " + WEAKEN + " exclude each other");
            }
            return SandboxSupport.Mode.STRICT;
        }
        return line.hasMatchedOption(WEAKEN)
                ? SandboxSupport.Mode.WEAK
                : SandboxSupport.Mode.AS_FOUND;
    }

    /** Returns the units of the line, of which the essential ones come last. */
    private static List<UnitName> units(ParseResult line) {
        Set<UnitName> units = new LinkedHashSet<>(names(line.matchedPositionalValue(0, List.of())));
        units.addAll(essential(line));
        return List.copyOf(units);
    }

    private static Set<UnitName> essential(ParseResult line) {
        return new LinkedHashSet<>(names(line.matchedOptionValue(ESSENTIAL, List.of())));
    }

    private static List<UnitName> names(List<String> words) {
        List<UnitName> units = new ArrayList<>();
        for (String text : words) {
            try {
                units.add(UnitName.ofUserInput(text));
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
