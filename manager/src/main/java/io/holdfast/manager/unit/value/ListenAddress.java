package io.holdfast.manager.unit.value;

import io.holdfast.core.sys.socket.UnixName;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Map;
import java.util.Optional;

/** The address that a socket is bound to, in the syntax of socket units. */
public sealed interface ListenAddress {
    /**
     * A node of the file system.
     *
     * @param path absolute
     */
    record Node(String path) implements ListenAddress {
        @Override
        public String toString() {
            return path;
        }
    }

    /**
     * An abstract name of AF_UNIX.
     *
     * @param name not empty, without the leading NUL
     */
    record AbstractName(String name) implements ListenAddress {
        @Override
        public String toString() {
            return "@" + name;
        }
    }

    /**
     * A port of TCP or UDP.
     *
     * @param host empty: all addresses of this machine, including IPv6 where it has that
     * @param port 1 to 65535
     */
    record Port(Optional<InetAddress> host, int port) implements ListenAddress {
        /** {@return the text as systemd shows it: {@code [::]:22}, {@code 127.0.0.1:22}} */
        @Override
        public String toString() {
            return host.map(Port::text).orElse("[::]") + ":" + port;
        }

        private static String text(InetAddress host) {
            return host instanceof Inet6Address
                    ? "[" + host.getHostAddress() + "]"
                    : host.getHostAddress();
        }
    }

    /**
     * A family of netlink(7), and the groups whose messages are received.
     *
     * @param name of the family
     * @param groups bit n - 1 is set for group n, as in sockaddr_nl
     */
    record Netlink(int family, String name, int groups) implements ListenAddress {
        private static final Map<String, Integer> FAMILIES =
                Map.ofEntries(
                        Map.entry("route", 0),
                        Map.entry("firewall", 3),
                        Map.entry("inet-diag", 4),
                        Map.entry("nflog", 5),
                        Map.entry("xfrm", 6),
                        Map.entry("selinux", 7),
                        Map.entry("iscsi", 8),
                        Map.entry("audit", 9),
                        Map.entry("fib-lookup", 10),
                        Map.entry("connector", 11),
                        Map.entry("netfilter", 12),
                        Map.entry("ip6-fw", 13),
                        Map.entry("dnrtmsg", 14),
                        Map.entry("kobject-uevent", 15),
                        Map.entry("generic", 16),
                        Map.entry("scsitransport", 18),
                        Map.entry("ecryptfs", 19),
                        Map.entry("rdma", 20));

        /** Parses {@code FAMILY [GROUPS]}. */
        public static Netlink parse(String text) {
            String[] words = text.split(" +");
            Integer family = FAMILIES.get(words[0]);
            if (family == null || words.length > 2) {
                throw Scalars.bad("a family of netlink and its groups as a mask", text);
            }
            int groups = words.length < 2 ? 0 : Scalars.parseInt(words[1], 0, Integer.MAX_VALUE);
            return new Netlink(family, words[0], groups);
        }

        @Override
        public String toString() {
            return name + " " + groups;
        }
    }

    /**
     * A POSIX message queue.
     *
     * @param name begins with a slash, and has no other
     */
    record Queue(String name) implements ListenAddress {
        private static final int MAX_NAME = 255;

        /** Parses the name of a queue. */
        public static Queue parse(String text) {
            boolean isName =
                    text.length() > 1
                            && text.length() <= MAX_NAME
                            && text.startsWith("/")
                            && text.indexOf('/', 1) < 0;
            if (!isName) {
                throw Scalars.bad("the name of a message queue, such as /queue", text);
            }
            return new Queue(text);
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /** An address that is not supported: a USB function. */
    record Other(String text) implements ListenAddress {
        @Override
        public String toString() {
            return text;
        }
    }

    /**
     * Parses {@code /path}, {@code @name}, {@code port}, {@code v4:port} or {@code [v6]:port},
     * without a name service.
     *
     * @throws IllegalArgumentException saying what was expected
     */
    static ListenAddress parse(String text) {
        if (text.startsWith("/")) {
            var _ = UnixName.of(text);
            return new Node(text);
        }
        if (text.startsWith("@")) {
            if (text.length() == 1) {
                throw Scalars.bad("an abstract name", text);
            }
            var _ = UnixName.of("\0" + text.substring(1));
            return new AbstractName(text.substring(1));
        }
        int colon = text.lastIndexOf(':');
        Optional<InetAddress> host =
                colon < 0 ? Optional.empty() : Optional.of(host(text.substring(0, colon), text));
        return new Port(host, Scalars.parseInt(text.substring(colon + 1), 1, 65535));
    }

    private static InetAddress host(String host, String text) {
        boolean bracketed = host.startsWith("[") && host.endsWith("]");
        String literal = bracketed ? host.substring(1, host.length() - 1) : host;
        try {
            if (bracketed && literal.indexOf('%') < 0) {
                return Inet6Address.ofLiteral(literal);
            }
            if (literal.matches("[0-9]{1,3}(\\.[0-9]{1,3}){3}")) {
                return Inet4Address.ofLiteral(literal);
            }
        } catch (IllegalArgumentException e) {
            // reported below, with the expected forms
        }
        throw Scalars.bad("an address such as /path, @name, 80, 127.0.0.1:80 or [::1]:80", text);
    }
}
