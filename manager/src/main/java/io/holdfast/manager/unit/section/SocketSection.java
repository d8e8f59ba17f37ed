package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.value.ListenAddress;
import io.holdfast.manager.unit.value.Scalars;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a socket says in {@code [Socket]}.
 *
 * @param listens in the order in which a service gets the descriptors
 * @param owner of {@code SocketUser=} and {@code SocketGroup=}: who the nodes belong to
 * @param mode of the nodes, {@code SocketMode=}
 * @param directoryMode of folders that are made above them
 * @param backlog connections that may wait; the kernel caps it
 * @param accept whether each connection gets an instance of its own
 * @param maxConnections at once, of those
 * @param maxConnectionsPerSource by user (AF_UNIX) or IP address; 0: no limit
 * @param service what is started on traffic; of an accepting socket the template
 * @param descriptorName what the service knows the descriptors by
 * @param removeOnStop whether the nodes go with the socket
 * @param symlinks that lead to the one node
 * @param passCredentials SO_PASSCRED
 * @param passPidfd SO_PASSPIDFD (Linux 6.5)
 * @param ipv6Only whether an IPv6 socket takes no IPv4; empty: as the kernel is set
 * @param triggerLimit how often it may start something; more makes it fail
 * @param pollLimit how often it looks for traffic; more makes it pause
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
        UnitSection.StartLimit triggerLimit,
        UnitSection.StartLimit pollLimit) {

    /** Whose the nodes are; what is empty is the manager's. */
    public record Owner(Optional<String> user, Optional<String> group) {
        /** Whether neither is said: the nodes stay the manager's. */
        public boolean isOurs() {
            return user.isEmpty() && group.isEmpty();
        }
    }

    /** One thing that is listened on. */
    public record Listen(Kind kind, ListenAddress address) {
        /** What it is. */
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

            /** The word of systemd: its directive without {@code Listen}. */
            public String word() {
                return word;
            }

            /** Whether it makes a connection of its own with each client. */
            public boolean isConnected() {
                return this == STREAM || this == SEQUENTIAL_PACKET;
            }

            private boolean isOther() {
                return switch (this) {
                    case STREAM, DATAGRAM, SEQUENTIAL_PACKET, FIFO -> false;
                    case NETLINK, SPECIAL, MESSAGE_QUEUE, USB_FUNCTION -> true;
                };
            }
        }

        static Listen parse(Kind kind, String text) {
            if (kind.isOther()) {
                return new Listen(kind, new ListenAddress.Other(text));
            }
            ListenAddress address = ListenAddress.parse(text);
            if (kind == Kind.FIFO && !(address instanceof ListenAddress.Node)) {
                throw Scalars.bad("an absolute path", text);
            }
            if (kind == Kind.SEQUENTIAL_PACKET && address instanceof ListenAddress.Port) {
                throw Scalars.bad("a path or an abstract name", text);
            }
            return new Listen(kind, address);
        }

        /** {@code /run/x.sock (Stream)}. */
        @Override
        public String toString() {
            return address + " (" + kind.word() + ")";
        }
    }

    public SocketSection {
        listens = List.copyOf(listens);
        symlinks = List.copyOf(symlinks);
    }

    /** The paths that it is bound to. */
    public List<String> nodes() {
        return listens.stream()
                .flatMap(listen ->
                        listen.address() instanceof ListenAddress.Node(String path)
                                ? Stream.of(path)
                                : Stream.of())
                .toList();
    }
}
