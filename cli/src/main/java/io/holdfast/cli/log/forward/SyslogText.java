package io.holdfast.cli.log.forward;

import io.holdfast.journal.Entry;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/**
 * The text of a message after RFC 5424. The unit, its run and the user that the receiver has
 * attributed are structured data: {@code [journal@32473 unit="nginx.service" …]}, with the
 * enterprise number that RFC 5612 reserves for those who have none.
 */
final class SyslogText {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'", Locale.ROOT)
                    .withZone(ZoneOffset.UTC);
    private static final int FACILITIES = 24;
    private static final int USER = 1;
    private static final int LEVELS = 8;
    private static final int HOST = 255; // characters, as the grammar of the RFC permits
    private static final int PROGRAM = 48;
    private static final int PROCESS = 128;

    private SyslogText() {}

    static String of(Entry entry) {
        int facility = ForwardedText.number(entry, "SYSLOG_FACILITY", FACILITIES, USER);
        return "<"
                + (facility * LEVELS + ForwardedText.level(entry))
                + ">1 "
                + TIME.format(entry.realtime())
                + " "
                + word(entry.text("_HOSTNAME").orElse(""), HOST)
                + " "
                + word(
                        entry.text("SYSLOG_IDENTIFIER").or(() -> entry.text("_COMM")).orElse(""),
                        PROGRAM)
                + " "
                + word(entry.text("_PID").or(() -> entry.text("SYSLOG_PID")).orElse(""), PROCESS)
                + " - "
                + data(entry)
                + " "
                + ForwardedText.message(entry);
    }

    private static String data(Entry entry) {
        StringBuilder data = new StringBuilder();
        add(data, "unit", entry, "_SYSTEMD_UNIT");
        add(data, "invocation", entry, "_SYSTEMD_INVOCATION_ID");
        add(data, "uid", entry, "_UID");
        return data.isEmpty() ? "-" : "[journal@32473" + data + "]";
    }

    private static void add(StringBuilder data, String name, Entry entry, String field) {
        entry.text(field)
                .ifPresent(value ->
                        data.append(' ')
                                .append(name)
                                .append("=\"")
                                .append(value.replaceAll("[\"\\\\\\]]", "\\\\$0"))
                                .append('"'));
    }

    /** Returns a word of printable ASCII; others are replaced, and none is a hyphen. */
    private static String word(String text, int most) {
        String word = text.replaceAll("[^!-~]", "?");
        return word.isEmpty() ? "-" : word.substring(0, Math.min(most, word.length()));
    }
}
