package io.holdfast.cli.process;

import io.holdfast.cli.command.BusArgument;
import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.ProcessArgument;
import io.holdfast.cli.output.Output;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.address.BusAddressException;
import io.holdfast.dbus.marshal.Syntax;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/**
 * {@code info} and {@code who}, one command: prints everything that is known about a process, the
 * listener on a socket, or the owner of a bus name; or the processes of a unit as a tree.
 */
public final class InfoCommand implements Command {
    private static final String SUBJECT = "PID|SOCKET|NAME|UNIT";
    private static final String TREE = "--tree";
    private static final String BUS = "--bus";

    @Override
    public CommandSpec spec() {
        return Grammar.of(
                        this,
                        "Show a process, the listener on a socket, or the owner of a bus name.")
                .description(
                        "%nPrints identity, credentials, command line, cgroup, units in systemd and"
                                + " in Holdfast's manager, session, listening sockets, and names on"
                                + " the buses of this machine. Everything is read through the pidfd"
                                + " or verified against it. info and who are the same command.%n")
                .footer(
                        "%nExamples:",
                        "  holdfast info 4711",
                        "  holdfast info /run/dbus/system_bus_socket",
                        "  holdfast info @abstract-name",
                        "  holdfast info --bus system org.freedesktop.login1",
                        "  holdfast info --bus unix:path=/run/user/1000/bus :1.7",
                        "  holdfast info --tree redis-server.service",
                        "  holdfast info --json $$$$ | jq .credentials.effectiveUid",
                        "  name=$$(holdfast info --json $$pid | jq -r .process)   # unique in all"
                                + " boots")
                .json("Print one JSON object.")
                .option(
                        BUS + " ADDRESS",
                        "The bus of NAME: an address, or the word system or session.")
                .flag(
                        TREE,
                        "Show the cgroup tree of a unit, a slice or the path of a cgroup (default:"
                                + " all cgroups), with processes, memory, listening sockets, bus"
                                + " names, and the processes to which they are connected by AF_UNIX"
                                + " sockets.")
                .option(
                        "--runtime-dir DIR",
                        Path.class,
                        "The folder of the sockets of another manager, which is asked first.")
                .argument(
                        SUBJECT,
                        "0..1",
                        "A process (PID, PID:ID or PID:ID:BOOT), or a listening AF_UNIX socket (a"
                                + " path with a slash, or @name); info connects to the socket and"
                                + " disconnects at once. With --bus, a name on that bus. With"
                                + " --tree, a unit or slice.")
                .spec();
    }

    @Override
    public int run(ParseResult line, Output output) throws InterruptedException {
        String word = line.matchedPositionalValue(0, null);
        boolean json = line.hasMatchedOption("--json");
        Managers managers =
                new Managers(
                        Optional.ofNullable(line.<Path>matchedOptionValue("--runtime-dir", null)));
        if (line.hasMatchedOption(TREE)) {
            new ProcessTree(managers).show(Optional.ofNullable(word), json, output);
            return ExitCode.OK;
        }
        if (word == null) {
            throw Command.misuse(line, "missing required parameter: '" + SUBJECT + "'");
        }
        if (line.hasMatchedOption(BUS)) {
            show(ofBusName(word, line, managers), json, output);
        } else if (ListenerConnection.namesSocket(word)) {
            try (UnixSocket socket = ListenerConnection.open(word, line);
                    Peer peer = socket.peer()) {
                show(PeerReport.ofSocket(word, peer, managers), json, output);
            }
        } else {
            try (PidFd process = ProcessArgument.open(word, line)) {
                ProcessReport report = ProcessReport.of(process, managers);
                if (json) {
                    output.line(report.json().toString());
                } else {
                    report.print(output);
                }
            }
        }
        return ExitCode.OK;
    }

    private static void show(PeerReport report, boolean json, Output output) {
        if (json) {
            output.line(report.json().toString());
        } else {
            report.print(output);
        }
    }

    private static PeerReport ofBusName(String name, ParseResult line, Managers managers)
            throws InterruptedException {
        if (!Syntax.isBusName(name)) {
            throw Command.misuse(line, "not a bus name: '" + name + "'");
        }
        try (BusConnection bus = BusArgument.connect(line.matchedOptionValue(BUS, ""));
                Peer peer = bus.peer(name)) {
            return PeerReport.ofBusName(name, peer, managers);
        } catch (BusAddressException e) {
            throw Command.misuse(line, String.valueOf(e.getMessage()));
        } catch (DBusException | ConnectionLostException | ErrnoException e) {
            throw new CommandException(String.valueOf(e.getMessage()), e);
        }
    }
}
