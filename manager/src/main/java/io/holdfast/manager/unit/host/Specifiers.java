package io.holdfast.manager.unit.host;

import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitEscape;
import io.holdfast.manager.unit.UnitName;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Expands {@code %} specifiers in the settings of one unit.
 *
 * @param unit the unit of the settings
 * @param fragment the unit file
 * @see <a href="https://www.freedesktop.org/software/systemd/man/systemd.unit.html#Specifiers">
 *     systemd.unit, Specifiers</a>
 */
public record Specifiers(UnitName unit, Optional<Path> fragment, Host host, ManagerScope scope) {
    /** The maximum characters of an expanded text. */
    public static final int MAX_LENGTH = 1 << 20;

    /**
     * Expands every specifier. A {@code %} before a character that is neither letter nor digit
     * stays.
     *
     * @throws IllegalArgumentException for an unknown specifier, one that has no value here, or too
     *     long a result
     */
    public String expand(String text) {
        int percent = text.indexOf('%');
        if (percent < 0) {
            return text;
        }
        StringBuilder expanded = new StringBuilder(text.length() + 32);
        int copied = 0;
        for (; percent >= 0 && percent + 1 < text.length(); percent = text.indexOf('%', copied)) {
            expanded.append(text, copied, percent);
            char c = text.charAt(percent + 1);
            if (c == '%') {
                expanded.append('%');
            } else if (isLetterOrDigit(c)) {
                expanded.append(value(c));
            } else {
                expanded.append('%').append(c);
            }
            copied = percent + 2;
            if (expanded.length() > MAX_LENGTH) {
                throw new IllegalArgumentException(
                        "longer than " + MAX_LENGTH + " characters with its specifiers expanded");
            }
        }
        return expanded.append(text, copied, text.length()).toString();
    }

    private static boolean isLetterOrDigit(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    }

    private String value(char specifier) {
        ManagerScope.Account account = scope.account();
        return switch (specifier) {
            case 'a' -> known(specifier, "architecture", host.architecture());
            case 'A' -> os("IMAGE_VERSION");
            case 'b' -> known(specifier, "boot id", host.bootId());
            case 'B' -> os("BUILD_ID");
            case 'C' -> scope.cacheDirectory();
            case 'd' -> scope.runtimeDirectory() + "/credentials/" + unit;
            case 'D' -> scope.sharedDataDirectory();
            case 'E' -> scope.configurationDirectory();
            case 'f' -> path(unit.instance().orElse(unit.prefix()));
            case 'g' -> account.group();
            case 'G' -> String.valueOf(account.gid());
            case 'h' -> account.home();
            case 'H' -> known(specifier, "host name", host.hostName());
            case 'i' -> unit.instance().orElse("");
            case 'I' -> UnitEscape.unescape(unit.instance().orElse(""));
            case 'j' -> lastOfPrefix();
            case 'J' -> UnitEscape.unescape(lastOfPrefix());
            case 'l' -> known(specifier, "host name", host.shortHostName());
            case 'L' -> scope.logsDirectory();
            case 'm' -> known(specifier, "machine id", host.machineId());
            case 'M' -> os("IMAGE_ID");
            case 'n' -> unit.text();
            case 'N' -> unit.stem();
            case 'o' -> os("ID");
            case 'p' -> unit.prefix();
            case 'P' -> UnitEscape.unescape(unit.prefix());
            case 'q' -> known(specifier, "host name", host.prettyName());
            case 's' -> account.shell();
            case 'S' -> scope.stateDirectory();
            case 't' -> scope.runtimeDirectory();
            case 'T' -> scope.temporaryDirectory();
            case 'u' -> account.name();
            case 'U' -> String.valueOf(account.uid());
            case 'v' -> known(specifier, "kernel release", host.kernelRelease());
            case 'V' -> scope.largeTemporaryDirectory();
            case 'w' -> os("VERSION_ID");
            case 'W' -> os("VARIANT_ID");
            case 'y' -> file(specifier).toString();
            case 'Y' -> String.valueOf(file(specifier).getParent());
            case 'c', 'r', 'R' ->
                    throw new IllegalArgumentException(
                            "%"
                                    + specifier
                                    + " is not supported: a path of cgroups is known only at run"
                                    + " time, and systemd deprecates it");
            default ->
                    throw new IllegalArgumentException(
                            "unknown specifier %" + specifier + " (%% stands for a percent sign)");
        };
    }

    private static String known(char specifier, String what, String value) {
        if (value.isEmpty()) {
            throw new IllegalArgumentException(
                    "%" + specifier + " has no value: this machine's " + what + " is not known");
        }
        return value;
    }

    private String os(String variable) {
        return host.osRelease().getOrDefault(variable, "");
    }

    private String lastOfPrefix() {
        return unit.prefix().substring(unit.prefix().lastIndexOf('-') + 1);
    }

    private static String path(String escaped) {
        String text = UnitEscape.unescape(escaped);
        return text.startsWith("/") ? text : "/" + text;
    }

    private Path file(char specifier) {
        return fragment.orElseThrow(() ->
                new IllegalArgumentException(
                        "%" + specifier + " has no value: the unit has no file"));
    }
}
