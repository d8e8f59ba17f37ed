package io.holdfast.manager.unit.value;

import java.util.List;

/**
 * The address families of linux/socket.h, by the names that {@code RestrictAddressFamilies=} has.
 */
public final class AddressFamily {
    /** By number. */
    private static final List<String> NAMES =
            List.of(
                    "AF_UNSPEC AF_UNIX AF_INET AF_AX25 AF_IPX AF_APPLETALK AF_NETROM AF_BRIDGE"
                            .concat(" AF_ATMPVC AF_X25 AF_INET6 AF_ROSE AF_DECnet AF_NETBEUI")
                            .concat(" AF_SECURITY AF_KEY AF_NETLINK AF_PACKET AF_ASH AF_ECONET")
                            .concat(" AF_ATMSVC AF_RDS AF_SNA AF_IRDA AF_PPPOX AF_WANPIPE AF_LLC")
                            .concat(" AF_IB AF_MPLS AF_CAN AF_TIPC AF_BLUETOOTH AF_IUCV AF_RXRPC")
                            .concat(" AF_ISDN AF_PHONET AF_IEEE802154 AF_CAIF AF_ALG AF_NFC")
                            .concat(" AF_VSOCK AF_KCM AF_QIPCRTR AF_SMC AF_XDP AF_MCTP")
                            .split(" "));

    private AddressFamily() {}

    /**
     * {@return the number of a family}
     *
     * @throws IllegalArgumentException if there is no family of that name
     */
    public static int number(String name) {
        String usual =
                switch (name) {
                    case "AF_LOCAL" -> "AF_UNIX";
                    case "AF_ROUTE" -> "AF_NETLINK";
                    default -> name;
                };
        int number = NAMES.indexOf(usual);
        if (number < 1) {
            throw Scalars.unknown("an address family", name, NAMES);
        }
        return number;
    }

    public static String name(int number) {
        return NAMES.get(number);
    }
}
