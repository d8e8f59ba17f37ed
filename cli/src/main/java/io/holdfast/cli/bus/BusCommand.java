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
import io.holdfast.dbus.BusAddress;
import io.holdfast.dbus.BusAddressException;
import io.holdfast.dbus.BusListener;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** Runs a message bus in the foreground. */
public final class BusCommand implements Command {
    private static final String FORK = "--fork";
    private static final String CONTAINERS = "--containers";
    private static final BusAddress BELOW_TMP = BusAddress.parse("unix:tmpdir=/tmp");
    private static final List<Ignored> IGNORED =
            List.of(
                    new Ignored("--nofork", "Stay in the foreground, as it always does."),
                    new Ignored("--nopidfile", "Write no PID file, as it never does."),
                    new Ignored("--nosyslog", "Log to standard error, as it always does."),
                    new Ignored(
                            "--syslog",
                            "Log to standard error: the service manager passes that to the log."),
                    new Ignored("--syslog-only", "The same."));

    @Override
    public CommandSpec spec() {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
        spec.usageMessage()
                .header("Run a D-Bus message bus, each client held by pidfd.")
                .description(
                        "%nStays in the foreground until SIGINT or SIGTERM; SIGHUP reads the configuration and the"
                                + " service files again. Each refusal and each disconnection of a client is one"
                                + " line on standard error. Started by a socket unit it listens on the sockets that it is given, and"
                                + " where nothing else is said nowhere else. Called by the name dbus-daemon (a link to"
                                + " holdfast) it is this command, with dbus-daemon's options.%n")
                .footer(
                        "%nExamples:",
                        "  holdfast bus --address unix:path=/run/user/1000/bus",
                        "  holdfast bus --address unix:tmpdir=/tmp --print-address",
                        "  holdfast bus --system --address unix:path=/run/dbus/system_bus_socket",
                        "  holdfast bus --address unix:path=/run/bus --metrics /run/bus.metrics",
                        "  holdfast bus --system --include /etc/own-services.conf --systemd-activation",
                        "  holdfast bus --config /usr/share/dbus-1/session.conf --address unix:runtime=yes");
        spec.addOption(
                        OptionSpec.builder("--address")
                                .paramLabel("ADDRESS")
                                .type(List.class)
                                .auxiliaryTypes(String.class)
                                .description(
                                        "Where to listen, and not where the configuration says; may be given several"
                                                + " times.")
                                .build())
                .addOption(
                        OptionSpec.builder("--config", "--config-file")
                                .paramLabel("FILE")
                                .type(String.class)
                                .description("A busconfig file, as dbus-daemon(1) describes them.")
                                .build())
                .addOption(
                        Command.flag(
                                "--system",
                                "The built-in configuration of a system bus: what no file in system.d allows is"
                                        + " denied."))
                .addOption(
                        Command.flag(
                                "--session",
                                "The built-in configuration of a session bus, listening below the temporary"
                                        + " folder (/tmp). Without any of these options the same, listening at"
                                        + " $$XDG_RUNTIME_DIR/bus where that variable is set."))
                .addOption(
                        OptionSpec.builder("--include")
                                .paramLabel("FILE")
                                .type(List.class)
                                .auxiliaryTypes(String.class)
                                .description(
                                        "One more busconfig file, which counts after all others; may be given several"
                                                + " times.")
                                .build())
                .addOption(
                        Command.flag(
                                "--systemd-activation",
                                "Leave services that have a SystemdService= to the owner of"
                                        + " org.freedesktop.systemd1, and wait for it. Without this it is asked only"
                                        + " if it is there; else their Exec= is spawned."))
                .addOption(
                        OptionSpec.builder(CONTAINERS)
                                .paramLabel("FOLDER")
                                .arity("0..1")
                                .fallbackValue("")
                                .type(String.class)
                                .description(
                                        "Offer org.freedesktop.DBus.Containers1: a socket for each app in a"
                                                + " container, whose connections are known to be that app. The"
                                                + " sockets are made in that folder; without one in"
                                                + " /run/dbus/containers for root, else in"
                                                + " $$XDG_RUNTIME_DIR/dbus-1/containers.")
                                .build())
                .addOption(
                        printed(
                                "--print-address",
                                "Print the address for clients, a line for each, once it listens."))
                .addOption(MetricsSocket.option("counters by peer, name and user"))
                .addOption(
                        printed(
                                "--print-pid",
                                "Print the number of this process, once it listens."));
        for (Ignored ignored : IGNORED) {
            spec.addOption(Command.flag(ignored.option, ignored.why));
        }
        return spec.addOption(
                        Command.flag(
                                FORK,
                                "Refused: start it by a service manager, or with & in a shell."))
                .addOption(Command.flag("--version", "Print the version."));
    }

    private static OptionSpec printed(String name, String what) {
        return OptionSpec.builder(name)
                .paramLabel("FD")
                .arity("0..1")
                .fallbackValue("1")
                .type(String.class)
                .description(
                        what + " To standard output, or to that descriptor, which is closed then.")
                .build();
    }

    /** An option of dbus-daemon(1) that asks for what this command does anyway. */
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
            throw Command.misuse(
                    line,
                    FORK
                            + ": it stays in the foreground; leave that out and start it by a service"
                            + " manager, or with & in a shell");
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
            }
            if (pid != null) {
                pid.write(List.of(Integer.toString(Unistd.getpid())));
            }
            tell("READY=1");
            signals.run();
            tell("STOPPING=1");
            return ExitCode.OK;
        } catch (ConfigException
                | BusAddressException
                | ErrnoException
                | IllegalArgumentException e) {
            throw new CommandException(String.valueOf(e.getMessage()), e);
        }
    }

    /** What is wrong with the configuration stands in the log of the bus. */
    private static void reload(Bus bus) {
        boolean ignored = Notify.reloading();
        var _ = bus.reload().thenRun(() -> tell("READY=1"));
    }

    /** Tells the service manager, if one started this. */
    private static void tell(String state) {
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

    /** Where the sockets of apps in containers are made. */
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
                    line, CONTAINERS + " needs a FOLDER where XDG_RUNTIME_DIR is not set");
        }
        return Path.of(runtime, "dbus-1/containers");
    }

    /** As the session.conf of dbus-daemon says; else its clients look in their runtime folder. */
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

    private static ConfigSource firstSource(ParseResult line) {
        String file = line.matchedOptionValue("--config", null);
        boolean system = line.hasMatchedOption("--system");
        int ways = (file == null ? 0 : 1) + (system ? 1 : 0);
        if (ways + (line.hasMatchedOption("--session") ? 1 : 0) > 1) {
            throw Command.misuse(line, "one of --config, --system and --session");
        }
        if (file != null) {
            Path path = Path.of(file).toAbsolutePath();
            return () -> BusConfig.load(path);
        }
        return system ? BusConfig::system : BusConfig::session;
    }
}
