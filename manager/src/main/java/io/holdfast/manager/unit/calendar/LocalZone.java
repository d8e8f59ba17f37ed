package io.holdfast.manager.unit.calendar;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The time zone of the machine.
 *
 * @param id as the JDK knows it
 * @param standardName its abbreviation out of daylight saving time, such as {@code CET}
 * @param daylightName its abbreviation in daylight saving time; empty if it has none
 */
public record LocalZone(ZoneId id, String standardName, String daylightName) {
    /** The zone of a machine that has none. */
    public static final LocalZone UTC = new LocalZone(ZoneOffset.UTC, "UTC", "");

    private static final Path DATABASE = Path.of("/usr/share/zoneinfo");
    private static final Path LINK = Path.of("/etc/localtime");

    /** Names of the database that the JDK has only as aliases. */
    private static final Set<String> ALIASES = Set.of("EST", "MST", "HST");

    /** The largest file of the database is below 4 KiB. */
    private static final int MOST_BYTES = 64 * 1024;

    /** The abbreviations at the beginning of a POSIX rule: {@code CET-1CEST,M3.5.0,M10.5.0/3}. */
    private static final Pattern NAMES =
            Pattern.compile("(<[^>]+>|[A-Za-z]+)[-+0-9:]+(<[^>]+>|[A-Za-z]+)?.*");

    /** Returns whether the tz database has a zone. */
    static boolean isKnown(String name) {
        return ZoneId.getAvailableZoneIds().contains(name) || ALIASES.contains(name);
    }

    /** Returns a zone that {@linkplain #isKnown is known}. */
    static ZoneId zone(String name) {
        return ZoneId.of(name, ZoneId.SHORT_IDS);
    }

    /** Reads the zone from {@code TZ} or {@code /etc/localtime}. Blocking. */
    public static LocalZone read() {
        String variable = System.getenv("TZ");
        return of(
                variable == null || variable.isEmpty()
                        ? linked()
                        : variable.replaceFirst("^:", ""));
    }

    /** Returns the zone with a name of the tz database; UTC if there is none. */
    public static LocalZone of(String name) {
        if (!isKnown(name)) {
            return UTC;
        }
        Matcher names = NAMES.matcher(posixRule(DATABASE.resolve(name)));
        return names.matches()
                ? new LocalZone(zone(name), plain(names.group(1)), plain(names.group(2)))
                : new LocalZone(zone(name), "", "");
    }

    private static String plain(@Nullable String name) {
        return name == null ? "" : name.replaceAll("[<>]", "");
    }

    private static String linked() {
        try {
            Path target = LINK.resolveSibling(Files.readSymbolicLink(LINK)).normalize();
            return target.startsWith(DATABASE) ? DATABASE.relativize(target).toString() : "UTC";
        } catch (IOException e) {
            return "UTC";
        }
    }

    /** Returns the rule in the last line of a file in the format of tzfile(5). */
    private static String posixRule(Path file) {
        try {
            byte[] bytes = Files.size(file) > MOST_BYTES ? new byte[0] : Files.readAllBytes(file);
            String text = new String(bytes, StandardCharsets.ISO_8859_1).stripTrailing();
            return text.substring(text.lastIndexOf('\n') + 1);
        } catch (IOException e) {
            return "";
        }
    }
}
