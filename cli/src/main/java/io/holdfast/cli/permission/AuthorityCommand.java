package io.holdfast.cli.permission;

import io.holdfast.authority.AuthorityEngine;
import io.holdfast.authority.AuthorityMetrics;
import io.holdfast.authority.AuthorityOptions;
import io.holdfast.authority.polkit1.BusPresence;
import io.holdfast.authority.varlink.AuthorityInterface;
import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.DaemonProcess;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.HeapWatch;
import io.holdfast.cli.metrics.AuthorityFamilies;
import io.holdfast.cli.metrics.MetricsSocket;
import io.holdfast.cli.output.Output;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Signal;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.socket.ListenFds;
import io.holdfast.core.socket.Notify;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.address.BusAddressException;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Runs an authority in the foreground, for polkit's D-Bus interface and over Varlink. */
public final class AuthorityCommand implements Command {
    private static final int ALL_MAY_CONNECT = 0666;
    private static final String NO_BUS = "none";
    private static final Duration HEAP_CHECKS = Duration.ofSeconds(2);

    private static final System.Logger LOG = System.getLogger("io.holdfast.authority");

    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "Run an authorization authority with polkit's actions and rules.")
                .description(
                        "%nServes org.freedesktop.PolicyKit1 on the system bus, and"
                                + " io.holdfast.Authority over Varlink if it has a socket (--socket"
                                + " or LISTEN_FDS). Runs in the foreground until SIGINT or SIGTERM."
                                + " Changed actions and rules are reloaded automatically; SIGHUP"
                                + " reloads all of them.%n")
                .footer(
                        "%nExamples:",
                        "  holdfast authority",
                        "  holdfast authority --bus unix:path=/tmp/bus --rules ./rules.d --actions ./actions",
                        "  holdfast authority --bus none --socket /tmp/io.holdfast.Authority")
                .option(
                        "--bus ADDRESS",
                        "The address of the bus to serve, or none for no bus (default:"
                                + " DBUS_SYSTEM_BUS_ADDRESS, else the system bus).")
                .option(
                        "--socket PATH",
                        "Serve Varlink on this socket, in addition to sockets inherited from a"
                                + " service manager (LISTEN_FDS).")
                .option(
                        "--state-dir DIR",
                        "Store temporary authorizations and registered agents in this private"
                                + " folder, so that they survive if the authority is killed"
                                + " (default: the RUNTIME_DIRECTORY of a service manager, else"
                                + " none).")
                .with(MetricsSocket.option("counters of checks, dialogs, rules and users"))
                .options("--actions DIR", Path.class, folders("policy files"))
                .options("--rules DIR", Path.class, folders("rules"))
                .flag(
                        "--replace",
                        "Take the bus name from a running authority that allows replacement.")
                .spec();
    }

    private static String folders(String what) {
        return "Read "
                + what
                + " from this folder (default: the folders of polkit(8)); may be given several"
                + " times.";
    }

    @Override
    public boolean isDaemon() {
        return true;
    }

    @Override
    public int run(ParseResult line, Output output) throws Exception {
        DaemonProcess _ = DaemonProcess.begin();
        BusPresence presence = presence(line);
        try (EventLoop signals = EventLoop.open();
                presence;
                AuthorityEngine engine = AuthorityEngine.open(options(line, presence));
                AuthorityInterface face = AuthorityInterface.of(engine);
                MetricsSocket<AuthorityMetrics> _ =
                        MetricsSocket.of(line, signals, engine::metrics, AuthorityFamilies::text);
                AutoCloseable _ = signals.onSignal(Signal.TERM, signals::stop);
                AutoCloseable _ = signals.onSignal(Signal.INT, signals::stop);
                AutoCloseable _ = signals.onSignal(Signal.HUP, () -> reload(engine))) {
            boolean listens = listen(face, line.matchedOptionValue("--socket", null));
            if (!listens && line.matchedOptionValue("--bus", "").equals(NO_BUS)) {
                throw Command.misuse(line, "nothing to serve: --bus=none needs --socket");
            }
            presence.serve(engine, signals::stop);
            notifyManager("READY=1");
            HeapWatch.begin(signals, HEAP_CHECKS);
            signals.run();
            notifyManager("STOPPING=1");
            presence.close(); // no caller must reach an engine that ends
            if (presence.failure().isPresent()) {
                throw new CommandException(presence.failure().get());
            }
            return ExitCode.OK;
        } catch (ConnectionLostException e) {
            throw new CommandException(
                    e.getMessage() + "; start a bus with holdfast up, or name one with --bus", e);
        } catch (ErrnoException | IOException | IllegalStateException | DBusException e) {
            throw new CommandException(String.valueOf(e.getMessage()), e);
        }
    }

    private static BusPresence presence(ParseResult line) {
        String address = line.matchedOptionValue("--bus", "");
        boolean replace = line.hasMatchedOption("--replace");
        if (address.equals(NO_BUS)) {
            return BusPresence.none();
        }
        try {
            return BusPresence.on(
                    address.isEmpty() ? BusAddress.system() : BusAddress.parseList(address),
                    replace);
        } catch (BusAddressException e) {
            throw Command.misuse(line, String.valueOf(e.getMessage()));
        }
    }

    private static AuthorityOptions options(ParseResult line, BusPresence presence)
            throws InterruptedException {
        AuthorityOptions options = AuthorityOptions.standard().withUnits(presence.units());
        List<Path> actions = line.matchedOptionValue("--actions", List.of());
        List<Path> rules = line.matchedOptionValue("--rules", List.of());
        if (!actions.isEmpty()) {
            options = options.withActionFolders(actions);
        }
        if (!rules.isEmpty()) {
            options = options.withRuleFolders(rules);
        }
        RulePrograms programs =
                RulePrograms.ofAuthority(Accounts.SYSTEM, text -> LOG.log(Level.WARNING, text));
        options = options.withRuleLimits(programs.limits());
        if (programs.user().isPresent()) {
            options = options.withProgramUser(programs.user().get());
        }
        Optional<Path> state = stateFolder(line);
        return state.isPresent() ? options.withStateFolder(state.get()) : options;
    }

    /**
     * Returns the state folder: that of the option, else the first in RUNTIME_DIRECTORY
     * (systemd.exec(5)).
     */
    private static Optional<Path> stateFolder(ParseResult line) {
        String given = line.matchedOptionValue("--state-dir", "");
        String folder =
                given.isEmpty()
                        ? System.getenv().getOrDefault("RUNTIME_DIRECTORY", "").split(":", 2)[0]
                        : given;
        return folder.isEmpty() ? Optional.empty() : Optional.of(Path.of(folder).toAbsolutePath());
    }

    /** Serves Varlink on all sockets; false if there is none. */
    private static boolean listen(AuthorityInterface face, String socket) {
        List<ListenFds.Named> inherited = ListenFds.take();
        for (ListenFds.Named passed : inherited) {
            face.server().serve(UnixListener.adopt(passed.fd()));
        }
        if (socket != null) {
            Path path = Path.of(socket).toAbsolutePath();
            TrustedFolder.requireForSocket(path.resolveSibling(""));
            face.server()
                    .serve(
                            UnixListener.listen(
                                    UnixAddress.path(path),
                                    io.holdfast.core.socket.SocketType.STREAM,
                                    128,
                                    ALL_MAY_CONNECT));
        }
        return socket != null || !inherited.isEmpty();
    }

    private static void reload(AuthorityEngine engine) {
        boolean ignored = Notify.reloading();
        var _ =
                Thread.ofPlatform()
                        .name("holdfast-reload")
                        .start(() -> {
                            engine.reload();
                            notifyManager("READY=1");
                        });
    }

    /** Notifies the service manager, if one started this process. */
    private static void notifyManager(String state) {
        boolean ignored = Notify.send(state);
    }
}
