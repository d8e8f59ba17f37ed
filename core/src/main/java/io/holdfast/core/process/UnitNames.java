package io.holdfast.core.process;

import java.util.Set;

/**
 * What counts as a unit name, after systemd.unit(5): the grammar that tells a unit's cgroup from
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

    /** {@code getty.service}: a name that a unit file bears and that runs as it is. */
    static boolean isPlain(String name) {
        return isUnit(name) && name.indexOf('@') < 0;
    }

    /** {@code getty@tty1.service}; the template {@code getty@.service} is none. */
    static boolean isInstance(String name) {
        int at = name.indexOf('@');
        return isUnit(name) && at > 0 && at + 1 < name.lastIndexOf('.');
    }

    /**
     * {@code a-b.slice}, {@code -.slice}: a slice that can have been configured. Its dashes name
     * its place in the tree, so none may lead, trail or stand double.
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
