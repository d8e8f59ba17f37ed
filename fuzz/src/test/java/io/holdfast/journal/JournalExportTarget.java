package io.holdfast.journal;

import static io.holdfast.fuzz.Inputs.require;
import static io.holdfast.fuzz.Inputs.same;
import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.holdfast.fuzz.Bounds;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** The export format: refused with an offset, or equal after writing and reading again. */
public final class JournalExportTarget {
    private JournalExportTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, JournalExportTarget::check);
    }

    private static void check(byte[] input) throws IOException {
        List<Entry> entries;
        try {
            entries = read(input);
        } catch (IOException e) {
            require(String.valueOf(e.getMessage()).startsWith("offset "), "a refusal says where");
            return;
        }
        byte[] written = write(entries);
        byte[] again = write(read(written));
        same(new String(again, ISO_8859_1), new String(written, ISO_8859_1));
    }

    private static List<Entry> read(byte[] bytes) throws IOException {
        List<Entry> entries = new ArrayList<>();
        try (ExportReader reader = new ExportReader(new ByteArrayInputStream(bytes))) {
            for (Entry entry = reader.next(); entry != null; entry = reader.next()) {
                entries.add(entry);
            }
        }
        return entries;
    }

    private static byte[] write(List<Entry> entries) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ExportWriter writer = new ExportWriter(bytes);
                JsonWriter json = new JsonWriter(ByteArrayOutputStream.nullOutputStream())) {
            for (Entry entry : entries) {
                writer.write(entry);
                json.write(entry);
            }
        }
        return bytes.toByteArray();
    }
}
