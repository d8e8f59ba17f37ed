package io.holdfast.cli.process;

import static io.holdfast.cli.process.ProcessIdentity.readIfPermitted;

import io.holdfast.core.process.Namespace;
import io.holdfast.core.process.PidFd;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The sockets on which processes wait for clients: listening sockets, and bound datagram sockets.
 * The tables of a network namespace are read once. A socket is identified by its inode number,
 * which no other socket has while it is open.
 *
 * <p>The kernel prints the paths of Unix sockets unescaped, with line breaks, so any user can forge
 * lines in that table. A line that does not have the format of a row is ignored, and an inode
 * number that occurs more than once gets no address.
 */
final class ListenerTable {
    private static final String TCP_LISTEN = "0A";
    private static final String UDP_UNCONNECTED = "07";
    private static final int UNIX_LISTENS = 0x10000;
    private static final String UNIX_DATAGRAM = "0002";

    /** Num: RefCount Protocol Flags Type St Inode Path. */
    private static final Pattern UNIX_ROW =
            Pattern.compile(
                    "[0-9a-f]+: [0-9A-F]{8} [0-9A-F]{8} (?<flags>[0-9A-F]{8})"
                            + " (?<type>[0-9A-F]{4}) [0-9A-F]{2} +(?<inode>[0-9]{1,18})"
                            + "(?: (?<path>.*))?",
                    Pattern.DOTALL);

    /**
     * Addresses of sockets by the inode of the network namespace, then by the inode of the socket.
     */
    private final Map<Long, Map<Long, String>> namespaces = new HashMap<>();

    /**
     * Returns the addresses on which the process listens, sorted as text: {@code tcp 127.0.0.1:80},
     * {@code unix /run/a.sock}. Empty if the kernel does not let this user read the descriptors of
     * the process.
     */
    Optional<List<String>> of(PidFd process) {
        return readIfPermitted(() -> process.proc().sockets())
                .map(sockets -> sockets.isEmpty() ? List.of() : addresses(sockets, process));
    }

    private List<String> addresses(Set<Long> sockets, PidFd process) {
        Map<Long, String> known =
                readIfPermitted(() -> networkOf(process))
                        .map(inode -> namespaces.computeIfAbsent(inode, _ -> tables(process)))
                        .orElse(Map.of());
        return sockets.stream()
                .map(known::get)
                .filter(Objects::nonNull)
                .distinct()
                .sorted()
                .toList();
    }

    private static long networkOf(PidFd process) {
        try (Namespace network = process.namespace(Namespace.Kind.NET)) {
            return network.inode();
        }
    }

    private static Map<Long, String> tables(PidFd process) {
        Map<Long, String> addresses = unix(table(process, "unix"));
        for (String protocol : List.of("tcp", "tcp6", "udp", "udp6")) {
            boolean tcp = protocol.startsWith("tcp");
            table(process, protocol)
                    .map(line -> line.strip().split(" +"))
                    .forEach(row -> {
                        // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
                        long inode = Long.parseLong(row[9]);
                        if (row[3].equals(tcp ? TCP_LISTEN : UDP_UNCONNECTED)) {
                            addresses.put(inode, (tcp ? "tcp " : "udp ") + internet(row[1]));
                        } else {
                            addresses.remove(inode); // a forged row of the other table named it
                        }
                    });
        }
        return addresses;
    }

    private static Map<Long, String> unix(Stream<String> lines) {
        Map<Long, String> addresses = new TreeMap<>();
        Set<Long> seen = new HashSet<>();
        lines.map(UNIX_ROW::matcher)
                .filter(Matcher::matches)
                .forEach(row -> {
                    long inode = Long.parseLong(row.group("inode"));
                    boolean listens = (Long.parseLong(row.group("flags"), 16) & UNIX_LISTENS) != 0;
                    if (!seen.add(inode)) {
                        addresses.remove(inode);
                    } else if (row.group("path") != null
                            && (listens || row.group("type").equals(UNIX_DATAGRAM))) {
                        addresses.put(inode, "unix " + row.group("path"));
                    }
                });
        return addresses;
    }

    /** Returns the lines below the heading. */
    private static Stream<String> table(PidFd process, String name) {
        return readIfPermitted(() -> process.proc().network(name)).stream()
                .flatMap(text -> Stream.of(text.split("\n")))
                .skip(1);
    }

    /**
     * Converts an address of the kernel's table, which prints each word of 32 bits with its bytes
     * reversed.
     */
    private static String internet(String text) {
        int colon = text.indexOf(':');
        byte[] printed = HexFormat.of().parseHex(text, 0, colon);
        byte[] address = new byte[printed.length];
        for (int i = 0; i < printed.length; i++) {
            address[i] = printed[(i & ~3) | (3 - (i & 3))];
        }
        try {
            String host = InetAddress.getByAddress(address).getHostAddress();
            return (host.indexOf(':') < 0 ? host : "[" + host + "]")
                    + ":"
                    + Integer.parseInt(text, colon + 1, text.length(), 16);
        } catch (UnknownHostException e) {
            throw new AssertionError(e); // only for another length
        }
    }
}
