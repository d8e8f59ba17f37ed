package io.holdfast.receiver.input;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.holdfast.journal.Field;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A message of syslog(3), in the form of RFC 3164 that C libraries write ({@code <13>Dec 1 12:00:00
 * name[1234]: text}) or of RFC 5424 ({@code <13>1 2026-12-01T12:00:00Z host name 1234 id - text}).
 * Every part but the text may be missing.
 *
 * @param facility 0 to 23; empty if the message has none
 * @param level 0 (emerg) to 7 (debug)
 * @param pid what the sender claims, for people
 * @param timestamp as it is written
 * @param text without trailing blanks and line feeds
 * @param isWhole whether the text is all that was sent; otherwise {@code SYSLOG_RAW=} has it
 */
@SuppressWarnings("ArrayRecordComponent") // is used once, and never compared
public record SyslogMessage(
        Optional<Integer> facility,
        int level,
        Optional<String> identifier,
        Optional<String> pid,
        Optional<String> timestamp,
        byte[] text,
        boolean isWhole,
        byte[] raw) {
    private static final int NOTICE = 5;
    private static final int USER = 1; // the facility of messages without one
    private static final int LEVELS = 8;
    private static final int MOST_PRIORITY = 191;
    private static final Pattern PRIORITY = Pattern.compile("<([0-9]{1,3})>");
    private static final Pattern TIMESTAMP =
            Pattern.compile("((?:[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2}) )");
    private static final Pattern IDENTIFIER =
            Pattern.compile(" *([^\\s:\\[\\]]{1,255})(?:\\[([^\\s\\]]{0,32})\\])?:(?: |$)");
    private static final Pattern NEWER =
            Pattern.compile("1 (\\S++) (\\S++) (\\S++) (\\S++) (\\S++) (?=[-\\[])");

    /** Parses a message; each text is one. */
    public static SyslogMessage parse(byte[] message) {
        int end = message.length;
        while (end > 0 && (message[end - 1] == '\n' || message[end - 1] == 0)) {
            end--;
        }
        String all = new String(message, 0, end, ISO_8859_1); // one character a byte
        int at = 0;
        Optional<Integer> priority = Optional.empty();
        Matcher number = PRIORITY.matcher(all);
        if (number.lookingAt() && Integer.parseInt(number.group(1)) <= MOST_PRIORITY) {
            priority = Optional.of(Integer.parseInt(number.group(1)));
            at = number.end();
        }
        Matcher newer = NEWER.matcher(all).region(at, all.length());
        if (priority.isPresent() && newer.lookingAt() && structureEnd(all, newer.end()) > 0) {
            return of(
                    message,
                    end,
                    priority,
                    value(newer.group(3)),
                    value(newer.group(4)),
                    value(newer.group(1)),
                    structureEnd(all, newer.end()));
        }
        Optional<String> timestamp = Optional.empty();
        Matcher time = TIMESTAMP.matcher(all).region(at, all.length());
        if (time.lookingAt()) {
            timestamp = Optional.of(time.group(1));
            at = time.end();
        }
        Matcher name = IDENTIFIER.matcher(all).region(at, all.length());
        if (name.lookingAt()) {
            return of(
                    message,
                    end,
                    priority,
                    Optional.of(name.group(1)),
                    Optional.ofNullable(name.group(2)),
                    timestamp,
                    name.end());
        }
        return of(message, end, priority, Optional.empty(), Optional.empty(), timestamp, at);
    }

    /**
     * Returns where the text begins behind structured data, which is {@code -} or elements in
     * brackets; -1 if it has no end.
     */
    private static int structureEnd(String all, int from) {
        int at = from;
        if (all.charAt(at) == '-') {
            at++;
        }
        while (at < all.length() && all.charAt(at) == '[') {
            while (at < all.length() && all.charAt(at) != ']') {
                at += all.charAt(at) == '\\' ? 2 : 1;
            }
            if (at >= all.length()) {
                return -1;
            }
            at++;
        }
        return at < all.length() && all.charAt(at) == ' ' ? at + 1 : at;
    }

    private static Optional<String> value(String word) {
        return word.equals("-") ? Optional.empty() : Optional.of(word);
    }

    private static SyslogMessage of(
            byte[] raw,
            int end,
            Optional<Integer> priority,
            Optional<String> identifier,
            Optional<String> pid,
            Optional<String> timestamp,
            int from) {
        byte[] text = Arrays.copyOfRange(raw, from, Math.max(from, end));
        boolean hasNul = false;
        for (byte each : text) {
            hasNul |= each == 0;
        }
        return new SyslogMessage(
                priority.map(both -> both / LEVELS),
                priority.map(both -> both % LEVELS).orElse(NOTICE),
                identifier,
                pid,
                timestamp,
                text,
                !hasNul,
                raw);
    }

    /** {@return the fields of the entry, without those that the sender cannot set} */
    public List<Field> fields() {
        List<Field> fields = new ArrayList<>();
        fields.add(Field.of("PRIORITY", Integer.toString(level)));
        fields.add(Field.of("SYSLOG_FACILITY", Integer.toString(facility.orElse(USER))));
        identifier.ifPresent(
                name -> fields.add(Field.of("SYSLOG_IDENTIFIER", name.getBytes(ISO_8859_1))));
        pid.ifPresent(claimed -> fields.add(Field.of("SYSLOG_PID", claimed.getBytes(ISO_8859_1))));
        timestamp.ifPresent(
                time -> fields.add(Field.of("SYSLOG_TIMESTAMP", time.getBytes(ISO_8859_1))));
        fields.add(Field.of("MESSAGE", text));
        if (!isWhole) {
            fields.add(Field.of("SYSLOG_RAW", raw));
        }
        return fields;
    }
}
