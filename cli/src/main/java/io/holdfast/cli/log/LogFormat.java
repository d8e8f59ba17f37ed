package io.holdfast.cli.log;

import io.holdfast.cli.output.Output;
import io.holdfast.journal.Entry;
import io.holdfast.journal.ExportWriter;
import io.holdfast.journal.Field;
import io.holdfast.journal.JsonWriter;
import java.io.IOException;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** How entries are printed, as by journalctl(1). */
enum LogFormat {
    SHORT("MMM dd HH:mm:ss"),
    SHORT_PRECISE("MMM dd HH:mm:ss.SSSSSS"),
    SHORT_ISO("yyyy-MM-dd'T'HH:mm:ssxxx"),
    VERBOSE("EEE yyyy-MM-dd HH:mm:ss.SSSSSS z"),
    JSON(""),
    CAT(""),
    EXPORT("");

    private static final int ERROR = 3;
    private static final int WARNING = 4;
    private static final int NOTICE = 5;
    private static final int INFO = 6;

    private final DateTimeFormatter time;

    LogFormat(String pattern) {
        time = DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH);
    }

    static List<String> words() {
        return Arrays.stream(values()).map(LogFormat::word).toList();
    }

    String word() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Prints entries. */
    interface Printer extends AutoCloseable {
        void print(Entry entry) throws IOException;

        /** Writes what is buffered. */
        void flush() throws IOException;

        @Override
        default void close() throws IOException {
            flush();
        }
    }

    Printer printer(Output output) {
        return switch (this) {
            case JSON -> {
                JsonWriter writer = new JsonWriter(output.bytes());
                yield printer(writer::write, writer::flush);
            }
            case EXPORT -> {
                ExportWriter writer = new ExportWriter(output.bytes());
                yield printer(writer::write, writer::flush);
            }
            case CAT -> printer(entry -> output.line(message(entry, output)), () -> {});
            case VERBOSE -> printer(entry -> verbose(entry, output), () -> {});
            default -> printer(entry -> line(entry, output), () -> {});
        };
    }

    private interface Write {
        void of(Entry entry) throws IOException;
    }

    private interface Flush {
        void run() throws IOException;
    }

    private static Printer printer(Write write, Flush flush) {
        return new Printer() {
            @Override
            public void print(Entry entry) throws IOException {
                write.of(entry);
            }

            @Override
            public void flush() throws IOException {
                flush.run();
            }
        };
    }

    private String time(Entry entry) {
        return time.format(ZonedDateTime.ofInstant(entry.realtime(), ZoneId.systemDefault()));
    }

    private void line(Entry entry, Output output) {
        String who =
                entry.text("SYSLOG_IDENTIFIER").or(() -> entry.text("_COMM")).orElse("unknown");
        String pid =
                entry.text("_PID")
                        .or(() -> entry.text("SYSLOG_PID"))
                        .map(number -> "[" + number + "]")
                        .orElse("");
        output.line(
                time(entry),
                " ",
                entry.text("_HOSTNAME").orElse("localhost"),
                " ",
                who,
                pid,
                ": ",
                message(entry, output));
    }

    private static Object message(Entry entry, Output output) {
        String text = entry.field("MESSAGE").map(Field::text).orElse("");
        String level = entry.text("PRIORITY").filter(word -> word.matches("[0-7]")).orElse("6");
        return switch (Integer.parseInt(level)) {
            case 0, 1, 2, ERROR -> output.bad(text);
            case WARNING -> output.warning(text);
            case NOTICE -> output.strong(text);
            case INFO -> text;
            default -> output.faint(text);
        };
    }

    private void verbose(Entry entry, Output output) {
        output.line(time(entry), " [", entry.cursor(), "]");
        for (Field field : entry.fields()) {
            output.line("    ", field.name(), "=", field.text());
        }
    }
}
