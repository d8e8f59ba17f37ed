package io.holdfast.cli.service;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.ManagerSocket;
import io.holdfast.cli.command.TransientUnits;
import io.holdfast.cli.output.Output;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.FdChannel;
import io.holdfast.core.Signal;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.systemd1.TextProperty;
import io.holdfast.manager.unit.UnitType;
import java.io.FileDescriptor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.ParseResult;

/**
 * Requests the transient units of {@code holdfast run}, by the calls of systemd-run(1) on the
 * private socket of the caller's manager.
 */
public final class TransientUnitRequest implements TransientUnits {
    private static final String MANAGER = "org.freedesktop.systemd1.Manager";
    private static final String PATH = "/org/freedesktop/systemd1";
    private static final String FAILED = "failed";
    private static final String DETACH = "--detach";
    private static final List<Signal> FORWARDED = List.of(Signal.HUP, Signal.INT, Signal.TERM);

    /** The exit status of a program that could not be executed. */
    private static final int EXEC_FAILED = 203;

    private static final int CLD_EXITED = 1;

    @Override
    public void addOptions(Grammar grammar) {
        ManagerSocket.addOptions(grammar);
    }

    // ---- the units

    @Override
    public int service(ParseResult line, String name, List<String> command, Output output)
            throws InterruptedException {
        boolean detached = line.hasMatchedOption(DETACH);
        List<Object> properties = new ArrayList<>(properties(line, UnitType.SERVICE));
        properties.add(property("Description", "s", String.join(" ", command)));
        properties.add(property("Type", "s", "exec"));
        properties.add(
                property(
                        "ExecStartEx",
                        "a(sasas)",
                        List.of(
                                Struct.of(
                                        program(command.getFirst()),
                                        command,
                                        List.of("no-env-expand")))));
        try (BusConnection manager = connect(line);
                Fd in = FdChannel.duplicate(FileDescriptor.in);
                Fd out = FdChannel.duplicate(FileDescriptor.out);
                Fd err = FdChannel.duplicate(FileDescriptor.err);
                Subscription changes = manager.subscribe(changesOf(manager, name))) {
            if (!detached) {
                properties.add(property("StandardInputFileDescriptor", "h", in));
                properties.add(property("StandardOutputFileDescriptor", "h", out));
                properties.add(property("StandardErrorFileDescriptor", "h", err));
            }
            String result = start(manager, name, properties);
            if (detached && result.equals("done")) {
                output.line(name);
                return ExitCode.OK;
            }
            if (!result.equals("done") && !result.equals(FAILED)) {
                throw new CommandException(name + ": cannot be started: " + result);
            }
            return exitCode(name, result, awaitEnd(manager, name, changes));
        } catch (DBusException | ConnectionLostException | ErrnoException e) {
            throw new CommandException(name + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void scope(ParseResult line, String name, PidFd process) throws InterruptedException {
        List<Object> properties = new ArrayList<>(properties(line, UnitType.SCOPE));
        properties.add(property("PIDFDs", "ah", List.of(process.fd())));
        try (BusConnection manager = connect(line)) {
            String result = start(manager, name, properties);
            if (!result.equals("done")) {
                throw new CommandException(name + ": cannot be started: " + result);
            }
        } catch (DBusException | ConnectionLostException e) {
            throw new CommandException(name + ": " + e.getMessage(), e);
        }
    }

    // ---- properties

    private static Struct property(String name, String type, Object value) {
        return Struct.of(name, Variant.of(type, value));
    }

    /** Returns the properties that the options of the line set. */
    private static List<Struct> properties(ParseResult line, UnitType type) {
        List<Struct> properties = new ArrayList<>();
        add(properties, line, type, "Slice", "--slice");
        if (type == UnitType.SERVICE) {
            add(properties, line, type, "User", "--uid");
            add(properties, line, type, "Group", "--gid");
            add(properties, line, type, "Nice", "--nice");
            add(properties, line, type, "UMask", "--umask");
            properties.add(
                    text(
                            line,
                            type,
                            "WorkingDirectory",
                            Path.of(line.matchedOptionValue("--cwd", ""))
                                    .toAbsolutePath()
                                    .toString()));
            List<String> variables = line.matchedOptionValue("--setenv", List.of());
            properties.add(property("Environment", "as", variables));
            if (line.hasMatchedOption("--no-new-privs")) {
                properties.add(property("NoNewPrivileges", "b", true));
            }
            List<String> limits = line.matchedOptionValue("--limit", List.of());
            for (String each : limits) {
                String[] limit = split(line, "--limit", each);
                String[] values = limit[1].split(":", 2);
                String hard = values[values.length - 1];
                properties.add(text(line, type, "Limit" + limit[0], hard));
                properties.add(text(line, type, "Limit" + limit[0] + "Soft", values[0]));
            }
        }
        boolean isWaitedFor = type == UnitType.SERVICE && !line.hasMatchedOption(DETACH);
        if (isWaitedFor || line.hasMatchedOption("--collect")) {
            properties.add(property("CollectMode", "s", "inactive-or-failed"));
        }
        List<String> others = line.matchedOptionValue("--property", List.of());
        for (String each : others) {
            String[] assignment = split(line, "--property", each);
            properties.add(text(line, type, assignment[0], assignment[1]));
        }
        return properties;
    }

    private static void add(
            List<Struct> properties,
            ParseResult line,
            UnitType type,
            String directive,
            String option) {
        Optional.ofNullable(line.matchedOptionValue(option, (String) null))
                .ifPresent(value -> properties.add(text(line, type, directive, value)));
    }

    private static Struct text(ParseResult line, UnitType type, String directive, String value) {
        try {
            return TextProperty.of(type, directive, value);
        } catch (IllegalArgumentException e) {
            throw Command.misuse(line, directive + "=" + value + ": " + e.getMessage());
        }
    }

    private static String[] split(ParseResult line, String option, String text) {
        String[] halves = text.split("=", 2);
        if (halves.length < 2) {
            throw Command.misuse(line, option + " " + text + ": expected NAME=VALUE");
        }
        return halves;
    }

    /** Returns a program below the working directory by its whole path: the manager has another. */
    private static String program(String word) {
        return word.contains("/") ? Path.of(word).toAbsolutePath().toString() : word;
    }

    // ---- the manager

    private static BusConnection connect(ParseResult line) throws InterruptedException {
        Path socket = ManagerSocket.options(line).runtimeDirectory().resolve("systemd/private");
        try {
            return BusConnection.withPeer(
                    UnixSocket.connect(UnixAddress.path(socket), SocketType.STREAM),
                    ConnectionOptions.standard());
        } catch (ErrnoException e) {
            throw new CommandException(
                    "no manager of yours is running: "
                            + e.getMessage()
                            + "; start one with: holdfast up, or leave out --service and --scope",
                    e);
        }
    }

    private static String changesOf(BusConnection manager, String name)
            throws InterruptedException {
        Object path = manager.object(PATH).call(MANAGER, "LoadUnit", "s", name).getFirst();
        return "type='signal',member='PropertiesChanged',path='" + ((ObjectPath) path).path() + "'";
    }

    /** Starts a unit, and returns the result of its job. */
    private static String start(BusConnection manager, String name, List<Object> properties)
            throws InterruptedException {
        try (Subscription ends = manager.subscribe("type='signal',member='JobRemoved'")) {
            Object job =
                    manager.object(PATH)
                            .call(
                                    MANAGER,
                                    "StartTransientUnit",
                                    "ssa(sv)a(sa(sv))",
                                    name,
                                    "fail",
                                    properties,
                                    List.of())
                            .getFirst();
            while (true) {
                try (Message signal = ends.take()) {
                    if (signal.values().get(1).equals(job)) {
                        return (String) signal.values().get(3);
                    }
                }
            }
        }
    }

    /** Waits until a unit that was started is down, and returns its last properties. */
    private static Map<Object, Object> awaitEnd(
            BusConnection manager, String name, Subscription changes) throws InterruptedException {
        RemoteObject object = manager.object(PATH);
        Map<Object, Object> known = new HashMap<>();
        boolean wasUp = false;
        try (Forwarding _ = Forwarding.of(object, name)) {
            while (true) {
                try (Message signal = changes.take()) {
                    ((Map<?, ?>) signal.values().get(1))
                            .forEach((key, value) -> known.put(key, ((Variant) value).value()));
                }
                Object state = known.get("ActiveState");
                boolean isDown = "inactive".equals(state) || FAILED.equals(state);
                if (isDown && wasUp) {
                    return known;
                }
                wasUp |= state != null && !isDown;
            }
        }
    }

    /** Forwards the signals that end a command to the main process of a unit. */
    private record Forwarding(EventLoop loop) implements AutoCloseable {
        @SuppressWarnings("MustBeClosed") // by the thread that runs it
        static Forwarding of(RemoteObject manager, String unit) {
            EventLoop loop = EventLoop.open();
            for (Signal signal : FORWARDED) {
                Runnable forward = () -> forward(manager, unit, signal);
                AutoCloseable _ = loop.onSignal(signal, () -> Thread.ofVirtual().start(forward));
            }
            Thread.ofPlatform()
                    .daemon()
                    .name("signals")
                    .start(() -> {
                        try (loop) {
                            loop.run();
                        }
                    });
            return new Forwarding(loop);
        }

        private static void forward(RemoteObject manager, String unit, Signal signal) {
            try {
                manager.call(MANAGER, "KillUnit", "ssi", unit, "main", signal.number());
            } catch (DBusException | ConnectionLostException | InterruptedException e) {
                // it has ended, or the wait for its end reports that the manager has
            }
        }

        @Override
        public void close() {
            loop.stop();
        }
    }

    private static int exitCode(String name, String result, Map<Object, Object> end) {
        int status = end.get("ExecMainStatus") instanceof Integer number ? number : 0;
        boolean exited = Integer.valueOf(CLD_EXITED).equals(end.get("ExecMainCode"));
        if (result.equals(FAILED)) {
            throw new CommandException(
                    name + ": cannot be started: " + end.get("Result") + " (status " + status + ")",
                    exited && status == EXEC_FAILED
                            ? ExitCode.NOT_FOUND
                            : ExitCode.HOLDFAST_FAILED);
        }
        return exited || status == 0 ? status : 128 + status;
    }
}
