package io.holdfast.cli.log.forward;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.cli.command.ForwardLimits;
import io.holdfast.journal.Entry;
import io.holdfast.journal.Field;
import java.util.Arrays;
import java.util.Optional;

/** The parts of an entry that collectors show, within the limits. */
final class ForwardedText {
    private static final int LEVELS = 8;
    private static final int INFO = 6;

    private ForwardedText() {}

    /** Returns the bytes of a field, at most {@link ForwardLimits#FIELD} of them. */
    static byte[] bytes(Field field) {
        byte[] value = field.value();
        int most = ForwardLimits.FIELD.intValue();
        return value.length <= most ? value : Arrays.copyOf(value, most);
    }

    /** Returns a field as text; what is not UTF-8 is replaced by U+FFFD. */
    static String text(Field field) {
        return new String(bytes(field), UTF_8);
    }

    static String message(Entry entry) {
        return entry.field("MESSAGE").map(ForwardedText::text).orElse("");
    }

    /** Returns the level of syslog, 0 (emerg) to 7 (debug). */
    static int level(Entry entry) {
        return number(entry, "PRIORITY", LEVELS, INFO);
    }

    /** Returns a number below a bound; another value for what is none. */
    static int number(Entry entry, String field, int bound, int otherwise) {
        return entry.text(field)
                .filter(text -> text.matches("[0-9]{1,3}"))
                .map(Integer::parseInt)
                .filter(number -> number < bound)
                .orElse(otherwise);
    }

    /** Returns the unit, or the identifier of a program that belongs to none. */
    static Optional<String> service(Entry entry) {
        return entry.text("_SYSTEMD_UNIT").or(() -> entry.text("SYSLOG_IDENTIFIER"));
    }
}
