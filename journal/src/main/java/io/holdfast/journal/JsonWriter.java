package io.holdfast.journal;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes entries as JSON, one object on a line, with the same members as {@code journalctl -o json
 * --all}: a value that is no printable text is an array of bytes, and a field that occurs several
 * times is an array of values. Not thread-safe.
 */
public final class JsonWriter implements AutoCloseable {
    private static final int FLUSH = 64 << 10;

    private final OutputStream out;
    private final StringBuilder text = new StringBuilder();

    /**
     * Makes a writer.
     *
     * @param out the stream, which the writer owns
     */
    public JsonWriter(OutputStream out) {
        this.out = out;
    }

    /**
     * Writes an entry and the end of its line.
     *
     * @param entry the entry
     * @throws IOException if the stream cannot be written
     */
    public void write(Entry entry) throws IOException {
        text.append('{');
        if (entry.seqnum() != 0) {
            member("__CURSOR", entry.cursor().toString());
        }
        member("__REALTIME_TIMESTAMP", Long.toString(entry.realtimeMicros()));
        member("__MONOTONIC_TIMESTAMP", Long.toString(entry.monotonicMicros()));
        if (entry.seqnum() != 0) {
            member("__SEQNUM", Long.toUnsignedString(entry.seqnum()));
            member("__SEQNUM_ID", entry.seqnumId().toString());
        }
        member("_BOOT_ID", entry.bootId().toString());
        Map<String, List<Field>> byName = new LinkedHashMap<>();
        for (Field field : entry.fieldArray()) {
            if (!field.hasName("_BOOT_ID")) {
                byName.computeIfAbsent(field.name(), _ -> new ArrayList<>(1)).add(field);
            }
        }
        byName.forEach(this::member);
        text.setCharAt(text.length() - 1, '}');
        text.append('\n');
        if (text.length() >= FLUSH) {
            flushText();
        }
    }

    private void member(String name, String value) {
        string(name);
        text.append(':');
        string(value);
        text.append(',');
    }

    private void member(String name, List<Field> values) {
        string(name);
        text.append(':');
        if (values.size() > 1) {
            text.append('[');
        }
        for (Field field : values) {
            value(field);
            text.append(',');
        }
        if (values.size() > 1) {
            text.setCharAt(text.length() - 1, ']');
            text.append(',');
        }
    }

    private void value(Field field) {
        byte[] payload = field.payload();
        if (Utf8.isPrintableText(payload, field.nameLength() + 1, payload.length)) {
            string(field.text());
            return;
        }
        text.append('[');
        for (int i = field.nameLength() + 1; i < payload.length; i++) {
            text.append(payload[i] & 0xff).append(',');
        }
        text.setCharAt(text.length() - 1, ']');
    }

    private void string(String value) {
        text.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            switch (c) {
                case '"' -> text.append("\\\"");
                case '\\' -> text.append("\\\\");
                case '\n' -> text.append("\\n");
                case '\t' -> text.append("\\t");
                default -> {
                    if (c < ' ') {
                        text.append("\\u%04x".formatted((int) c));
                    } else {
                        text.append(c);
                    }
                }
            }
        }
        text.append('"');
    }

    private void flushText() throws IOException {
        out.write(text.toString().getBytes(UTF_8));
        text.setLength(0);
    }

    /**
     * Writes what is buffered, and flushes the stream.
     *
     * @throws IOException if the stream cannot be written
     */
    public void flush() throws IOException {
        flushText();
        out.flush();
    }

    /** Writes what is buffered, and closes the stream. */
    @Override
    public void close() throws IOException {
        try (out) {
            flush();
        }
    }
}
