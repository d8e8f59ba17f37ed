package io.holdfast.manager.systemd1.format;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.manager.unit.UnitName;
import java.io.ByteArrayOutputStream;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalLong;

/** The names of the interface, and the paths of its objects. */
public final class Names {
    public static final String SERVICE = "org.freedesktop.systemd1";
    public static final String MANAGER = SERVICE + ".Manager";
    public static final String UNIT = SERVICE + ".Unit";
    public static final String OWN_UNIT = "io.holdfast.Unit";
    public static final String JOB = SERVICE + ".Job";
    public static final String ACTIVATOR = SERVICE + ".Activator";
    public static final String LOG_CONTROL = "org.freedesktop.LogControl1";
    public static final String PROPERTIES = "org.freedesktop.DBus.Properties";

    public static final String MANAGER_PATH = "/org/freedesktop/systemd1";
    public static final String UNITS_PATH = MANAGER_PATH + "/unit";
    public static final String JOBS_PATH = MANAGER_PATH + "/job";
    public static final String LOG_CONTROL_PATH = "/org/freedesktop/LogControl1";

    private static final HexFormat HEX = HexFormat.of();

    private Names() {}

    /** Returns the interface of a type of unit: {@code org.freedesktop.systemd1.Service}. */
    public static String ofType(UnitName unit) {
        String type = unit.type().suffix().substring(1);
        return SERVICE + "." + Character.toUpperCase(type.charAt(0)) + type.substring(1);
    }

    public static String path(UnitName unit) {
        return UNITS_PATH + "/" + escape(unit.text());
    }

    /** Returns the path of a job; {@code /} for none. */
    public static String jobPath(long id) {
        return id == 0 ? "/" : JOBS_PATH + "/" + id;
    }

    public static OptionalLong jobAt(String path) {
        String digits = path.substring(Math.min(path.length(), JOBS_PATH.length() + 1));
        return digits.matches("[1-9][0-9]{0,17}")
                ? OptionalLong.of(Long.parseLong(digits))
                : OptionalLong.empty();
    }

    /**
     * Returns the label of a path below {@link #UNITS_PATH}: the name of a unit, or its invocation
     * id.
     */
    public static Optional<String> labelAt(String path) {
        return unescape(path.substring(Math.min(path.length(), UNITS_PATH.length() + 1)));
    }

    /**
     * Escapes one element of a path: every byte that is not a letter or digit, and a digit at the
     * beginning, becomes {@code _} and two hexadecimal digits; an empty label becomes {@code _}.
     */
    static String escape(String label) {
        byte[] bytes = label.getBytes(UTF_8);
        if (bytes.length == 0) {
            return "_";
        }
        StringBuilder escaped = new StringBuilder(bytes.length + 16);
        for (int i = 0; i < bytes.length; i++) {
            byte b = bytes[i];
            boolean letter = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z');
            if (letter || (i > 0 && b >= '0' && b <= '9')) {
                escaped.append((char) b);
            } else {
                escaped.append('_');
                HEX.toHexDigits(escaped, b);
            }
        }
        return escaped.toString();
    }

    /** Reverses {@link #escape}; empty if the element cannot be a result of it. */
    static Optional<String> unescape(String element) {
        if (element.equals("_")) {
            return Optional.of("");
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(element.length());
        for (int i = 0; i < element.length(); i++) {
            char c = element.charAt(i);
            if (c != '_') {
                if (c == '/' || c >= 0x80) {
                    return Optional.empty();
                }
                bytes.write(c);
            } else if (i + 2 < element.length()
                    && HexFormat.isHexDigit(element.charAt(i + 1))
                    && HexFormat.isHexDigit(element.charAt(i + 2))) {
                bytes.write(HexFormat.fromHexDigits(element, i + 1, i + 3));
                i += 2;
            } else {
                return Optional.empty();
            }
        }
        return element.isEmpty() ? Optional.empty() : Optional.of(bytes.toString(UTF_8));
    }
}
