package org.example;

import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A server that accepts clients by rules, and greets them: {@code java -jar peer-server.jar SOCKET
 * RULE...}, with rules such as {@code user=1000}, {@code group=4} and {@code unit=backup.service}.
 *
 * <p>All users may connect. The kernel records the credentials of the client at that moment, and
 * the unit is derived from the pidfd of its process.
 */
public final class PeerServer {
    private static final int BACKLOG = 64;
    private static final int EVERYBODY = 0666;

    private PeerServer() {}

    static void main(String[] arguments) throws InterruptedException {
        UnixAddress address = UnixAddress.path(Path.of(arguments[0]));
        List<String> rules = List.of(arguments).subList(1, arguments.length);
        try (UnixListener listener =
                UnixListener.listen(address, SocketType.STREAM, BACKLOG, EVERYBODY)) {
            System.out.println("ready");
            while (true) {
                UnixSocket connection = listener.accept();
                Thread.startVirtualThread(() -> serve(connection, rules));
            }
        }
    }

    private static void serve(UnixSocket connection, List<String> rules) {
        try (connection;
                Peer peer = connection.peer()) {
            Optional<String> rule = ruleOf(peer, rules);
            String answer = rule.map(found -> "welcome by " + found).orElse("refused");
            System.out.println("user " + peer.uid() + ": " + answer);
            connection.outputStream().write((answer + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            System.err.println("a client left: " + e.getMessage());
        }
    }

    private static Optional<String> ruleOf(Peer peer, List<String> rules) {
        // Empty unless only root could have given the unit its name.
        Optional<String> unit = peer.pidFd().flatMap(PidFd::unit);
        return rules.stream()
                .filter(rule -> {
                    String value = rule.substring(rule.indexOf('=') + 1);
                    return switch (rule.substring(0, rule.indexOf('='))) {
                        case "user" -> peer.uid() == Long.parseLong(value);
                        case "group" -> isMember(peer, Long.parseLong(value));
                        case "unit" -> unit.equals(Optional.of(value));
                        default -> throw new IllegalArgumentException(rule);
                    };
                })
                .findFirst();
    }

    private static boolean isMember(Peer peer, long group) {
        return peer.gid() == group || peer.groups().contains(group);
    }
}
