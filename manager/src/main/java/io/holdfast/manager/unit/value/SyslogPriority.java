package io.holdfast.manager.unit.value;

import java.util.List;

/** The words of syslog(3) for levels and facilities. */
public final class SyslogPriority {
    /** The facility of daemons. */
    public static final int DAEMON = 3;

    /** The level of informational messages. */
    public static final int INFO = 6;

    private static final int MOST_FACILITY = 127;
    private static final int FIRST_LOCAL = 16;

    private static final List<String> LEVELS =
            List.of("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug");

    private static final List<String> FACILITIES =
            List.of(
                    "kern",
                    "user",
                    "mail",
                    "daemon",
                    "auth",
                    "syslog",
                    "lpr",
                    "news",
                    "uucp",
                    "cron",
                    "authpriv",
                    "ftp");

    private SyslogPriority() {}

    /**
     * Parses a level: a word or a number.
     *
     * @return 0 (emerg) to 7 (debug)
     */
    public static int level(String text) {
        int named = LEVELS.indexOf(text);
        return named < 0 ? Scalars.parseInt(text, 0, LEVELS.size() - 1) : named;
    }

    /**
     * Parses a facility: a word or a number.
     *
     * @return 0 to 127
     */
    public static int facility(String text) {
        int named = FACILITIES.indexOf(text);
        if (named >= 0) {
            return named;
        }
        if (text.matches("local[0-7]")) {
            return FIRST_LOCAL + text.charAt(text.length() - 1) - '0';
        }
        return Scalars.parseInt(text, 0, MOST_FACILITY);
    }
}
