package io.holdfast.cli.process;

import static io.holdfast.cli.process.Identity.told;

import io.holdfast.core.process.Namespace;
import io.holdfast.core.process.PidFd;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * The sockets on which processes wait for others: those that listen, and datagram sockets that are
 * bound. The tables of a network namespace are read once. A socket is known by its inode number,
 * which no other socket has as long as it is open.
 */
final class ListeningSockets {
    private static final String TCP_LISTEN = "0A";
    private static final String UDP_UNCONNECTED = "07";
    private static final int UNIX_LISTENS = 0x10000;
    private static final int UNIX_COLUMNS = 8; // the path is the last, and may have blanks
    private static final String UNIX_DATAGRAM = "0002";

    /** By the inode of the namespace; what is there by the inodes of sockets. */
    private final Map<Long, Map<Long, String>> namespaces = new HashMap<>();

    /**
     * What the process listens on, in the order of the text: {@code tcp 127.0.0.1:80}, {@code unix
     * /run/a.sock}. Empty if the kernel does not let us see its descriptors.
     */
    Optional<List<String>> of(PidFd process) {
        return told(() -> process.proc().sockets())
                .map(sockets -> sockets.isEmpty() ? List.of() : addresses(sockets, process));
    }

    private List<String> addresses(Set<Long> sockets, PidFd process) {
        Map<Long, String> known =
                told(() -> networkOf(process))
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
        Map<Long, String> addresses = new TreeMap<>();
        for (String[] row : rows(process, "unix", UNIX_COLUMNS)) {
            // Num RefCount Protocol Flags Type St Inode [Path]
            boolean listens = (Integer.parseUnsignedInt(row[3], 16) & UNIX_LISTENS) != 0;
            if (row.length > 7 && (listens || row[4].equals(UNIX_DATAGRAM))) {
                addresses.put(Long.parseLong(row[6]), "unix " + row[7]);
            }
        }
        for (String protocol : List.of("tcp", "tcp6", "udp", "udp6")) {
            boolean tcp = protocol.startsWith("tcp");
            for (String[] row : rows(process, protocol, 0)) {
                // sl local_address rem_address st tx:rx tr:when retransmits uid timeout inode …
                if (row[3].equals(tcp ? TCP_LISTEN : UDP_UNCONNECTED)) {
                    addresses.put(
                            Long.parseLong(row[9]), (tcp ? "tcp " : "udp ") + internet(row[1]));
                }
            }
        }
        return addresses;
    }

    private static List<String[]> rows(PidFd process, String table, int columns) {
        List<String[]> rows = new ArrayList<>();
        told(() -> process.proc().network(table))
                .ifPresent(text ->
                        text.lines()
                                .skip(1)
                                .forEach(line -> rows.add(line.strip().split(" +", columns))));
        return rows;
    }

    /** An address as the kernel prints it: each word of 32 bits with its bytes reversed. */
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
            throw new AssertionError(e); // of another length
        }
    }
}
