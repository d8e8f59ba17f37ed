package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.value.ListenAddress;
import io.holdfast.manager.unit.value.Scalars;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The {@code [Socket]} section.
 *
 * @param listens in the order in which a service gets the descriptors
 * @param owner of the nodes, {@code SocketUser=} and {@code SocketGroup=}
 * @param mode of the nodes, {@code SocketMode=}
 * @param directoryMode of folders that are made above them
 * @param backlog connections that may wait; the kernel caps it
 * @param accept whether each connection gets an instance
 * @param maxConnections at once, if each gets an instance
 * @param maxConnectionsPerSource by user (AF_UNIX) or IP address; 0: no limit
 * @param service the service that is started on traffic; for an accepting socket the template
 * @param descriptorName the name by which the service finds the descriptors
 * @param removeOnStop whether the nodes are removed when the socket stops
 * @param symlinks links to the one node
 * @param passCredentials SO_PASSCRED
 * @param passPidfd SO_PASSPIDFD (Linux 6.5)
 * @param ipv6Only whether an IPv6 socket refuses IPv4; empty: the kernel's default
 * @param options in the form of {@link SocketOption#parse}
 * @param triggerLimit how often it may start a service; beyond it, the socket fails
 * @param pollLimit how often it polls for traffic; beyond it, the socket pauses
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/systemd.socket.html">systemd.socket</a>
 */
public record SocketSection(
        List<Listen> listens,
        Owner owner,
        int mode,
        int directoryMode,
        int backlog,
        boolean accept,
        int maxConnections,
        int maxConnectionsPerSource,
        UnitName service,
        String descriptorName,
        boolean removeOnStop,
        List<String> symlinks,
        boolean passCredentials,
        boolean passPidfd,
        Optional<Boolean> ipv6Only,
        Map<SocketOption, String> options,
        UnitSection.StartLimit triggerLimit,
        UnitSection.StartLimit pollLimit) {

    /** The owner of the nodes; an empty one is the manager's user or group. */
    public record Owner(Optional<String> user, Optional<String> group) {}

    /** One address that the socket listens on. */
    public record Listen(Kind kind, ListenAddress address) {
        /** The kinds of addresses. */
        public enum Kind {
            STREAM("Stream"),
            DATAGRAM("Datagram"),
            SEQUENTIAL_PACKET("SequentialPacket"),
            FIFO("FIFO"),
            NETLINK("Netlink"),
            SPECIAL("Special"),
            MESSAGE_QUEUE("MessageQueue"),
            USB_FUNCTION("USBFunction");

            private final String word;

            Kind(String word) {
                this.word = word;
            }

            /** {@return systemd's word: its directive without {@code Listen}} */
            public String word() {
                return word;
            }

            /** {@return whether the manager can listen in this way} */
            public boolean isSupported() {
                return switch (this) {
                    case STREAM,
                            DATAGRAM,
                            SEQUENTIAL_PACKET,
                            FIFO,
                            NETLINK,
                            SPECIAL,
                            MESSAGE_QUEUE ->
                            true;
                    case USB_FUNCTION -> false;
                };
            }

            public boolean isSocket() {
                return isConnected() || this == DATAGRAM || this == NETLINK;
            }

            /** {@return whether it makes a separate connection for each client} */
            public boolean isConnected() {
                return this == STREAM || this == SEQUENTIAL_PACKET;
            }
        }

        static Listen parse(Kind kind, String text) {
            ListenAddress address =
                    switch (kind) {
                        case STREAM, DATAGRAM, SEQUENTIAL_PACKET, FIFO -> ListenAddress.parse(text);
                        case NETLINK -> ListenAddress.Netlink.parse(text);
                        case SPECIAL -> new ListenAddress.Node(Scalars.parsePath(text));
                        case MESSAGE_QUEUE -> ListenAddress.Queue.parse(text);
                        case USB_FUNCTION -> new ListenAddress.Other(text);
                    };
            if (kind == Kind.FIFO && !(address instanceof ListenAddress.Node)) {
                throw Scalars.bad("an absolute path", text);
            }
            if (kind == Kind.SEQUENTIAL_PACKET && address instanceof ListenAddress.Port) {
                throw Scalars.bad("a path or an abstract name", text);
            }
            return new Listen(kind, address);
        }

        /** {@return {@code /run/x.sock (Stream)}} */
        @Override
        public String toString() {
            return address + " (" + kind.word() + ")";
        }
    }

    public SocketSection {
        listens = List.copyOf(listens);
        symlinks = List.copyOf(symlinks);
        options = Collections.unmodifiableMap(new LinkedHashMap<>(options));
    }

    /** {@return the value of an option of numbers; 0 if it is not set} */
    public long number(SocketOption option) {
        return Long.parseLong(options.getOrDefault(option, "0"));
    }

    public boolean has(SocketOption flag) {
        return number(flag) != 0;
    }

    /** {@return the paths that the socket is bound to} */
    public List<String> nodes() {
        return listens.stream()
                .filter(listen -> listen.kind() != Listen.Kind.SPECIAL)
                .flatMap(listen ->
                        listen.address() instanceof ListenAddress.Node(String path)
                                ? Stream.of(path)
                                : Stream.of())
                .toList();
    }
}
