package io.holdfast.cli.process;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.ProcessArgument;
import io.holdfast.cli.output.AccountText;
import io.holdfast.cli.output.JsonText;
import io.holdfast.cli.output.Output;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.BusAddressException;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.wire.Syntax;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/** Tells the identity chain of a process, of who listens on a socket, or of who has a bus name. */
public final class WhoCommand implements Command {
    @Override
    public CommandSpec spec() {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
        spec.usageMessage()
                .header(
                        "Show user, unit and session of a process, of the listener on a socket, or of the owner of"
                                + " a bus name.")
                .footer(
                        "%nExamples:",
                        "  holdfast who 4711",
                        "  holdfast who /run/dbus/system_bus_socket",
                        "  holdfast who @abstract-name",
                        "  holdfast who --bus system org.freedesktop.login1",
                        "  holdfast who --bus unix:path=/run/user/1000/bus :1.7",
                        "  holdfast who --json /run/redis/redis.sock | jq -r .unit");
        return spec.addOption(Command.json("Print one JSON object."))
                .addOption(
                        Command.option(
                                "--bus",
                                "ADDRESS",
                                "The bus that NAME is of: an address, system or session."))
                .addPositional(
                        PositionalParamSpec.builder()
                                .index("0")
                                .paramLabel("PID|SOCKET|NAME")
                                .required(true)
                                .arity("1")
                                .type(String.class)
                                .description(
                                        "A process, by number, PID:ID or PID:ID:BOOT; or an AF_UNIX socket that somebody"
                                                + " listens on, by path (with a slash in it) or @name: it is"
                                                + " connected to, and left again. With --bus, a name on that bus.")
                                .build());
    }

    @Override
    public int run(ParseResult line, Output output) throws InterruptedException {
        String text = line.matchedPositionalValue(0, "");
        boolean json = line.hasMatchedOption("--json");
        String bus = line.matchedOptionValue("--bus", null);
        if (bus != null) {
            return ofBusName(bus, text, line, json, output);
        }
        if (text.startsWith("@") || text.indexOf('/') >= 0) {
            return ofSocket(text, line, json, output);
        }
        try (PidFd process = ProcessArgument.open(text, line)) {
            show(Identity.of(process), json, output);
        }
        return ExitCode.OK;
    }

    private static void show(Identity identity, boolean json, Output output) {
        if (json) {
            output.line(identity.json().toString());
        } else {
            identity.print(output);
        }
    }

    private static int ofSocket(String text, ParseResult line, boolean json, Output output)
            throws InterruptedException {
        try (UnixSocket socket = connect(address(text, line));
                Peer peer = socket.peer()) {
            show("socket", text, held(peer), peer, json, output);
            return ExitCode.OK;
        }
    }

    private static int ofBusName(
            String address, String name, ParseResult line, boolean json, Output output)
            throws InterruptedException {
        if (!Syntax.isBusName(name)) {
            throw Command.misuse(line, "not a bus name: '" + name + "'");
        }
        try (BusConnection bus = connectToBus(address);
                Peer peer = bus.peer(name)) {
            show("name", name, heldByBus(peer), peer, json, output);
            return ExitCode.OK;
        } catch (BusAddressException e) {
            throw Command.misuse(line, String.valueOf(e.getMessage()));
        } catch (DBusException | ConnectionLostException | ErrnoException e) {
            throw new CommandException(String.valueOf(e.getMessage()), e);
        }
    }

    private static BusConnection connectToBus(String address) throws InterruptedException {
        return switch (address) {
            case "system" -> BusConnection.system();
            case "session" -> BusConnection.session();
            default -> BusConnection.connect(address);
        };
    }

    private static void show(
            String kind, String subject, String held, Peer peer, boolean json, Output output) {
        Optional<Identity> identity = peer.pidFd().map(Identity::of);
        if (json) {
            output.line(json(kind, subject, peer, identity).toString());
            return;
        }
        output.field(kind, subject);
        output.field("peer", held);
        peer.label().ifPresent(label -> output.field("label", label));
        identity.ifPresentOrElse(
                known -> known.print(output),
                () -> {
                    output.field("pid", peer.pid() + " (a number, and it may be another's)");
                    output.field("user", AccountText.user(peer.uid()));
                    if (peer.gid() != NOT_TOLD) {
                        output.field("group", AccountText.group(peer.gid()));
                    }
                });
    }

    private static final long NOT_TOLD = 0xFFFF_FFFFL; // a bus tells groups, not which is effective

    private static String heldByBus(Peer peer) {
        return switch (peer) {
            case Peer.Held _ -> "held by the bus since it connected (ProcessFD)";
            case Peer.BestEffort _ -> "not held: this bus only tells what it was (ProcessID)";
            case Peer.Gone _ -> "gone before it could be held";
        };
    }

    private static String held(Peer peer) {
        return switch (peer) {
            case Peer.Held _ -> "held since it began to listen (SO_PEERPIDFD)";
            case Peer.BestEffort _ -> "not held: this kernel only tells what it was (SO_PEERCRED)";
            case Peer.Gone _ -> "gone before it could be held";
        };
    }

    private static JsonText json(
            String kind, String subject, Peer peer, Optional<Identity> identity) {
        JsonText text =
                identity.map(Identity::json)
                        .orElseGet(() ->
                                JsonText.object().put("process", null).put("pid", peer.pid()));
        return text.put(kind.equals("name") ? "busName" : kind, subject)
                .put("held", peer instanceof Peer.Held)
                .put("peerUid", peer.uid())
                .put("peerGid", peer.gid() == NOT_TOLD ? null : peer.gid())
                .put("peerGroups", peer.groups())
                .put("label", peer.label());
    }

    private static UnixAddress address(String text, ParseResult line) {
        try {
            return UnixAddress.parse(text);
        } catch (IllegalArgumentException e) {
            throw Command.misuse(line, "not a socket: '" + text + "', " + e.getMessage());
        }
    }

    private static UnixSocket connect(UnixAddress address) throws InterruptedException {
        for (SocketType type : new SocketType[] {SocketType.STREAM, SocketType.SEQPACKET}) {
            try {
                return UnixSocket.connect(address, type);
            } catch (ErrnoException e) {
                if (e.errno() != Errno.EPROTOTYPE) {
                    throw new CommandException(why(address, e), e);
                }
            }
        }
        throw new CommandException(address + " is a datagram socket: nobody is connected to it");
    }

    private static String why(UnixAddress address, ErrnoException e) {
        return switch (e.errno()) {
            case Errno.ENOENT -> "there is no " + address;
            case Errno.ECONNREFUSED ->
                    isPlainFile(address)
                            ? address + " is not a socket"
                            : "nobody listens on " + address;
            case Errno.EACCES -> address + " is not ours to connect to (EACCES)";
            default -> String.valueOf(e.getMessage());
        };
    }

    private static boolean isPlainFile(UnixAddress address) {
        try {
            return address instanceof UnixAddress.PathName(String path)
                    && !Files.readAttributes(Path.of(path), BasicFileAttributes.class).isOther();
        } catch (IOException e) {
            return false;
        }
    }
}
