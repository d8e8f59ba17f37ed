package io.holdfast.receiver.input;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.holdfast.journal.Field;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One record of {@code /dev/kmsg}: {@code 6,339,5140900,-;text}, and lines of the form {@code
 * KEY=value} that name a device. Bytes that are not printable are escaped as {@code \x0a}. A record
 * of another facility than the kernel's was written by a program, whose name is in front of the
 * text.
 *
 * @param sequence of the kernel, which counts all records of a boot
 * @param fields of the entry, without the trusted ones of all entries
 * @see <a href="https://www.kernel.org/doc/Documentation/ABI/testing/dev-kmsg">dev-kmsg</a>
 */
public record KernelRecord(long sequence, List<Field> fields) {
    /** The field of entries that has {@link #sequence}. */
    public static final String SEQUENCE = "_KERNEL_SEQNUM";

    private static final int LEVELS = 8;
    private static final int KERNEL = 0; // the facility
    private static final int MOST_KEYS = 64;
    private static final int HEX = 16;
    private static final int ESCAPE = 4; // characters: \x0a
    private static final Pattern HEAD =
            Pattern.compile("([0-9]{1,9}),([0-9]{1,19}),([0-9]{1,19}),[^;\n]{0,255};");
    private static final Pattern PROGRAM =
            Pattern.compile(" *([^\\s:\\[\\]]{1,255})(?:\\[([^\\s\\]]{0,32})\\])?: ?");

    public KernelRecord {
        fields = List.copyOf(fields);
    }

    /** Parses a record; empty if it is none. */
    public static Optional<KernelRecord> parse(byte[] record, int length) {
        String all = new String(record, 0, length, ISO_8859_1); // one character a byte
        Matcher head = HEAD.matcher(all);
        if (!head.lookingAt()) {
            return Optional.empty();
        }
        try {
            return Optional.of(of(all, head));
        } catch (NumberFormatException e) {
            return Optional.empty(); // more than 63 bits
        }
    }

    private static KernelRecord of(String all, Matcher head) {
        int priority = Integer.parseInt(head.group(1));
        long sequence = Long.parseLong(head.group(2));
        long micros = Long.parseLong(head.group(3));
        String[] lines = all.substring(head.end()).split("\n", MOST_KEYS + 2);
        int facility = priority / LEVELS;
        String text = lines[0];
        List<Field> fields = new ArrayList<>();
        fields.add(Field.of("PRIORITY", Integer.toString(priority % LEVELS)));
        fields.add(Field.of("SYSLOG_FACILITY", Integer.toString(facility)));
        Matcher program = PROGRAM.matcher(text);
        if (facility == KERNEL) {
            fields.add(Field.of("SYSLOG_IDENTIFIER", "kernel"));
        } else if (program.lookingAt()) {
            fields.add(Field.of("SYSLOG_IDENTIFIER", unescaped(program.group(1))));
            if (program.group(2) != null) {
                fields.add(Field.of("SYSLOG_PID", unescaped(program.group(2))));
            }
            text = text.substring(program.end());
        }
        fields.add(Field.of("MESSAGE", unescaped(text)));
        fields.add(Field.of("_SOURCE_BOOTTIME_TIMESTAMP", Long.toString(micros)));
        fields.add(Field.of("_SOURCE_MONOTONIC_TIMESTAMP", Long.toString(micros)));
        fields.add(Field.of(SEQUENCE, Long.toString(sequence)));
        for (int i = 1; i < lines.length && i <= MOST_KEYS; i++) {
            addKey(fields, lines[i]);
        }
        return new KernelRecord(sequence, fields);
    }

    /** Adds what a line says about the device: {@code SUBSYSTEM} and {@code DEVICE}. */
    private static void addKey(List<Field> fields, String line) {
        int equals = line.indexOf('=');
        if (line.startsWith(" ") && equals > 0) {
            String name = "_KERNEL_" + line.substring(1, equals);
            if (Field.isValidName(name)) {
                fields.add(Field.of(name, unescaped(line.substring(equals + 1))));
            }
        }
    }

    private static byte[] unescaped(String text) {
        if (text.indexOf('\\') < 0) {
            return text.getBytes(ISO_8859_1);
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length());
        for (int at = 0; at < text.length(); ) {
            boolean isEscape =
                    text.startsWith("\\x", at)
                            && at + ESCAPE <= text.length()
                            && Character.digit(text.charAt(at + 2), HEX) >= 0
                            && Character.digit(text.charAt(at + 3), HEX) >= 0;
            if (isEscape) {
                bytes.write(Integer.parseInt(text, at + 2, at + ESCAPE, HEX));
                at += ESCAPE;
            } else {
                bytes.write(text.charAt(at++));
            }
        }
        return bytes.toByteArray();
    }
}
