package io.holdfast.dbus.address.transport;

import io.holdfast.dbus.address.BusAddressException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The text of one address: {@code transport:key=value,key=value}, with bytes of values escaped as
 * {@code %XX} (D-Bus Specification, "Server Addresses").
 *
 * @param text the whole text, for messages
 * @param keys the values, unescaped
 */
public record AddressText(String text, String transport, Map<String, String> keys) {
    private static final String PLAIN =
            "-_/.\\*0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    /** {@return the parts of an address} */
    public static AddressText parse(String text) {
        int colon = text.indexOf(':');
        if (colon <= 0) {
            throw wrong(text, "it does not begin with a transport, as \"unix:\" is");
        }
        Map<String, String> keys = new LinkedHashMap<>();
        String rest = text.substring(colon + 1);
        if (!rest.isEmpty()) {
            for (String pair : rest.split(",", -1)) {
                int equals = pair.indexOf('=');
                if (equals <= 0) {
                    throw wrong(text, "\"" + pair + "\" is no key=value");
                }
                String key = pair.substring(0, equals);
                String value = unescape(text, key, pair.substring(equals + 1));
                if (keys.putIfAbsent(key, value) != null) {
                    throw wrong(text, "duplicate key " + key);
                }
            }
        }
        return new AddressText(text, text.substring(0, colon), keys);
    }

    private static String unescape(String text, String key, String value) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(value.length());
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (PLAIN.indexOf(c) >= 0) {
                bytes.write(c);
            } else if (c != '%') {
                throw wrong(text, "'%c' in the value of %s must be escaped".formatted(c, key));
            } else if (i + 2 < value.length()
                    && HexFormat.isHexDigit(value.charAt(i + 1))
                    && HexFormat.isHexDigit(value.charAt(i + 2))) {
                bytes.write(HexFormat.fromHexDigits(value, i + 1, i + 3));
                i += 2;
            } else {
                throw wrong(text, "a % without two hexadecimal digits in the value of " + key);
            }
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes.toByteArray()))
                    .toString();
        } catch (CharacterCodingException e) {
            throw wrong(text, "the value of " + key + " is not UTF-8");
        }
    }

    /** {@return the value escaped for an address} */
    public static String escape(String value) {
        StringBuilder escaped = new StringBuilder(value.length());
        for (byte b : value.getBytes(StandardCharsets.UTF_8)) {
            if (PLAIN.indexOf((char) (b & 0xFF)) >= 0) {
                escaped.append((char) b);
            } else {
                escaped.append('%');
                HexFormat.of().toHexDigits(escaped, b);
            }
        }
        return escaped.toString();
    }

    BusAddressException wrong(String reason) {
        return wrong(text, reason);
    }

    private static BusAddressException wrong(String text, String reason) {
        return new BusAddressException("D-Bus address \"" + text + "\": " + reason);
    }
}
