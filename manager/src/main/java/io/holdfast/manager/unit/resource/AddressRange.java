package io.holdfast.manager.unit.resource;

import io.holdfast.manager.unit.value.Scalars;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Map;

/**
 * The IP addresses that begin with the same bits.
 *
 * @param network the first one
 * @param prefix the number of bits
 */
public record AddressRange(InetAddress network, int prefix) {
    private static final Map<String, List<String>> NAMES =
            Map.of(
                    "any", List.of("0.0.0.0/0", "::/0"),
                    "localhost", List.of("127.0.0.0/8", "::1/128"),
                    "link-local", List.of("169.254.0.0/16", "fe80::/64"),
                    "multicast", List.of("224.0.0.0/4", "ff00::/8"));

    /**
     * Returns the ranges of an address, of an address and a prefix length, or of a name.
     *
     * @throws IllegalArgumentException if it is none of these
     */
    public static List<AddressRange> parse(String text) {
        List<String> named = NAMES.get(text);
        return named == null
                ? List.of(parseOne(text))
                : named.stream().map(AddressRange::parseOne).toList();
    }

    private static AddressRange parseOne(String text) {
        int slash = text.indexOf('/');
        String address = slash < 0 ? text : text.substring(0, slash);
        boolean isNumeric =
                address.matches("\\d{1,3}(\\.\\d{1,3}){3}")
                        || (address.matches("[0-9a-fA-F:.]+") && address.contains(":"));
        if (!isNumeric) {
            throw Scalars.bad("an IP address, any, localhost, link-local or multicast", text);
        }
        byte[] bytes = InetAddress.ofLiteral(address).getAddress();
        int bits = bytes.length * Byte.SIZE;
        return of(bytes, slash < 0 ? bits : Scalars.parseInt(text.substring(slash + 1), 0, bits));
    }

    /**
     * Returns the range that an address is in.
     *
     * @param address of 4 or 16 bytes
     * @throws IllegalArgumentException if the address has not as many bits
     */
    public static AddressRange of(byte[] address, int prefix) {
        byte[] network = address.clone();
        if (prefix < 0 || prefix > network.length * Byte.SIZE) {
            throw Scalars.bad("a prefix length", Integer.toString(prefix));
        }
        for (int bit = prefix; bit < network.length * Byte.SIZE; bit++) {
            network[bit / Byte.SIZE] &= (byte) ~(0x80 >> (bit % Byte.SIZE));
        }
        try {
            return new AddressRange(InetAddress.getByAddress(network), prefix);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("not an IP address", e);
        }
    }

    /** Returns the bytes of the first address. */
    public byte[] bytes() {
        return network.getAddress();
    }

    @Override
    public String toString() {
        return network.getHostAddress() + "/" + prefix;
    }
}
