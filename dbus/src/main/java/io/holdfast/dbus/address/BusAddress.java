package io.holdfast.dbus.address;

import io.holdfast.core.socket.UnixAddress;
import io.holdfast.dbus.address.transport.AddressText;
import io.holdfast.dbus.address.transport.Transport;
import io.holdfast.dbus.wire.sasl.SaslServer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The address of a bus, to connect to or to listen on: one of a list such as {@code
 * unix:path=/run/dbus/system_bus_socket,guid=…;unix:abstract=/tmp/dbus-x}. Immutable.
 */
public final class BusAddress {
    private static final String SYSTEM = "unix:path=/run/dbus/system_bus_socket";

    private final Transport transport;
    private final Optional<String> guid;

    private BusAddress(Transport transport, Optional<String> guid) {
        this.transport = transport;
        this.guid = guid.map(g -> g.toLowerCase(Locale.ROOT));
        if (this.guid.isPresent() && !SaslServer.isGuid(this.guid.get())) {
            throw new BusAddressException(
                    "D-Bus address: guid=" + this.guid.get() + " is not 32 hexadecimal digits");
        }
    }

    /**
     * {@return the address of a socket file}
     *
     * @param path the path of the file
     */
    public static BusAddress ofPath(String path) {
        return new BusAddress(
                new Transport.SocketFile(new UnixAddress.PathName(path)), Optional.empty());
    }

    /**
     * Parses a list of addresses, which are to be tried in turn.
     *
     * @param text the text of the addresses
     * @return the addresses
     * @throws BusAddressException if an address is malformed. A transport that is not supported is
     *     refused when it is used; the other addresses can still be used
     */
    public static List<BusAddress> parseList(String text) {
        List<BusAddress> list = new ArrayList<>();
        String[] parts = text.split(";", -1);
        for (int i = 0; i < parts.length; i++) {
            if (!parts[i].isEmpty()) {
                list.add(parse(parts[i]));
            } else if (i < parts.length - 1 || parts.length == 1) {
                throw new BusAddressException(
                        "D-Bus addresses \"%s\": number %d is empty".formatted(text, i + 1));
            }
        }
        return List.copyOf(list);
    }

    /**
     * Parses a single address.
     *
     * @param text the text of the address
     * @return the address
     * @throws BusAddressException if the address is malformed
     */
    public static BusAddress parse(String text) {
        AddressText read = AddressText.parse(text);
        return new BusAddress(Transport.of(read), Optional.ofNullable(read.keys().get("guid")));
    }

    /**
     * {@return the addresses of the system bus: {@code DBUS_SYSTEM_BUS_ADDRESS}, or the well-known
     * address}
     *
     * @throws BusAddressException if the variable is malformed
     */
    public static List<BusAddress> system() {
        return system(System.getenv());
    }

    static List<BusAddress> system(Map<String, String> environment) {
        String set = environment.getOrDefault("DBUS_SYSTEM_BUS_ADDRESS", "");
        return parseList(set.isEmpty() ? SYSTEM : set);
    }

    /**
     * {@return the addresses of the session bus: {@code DBUS_SESSION_BUS_ADDRESS}, or {@code bus}
     * in {@code XDG_RUNTIME_DIR}}
     *
     * @throws BusAddressException if the variable is malformed, or neither is set
     */
    public static List<BusAddress> session() {
        return session(System.getenv());
    }

    static List<BusAddress> session(Map<String, String> environment) {
        String set = environment.getOrDefault("DBUS_SESSION_BUS_ADDRESS", "");
        return set.isEmpty()
                ? List.of(ofPath(Transport.runtimeSocket(environment)))
                : parseList(set);
    }

    /**
     * {@return the same address with the GUID of its server}
     *
     * @param id the GUID, 32 lower-case hexadecimal digits
     */
    public BusAddress withGuid(String id) {
        return new BusAddress(transport, Optional.of(id));
    }

    /** {@return the GUID that the server must have, 32 lower-case hexadecimal digits} */
    public Optional<String> guid() {
        return guid;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof BusAddress that
                && transport.equals(that.transport)
                && guid.equals(that.guid);
    }

    @Override
    public int hashCode() {
        return transport.hashCode() ^ guid.hashCode();
    }

    /** Returns the text of the address, escaped. */
    @Override
    public String toString() {
        return transport.text(guid);
    }
}
