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
import java.util.function.Function;

/** How entries are printed, as by journalctl(1). */
enum LogFormat {
    SHORT("MMM dd HH:mm:ss"),
    SHORT_PRECISE("MMM dd HH:mm:ss.SSSSSS"),
    SHORT_ISO("yyyy-MM-dd'T'HH:mm:ssxxx"),
    VERBOSE("EEE yyyy-MM-dd HH:mm:ss.SSSSSS z"),
    JSON(""),
    CAT(""),
    EXPORT("");

    private static final int MOST_INDENTED = 128; // columns; a sender chooses its identifier
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
            case CAT -> printer(entry -> lines("", entry, output), () -> {});
            case VERBOSE -> printer(entry -> verbose(entry, output), () -> {});
            default -> printer(entry -> lines(head(entry), entry, output), () -> {});
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

    private String head(Entry entry) {
        String who =
                entry.text("SYSLOG_IDENTIFIER").or(() -> entry.text("_COMM")).orElse("unknown");
        String pid =
                entry.text("_PID")
                        .or(() -> entry.text("SYSLOG_PID"))
                        .map(number -> "[" + number + "]")
                        .orElse("");
        return time(entry)
                + " "
                + entry.text("_HOSTNAME").orElse("localhost")
                + " "
                + who
                + pid
                + ": ";
    }

    /**
     * Prints the message of an entry, if it has one; each further line of it below the first, so
     * that no line of a message looks like another message.
     */
    private static void lines(String head, Entry entry, Output output) {
        entry.field("MESSAGE")
                .ifPresent(message -> {
                    Function<String, Object> style = style(entry, output);
                    String text = message.text();
                    if (text.indexOf('\n') < 0) {
                        output.line(head, style.apply(text));
                        return;
                    }
                    String before = output.rendered(head);
                    for (String line : text.split("\n", -1)) {
                        output.line(before, style.apply(line));
                        before = " ".repeat(Math.min(before.length(), MOST_INDENTED));
                    }
                });
    }

    private static Function<String, Object> style(Entry entry, Output output) {
        String level = entry.text("PRIORITY").filter(word -> word.matches("[0-7]")).orElse("6");
        return switch (Integer.parseInt(level)) {
            case 0, 1, 2, ERROR -> output::bad;
            case WARNING -> output::warning;
            case NOTICE -> output::strong;
            case INFO -> text -> text;
            default -> output::faint;
        };
    }

    private void verbose(Entry entry, Output output) {
        output.line(time(entry), " [", entry.cursor(), "]");
        for (Field field : entry.fields()) {
            String before = "    " + field.name() + "=";
            for (String line : field.text().split("\n", -1)) {
                output.line(before, line);
                before = " ".repeat(before.length());
            }
        }
    }
}
