package io.holdfast.cli;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/** Tells the identity chain of a process, or of whoever listens on a socket. */
final class WhoCommand implements Command {
    @Override
    public CommandSpec spec() {
        CommandSpec spec = CommandSpec.wrapWithoutInspection(this);
        spec.usageMessage()
                .header("Tell who a process is, or who listens on a socket: user, unit, session.")
                .footer(
                        "%nExamples:",
                        "  holdfast who 4711",
                        "  holdfast who /run/dbus/system_bus_socket",
                        "  holdfast who @abstract-name",
                        "  holdfast who --json /run/redis/redis.sock | jq -r .unit");
        return spec.addOption(Command.json("Print one JSON object."))
                .addPositional(
                        PositionalParamSpec.builder()
                                .index("0")
                                .paramLabel("PID|SOCKET")
                                .required(true)
                                .arity("1")
                                .type(String.class)
                                .description(
                                        "A process, by number or PID:ID:BOOT; or an AF_UNIX socket that somebody"
                                                + " listens on, by path (with a slash in it) or @name: it is"
                                                + " connected to, and left again.")
                                .build());
    }

    @Override
    public int run(ParseResult line, Output output) throws InterruptedException {
        String text = line.matchedPositionalValue(0, "");
        boolean json = line.hasMatchedOption("--json");
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
            Optional<Identity> identity = peer.pidFd().map(Identity::of);
            if (json) {
                output.line(json(text, peer, identity).toString());
                return ExitCode.OK;
            }
            output.field("socket", text);
            output.field("peer", held(peer));
            peer.label().ifPresent(label -> output.field("label", label));
            identity.ifPresentOrElse(
                    known -> known.print(output),
                    () -> {
                        output.field("pid", peer.pid() + " (a number, and it may be another's)");
                        output.field("user", Accounts.user(peer.uid()));
                        output.field("group", Accounts.group(peer.gid()));
                    });
            return ExitCode.OK;
        }
    }

    private static String held(Peer peer) {
        return switch (peer) {
            case Peer.Held _ -> "held since it began to listen (SO_PEERPIDFD)";
            case Peer.BestEffort _ -> "not held: this kernel only tells what it was (SO_PEERCRED)";
            case Peer.Gone _ -> "gone before it could be held";
        };
    }

    private static JsonText json(String socket, Peer peer, Optional<Identity> identity) {
        JsonText text =
                identity.map(Identity::json)
                        .orElseGet(() ->
                                JsonText.object().put("process", null).put("pid", peer.pid()));
        return text.put("socket", socket)
                .put("held", peer instanceof Peer.Held)
                .put("peerUid", peer.uid())
                .put("peerGid", peer.gid())
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
