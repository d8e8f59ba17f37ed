package io.holdfast.interop.hostility;

import io.holdfast.core.testkit.Gen;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Strings that a caller might send: chosen by the name of the argument, or from all of them if it
 * has no name.
 *
 * @param units the names of loaded units
 * @param interfaces the interfaces of the face
 * @param properties their properties
 */
record Words(List<String> units, List<String> interfaces, List<String> properties) {
    private static final List<String> ODD =
            List.of("", "*", "x".repeat(8 << 10), "\u00e4\u4f60", "no-such.service", "../../etc");
    private static final List<String> MODES = List.of("replace", "fail", "isolate", "nonsense");
    private static final List<String> STATES = List.of("active", "enabled", "static", "nonsense");
    private static final List<String> ACTIONS =
            List.of(
                    "org.freedesktop.systemd1.manage-units",
                    "org.freedesktop.hostname1.set-hostname",
                    "no.such.action");
    private static final List<String> NAMES =
            List.of(
                    "org.freedesktop.systemd1",
                    "org.freedesktop.PolicyKit1",
                    "org.freedesktop.DBus",
                    ":1.0",
                    "org.example.Nobody");
    private static final List<String> RULES =
            List.of("type='signal'", "arg0='x'", "path_namespace='/org'", "eavesdrop='true'");

    /** Returns a string for an argument of that name, which may be empty. */
    String next(Gen gen, String argument) {
        if (gen.chance(0.15)) {
            return gen.oneOf(ODD);
        }
        String name = argument.toLowerCase(Locale.ROOT);
        if (name.contains("interface")) {
            return gen.oneOf(interfaces);
        } else if (name.contains("property")) {
            return gen.oneOf(properties);
        } else if (name.equals("mode")) {
            return gen.oneOf(MODES);
        } else if (name.contains("state")) {
            return gen.oneOf(STATES);
        } else if (name.contains("action")) {
            return gen.oneOf(ACTIONS);
        } else if (name.contains("unit") || name.startsWith("name")) {
            return gen.oneOf(units);
        }
        return gen.oneOf(all());
    }

    private List<String> all() {
        List<String> all = new ArrayList<>();
        for (List<String> some :
                List.of(units, interfaces, MODES, STATES, ACTIONS, NAMES, RULES, ODD)) {
            all.addAll(some);
        }
        return all;
    }
}
