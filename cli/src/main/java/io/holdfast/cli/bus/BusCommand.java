package io.holdfast.cli.bus;

import io.holdfast.bus.Bus;
import io.holdfast.bus.BusMetrics;
import io.holdfast.bus.BusOptions;
import io.holdfast.bus.ConfigSource;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.ConfigException;
import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.DaemonProcess;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.HeapWatch;
import io.holdfast.cli.command.Version;
import io.holdfast.cli.metrics.BusFamilies;
import io.holdfast.cli.metrics.MetricsSocket;
import io.holdfast.cli.output.Output;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Registration;
import io.holdfast.core.Signal;
import io.holdfast.core.socket.Notify;
import io.holdfast.core.sys.Unistd;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.address.BusAddressException;
import io.holdfast.dbus.address.transport.BusListener;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Runs a message bus, in the foreground unless it is asked not to. */
public final class BusCommand implements Command {
    private static final String FORK = "--fork";
    private static final String CONTAINERS = "--containers";

    /** A collection stops the bus for as long as it has live tables to mark: up to 0.2 s. */
    private static final Duration HEAP_CHECKS = Duration.ofSeconds(20);

    private static final Pattern DESCRIPTOR = Pattern.compile("/(proc/self|dev)/fd/[0-9]+");
    private static final int MAX_CONFIG = 1 << 20; // a longer one is refused
    private static final BusAddress BELOW_TMP = BusAddress.parse("unix:tmpdir=/tmp");
    private static final List<Ignored> IGNORED =
            List.of(
                    new Ignored(
                            "--nofork", "Accepted and ignored: the bus stays in the foreground."),
                    new Ignored("--nopidfile", "Accepted and ignored: the bus writes no PID file."),
                    new Ignored(
                            "--nosyslog", "Accepted and ignored: the bus logs to standard error."),
                    new Ignored(
                            "--syslog",
                            "Accepted and ignored: the bus logs to standard error, which a"
                                    + " service manager forwards to its log."),
                    new Ignored("--syslog-only", "The same as --syslog."));

    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "Run a D-Bus message bus that holds each client by pidfd.")
                .description(
                        "%nRuns until SIGINT or SIGTERM; SIGHUP reloads the configuration and the"
                                + " service files. Refusals, and clients that the bus disconnects,"
                                + " are logged to standard error, one line each, with a rate limit"
                                + " per user. Started by a socket unit, the bus listens only on the"
                                + " sockets that it inherits (LISTEN_FDS), unless --address is"
                                + " given. A link named dbus-daemon to holdfast runs this command,"
                                + " with the options of dbus-daemon(1).%n")
                .footer(
                        "%nExamples:",
                        "  holdfast bus --address unix:path=/run/user/1000/bus",
                        "  holdfast bus --address unix:tmpdir=/tmp --print-address",
                        "  holdfast bus --system --address unix:path=/run/dbus/system_bus_socket",
                        "  holdfast bus --address unix:path=/run/bus --metrics /run/bus.metrics",
                        "  holdfast bus --system --include /etc/own-services.conf --systemd-activation",
                        "  holdfast bus --config /usr/share/dbus-1/session.conf --address unix:runtime=yes")
                .options(
                        "--address ADDRESS",
                        String.class,
                        "Listen on this D-Bus address instead of the configured addresses; may be"
                                + " given several times.")
                .option(
                        "--config --config-file FILE",
                        "Use this configuration file; see dbus-daemon(1).")
                .flag(
                        "--system",
                        "Use the built-in configuration of a system bus, which denies everything"
                                + " that the files in system.d do not allow.")
                .flag(
                        "--session",
                        "Use the built-in configuration of a session bus, and listen in /tmp. The"
                                + " default is the same configuration, but listens on"
                                + " $$XDG_RUNTIME_DIR/bus if that variable is set.")
                .options(
                        "--include FILE",
                        String.class,
                        "Read this configuration file in addition, after all others; may be given"
                                + " several times.")
                .flag(
                        "--systemd-activation",
                        "Activate services that have a SystemdService= only through the owner of"
                                + " org.freedesktop.systemd1, and wait until the name has an owner"
                                + " (default: if it has none, spawn their Exec=).")
                .optionalValue(
                        CONTAINERS + " FOLDER",
                        "",
                        "Serve org.freedesktop.DBus.Containers1: a socket for each app in a"
                                + " container, whose connections are identified as that app. The"
                                + " sockets are created in FOLDER (default: /run/dbus/containers"
                                + " for root, else $$XDG_RUNTIME_DIR/dbus-1/containers).")
                .with(
                        printed(
                                "--print-address",
                                "Once the bus listens, print its addresses, one per line,"))
                .with(MetricsSocket.option("counters by peer, name and user"))
                .with(printed("--print-pid", "Once the bus listens, print its PID"))
                .with(grammar -> IGNORED.forEach(each -> grammar.flag(each.option, each.why)))
                .flag(
                        FORK,
                        "Run in the background, without a log, and return once the bus listens.")
                .flag("--version", "Print the version.")
                .spec();
    }

    private static Consumer<Grammar> printed(String name, String what) {
        return grammar ->
                grammar.optionalValue(
                        name + " FD",
                        "1",
                        what
                                + " to descriptor FD, which is then closed (default: standard"
                                + " output).");
    }

    /** An option of dbus-daemon(1) that is accepted and has no effect. */
    private record Ignored(String option, String why) {}

    @Override
    public boolean isDaemon() {
        return true;
    }

    @Override
    public int run(ParseResult line, Output output) throws Exception {
        if (line.hasMatchedOption("--version")) {
            output.line(Version.text());
            return ExitCode.OK;
        }
        if (line.hasMatchedOption(FORK)) {
            return fork(line, output);
        }
        DaemonProcess process = DaemonProcess.begin();
        BusOptions options = options(line);
        if (!line.hasMatchedOption("--system")) {
            options = options.withServiceUmask(process.serviceUmask());
        }
        try (LineTarget addresses = LineTarget.of(line, "--print-address", output);
                LineTarget pid = LineTarget.of(line, "--print-pid", output);
                EventLoop signals = EventLoop.open();
                Bus bus = Bus.open(options);
                MetricsSocket<BusMetrics> _ =
                        MetricsSocket.of(line, signals, bus::metrics, BusFamilies::text);
                Registration _ = signals.onSignal(Signal.TERM, signals::stop);
                Registration _ = signals.onSignal(Signal.INT, signals::stop);
                Registration _ = signals.onSignal(Signal.HUP, () -> reload(bus))) {
            if (addresses != null) {
                addresses.write(bus.addresses().stream().map(BusAddress::toString).toList());
            } else if (System.getenv("NOTIFY_SOCKET") == null) { // else the unit names them
                bus.addresses().forEach(each -> output.line("listening on ", each));
            }
            if (pid != null) {
                pid.write(List.of(Integer.toString(Unistd.getpid())));
            }
            notifyManager("READY=1");
            HeapWatch.begin(signals, HEAP_CHECKS);
            signals.run();
            notifyManager("STOPPING=1");
            return ExitCode.OK;
        } catch (ConfigException
                | BusAddressException
                | ErrnoException
                | IllegalArgumentException e) {
            throw new CommandException(String.valueOf(e.getMessage()), e);
        }
    }

    private static int fork(ParseResult line, Output output) throws InterruptedException {
        BusOptions _ = options(line); // errors of the line and of its files are shown here
        if (!DESCRIPTOR.matcher(line.matchedOptionValue("--config", "")).matches()) {
            try {
                BusConfig _ = source(line).load();
            } catch (ConfigException e) {
                throw new CommandException(String.valueOf(e.getMessage()), e);
            }
        }
        try (LineTarget addresses = LineTarget.of(line, "--print-address", output);
                LineTarget pid = LineTarget.of(line, "--print-pid", output)) {
            return BackgroundBus.start(FORK).print(addresses, pid);
        }
    }

    /** Reloads the configuration; the bus logs the errors in it. */
    private static void reload(Bus bus) {
        boolean ignored = Notify.reloading();
        var _ = bus.reload().thenRun(() -> notifyManager("READY=1"));
    }

    /** Notifies the service manager, if one started this process. */
    private static void notifyManager(String state) {
        boolean ignored = Notify.send(state);
    }

    private static BusOptions options(ParseResult line) {
        List<BusAddress> addresses = new ArrayList<>();
        for (String text : line.<List<String>>matchedOptionValue("--address", List.of())) {
            try {
                addresses.addAll(BusAddress.parseList(text));
            } catch (BusAddressException e) {
                throw Command.misuse(line, String.valueOf(e.getMessage()));
            }
        }
        if (addresses.isEmpty() && BusListener.areInherited()) {
            addresses.add(BusAddress.parse("systemd:"));
        }
        if (addresses.isEmpty() && listensBelowTmp(line)) {
            addresses.add(BELOW_TMP);
        }
        BusOptions options = BusOptions.of(source(line)).withAddresses(addresses);
        if (line.hasMatchedOption(CONTAINERS)) {
            options = options.withContainers(containers(line));
        }
        return line.hasMatchedOption("--systemd-activation")
                ? options.withSystemdActivation()
                : options;
    }

    /** Returns the folder in which the sockets of apps in containers are created. */
    private static Path containers(ParseResult line) {
        String folder = line.matchedOptionValue(CONTAINERS, "");
        if (!folder.isEmpty()) {
            return Path.of(folder);
        }
        if (Unistd.geteuid() == 0) {
            return Path.of("/run/dbus/containers");
        }
        String runtime = System.getenv().getOrDefault("XDG_RUNTIME_DIR", "");
        if (runtime.isEmpty()) {
            throw Command.misuse(
                    line, CONTAINERS + " needs a FOLDER, because XDG_RUNTIME_DIR is not set");
        }
        return Path.of(runtime, "dbus-1/containers");
    }

    /** Returns whether the bus listens in /tmp, as with dbus-daemon's session.conf. */
    private static boolean listensBelowTmp(ParseResult line) {
        if (line.hasMatchedOption("--config") || line.hasMatchedOption("--system")) {
            return false;
        }
        return line.hasMatchedOption("--session")
                || System.getenv().getOrDefault("XDG_RUNTIME_DIR", "").isEmpty();
    }

    private static ConfigSource source(ParseResult line) {
        ConfigSource first = firstSource(line);
        List<Path> more =
                line.<List<String>>matchedOptionValue("--include", List.of()).stream()
                        .map(file -> Path.of(file).toAbsolutePath())
                        .toList();
        return () -> {
            BusConfig config = first.load();
            for (Path file : more) {
                config = config.including(file);
            }
            return config;
        };
    }

    private static ConfigSource ofFile(String file) {
        Path path = Path.of(file).toAbsolutePath();
        return () -> BusConfig.load(path);
    }

    /**
     * Reads the file that a descriptor refers to, which need not have a name: a memfd, a pipe, a
     * removed file. It is read once, since a pipe cannot be read again.
     */
    private static ConfigSource ofDescriptor(String file) {
        try (InputStream in = Files.newInputStream(Path.of(file))) {
            byte[] content = in.readNBytes(MAX_CONFIG + 1);
            return () -> BusConfig.of(file, content);
        } catch (IOException e) {
            throw new CommandException(CommandException.reason(e), e);
        }
    }

    private static ConfigSource firstSource(ParseResult line) {
        String file = line.matchedOptionValue("--config", null);
        boolean system = line.hasMatchedOption("--system");
        int ways = (file == null ? 0 : 1) + (system ? 1 : 0);
        if (ways + (line.hasMatchedOption("--session") ? 1 : 0) > 1) {
            throw Command.misuse(line, "--config, --system and --session exclude each other");
        }
        if (file != null) {
            return DESCRIPTOR.matcher(file).matches() ? ofDescriptor(file) : ofFile(file);
        }
        return system ? BusConfig::system : BusConfig::session;
    }
}
