package io.holdfast.core.process;

import java.util.Set;

/**
 * The grammar of unit names, after systemd.unit(5), by which a unit's cgroup is distinguished from
 * any other directory.
 */
final class UnitNames {
    private static final int MAX_BYTES = 255;
    private static final Set<String> SUFFIXES =
            Set.of(
                    "service",
                    "socket",
                    "target",
                    "device",
                    "mount",
                    "automount",
                    "swap",
                    "timer",
                    "path",
                    "slice",
                    "scope");

    private UnitNames() {}

    /**
     * Returns whether it is a plain unit name such as {@code getty.service}: neither a template nor
     * an instance.
     */
    static boolean isPlain(String name) {
        return isUnit(name) && name.indexOf('@') < 0;
    }

    /**
     * Returns whether it is an instance such as {@code getty@tty1.service}; the template {@code
     * getty@.service} is not one.
     */
    static boolean isInstance(String name) {
        int at = name.indexOf('@');
        return isUnit(name) && at > 0 && at + 1 < name.lastIndexOf('.');
    }

    /**
     * Returns whether it is a valid slice name such as {@code a-b.slice} or {@code -.slice}. The
     * dashes separate the levels of the tree, so there may be no leading, trailing or double dash.
     */
    static boolean isSlice(String name) {
        if (!isPlain(name) || !name.endsWith(".slice")) {
            return false;
        }
        String stem = name.substring(0, name.length() - ".slice".length());
        return stem.equals("-")
                || !(stem.startsWith("-") || stem.endsWith("-") || stem.contains("--"));
    }

    private static boolean isUnit(String name) {
        int dot = name.lastIndexOf('.');
        return dot > 0
                && name.length() <= MAX_BYTES
                && SUFFIXES.contains(name.substring(dot + 1))
                && name.chars().limit(dot).allMatch(UnitNames::isNameCharacter);
    }

    private static boolean isNameCharacter(int c) {
        return isLetterOrDigit(c) || ":-_.\\@".indexOf(c) >= 0;
    }

    static boolean isLetterOrDigit(int c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    }
}
