package io.holdfast.manager.unit.file;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.Diagnostics;
import io.holdfast.manager.unit.Quote;
import io.holdfast.manager.unit.UnitFilePlace;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Parses the lines of a unit file. Lines that systemd skips with a warning are skipped here. An
 * error that makes systemd reject a file (a broken section header, a line without end or that is
 * not UTF-8) refuses the unit if it is in the unit file, of which the rest is still read so that
 * every problem is reported at once; a drop-in is applied up to the error. One difference: systemd
 * ends a line at a NUL, here the line is broken.
 */
final class UnitFileParser {
    private final String source;
    private final UnitFile.Role role;
    private final byte[] bytes;
    private final List<UnitFile.Section> sections = new ArrayList<>();
    private final Diagnostics diagnostics = new Diagnostics();

    private @Nullable String section;
    private UnitFilePlace sectionPlace;
    private List<UnitFile.Entry> entries = new ArrayList<>();
    private boolean headerBroken;
    private boolean givenUp;
    private int entryCount;

    UnitFileParser(String source, UnitFile.Role role, byte[] bytes) {
        this.source = source;
        this.role = role;
        this.bytes = bytes;
        this.sectionPlace = new UnitFilePlace(source, 0);
    }

    UnitFileParser parse() {
        readLines();
        endSection();
        return this;
    }

    List<UnitFile.Section> sections() {
        return Collections.unmodifiableList(sections);
    }

    List<Diagnostic> problems() {
        return diagnostics.toList();
    }

    private void readLines() {
        ByteArrayOutputStream joined = new ByteArrayOutputStream();
        boolean continued = false;
        int firstLine = 0;
        int line = 0;
        for (int at = startsWithBom() ? 3 : 0; at < bytes.length && !givenUp; ) {
            int end = at;
            while (end < bytes.length && bytes[end] != '\n' && bytes[end] != '\r') {
                end++;
            }
            int start = at;
            at = end + 1;
            if (at < bytes.length && bytes[end] == '\r' && bytes[at] == '\n') {
                at++;
            }
            line++;
            while (start < end && (bytes[start] == ' ' || bytes[start] == '\t')) {
                start++;
            }
            if (start < end && (bytes[start] == '#' || bytes[start] == ';')) {
                continue;
            }
            if (!continued) {
                firstLine = line;
            }
            boolean more = endsWithOddBackslashes(start, end);
            joined.write(bytes, start, (more ? end - 1 : end) - start);
            if (joined.size() > UnitFile.MAX_LINE) {
                giveUp(firstLine, "a line of more than " + UnitFile.MAX_LINE + " bytes");
                joined.reset();
                continued = more;
                continue;
            }
            continued = more;
            if (more) {
                joined.write(' ');
            } else {
                logicalLine(joined.toByteArray(), firstLine);
                joined.reset();
            }
            if (entryCount > UnitFile.MAX_ENTRIES) {
                giveUp(line, "more than " + UnitFile.MAX_ENTRIES + " assignments");
                return;
            }
        }
        if (continued && !givenUp) {
            logicalLine(joined.toByteArray(), firstLine);
        }
    }

    private boolean startsWithBom() {
        return bytes.length >= 3
                && bytes[0] == (byte) 0xef
                && bytes[1] == (byte) 0xbb
                && bytes[2] == (byte) 0xbf;
    }

    private boolean endsWithOddBackslashes(int start, int end) {
        int backslashes = 0;
        while (end - backslashes > start && bytes[end - backslashes - 1] == '\\') {
            backslashes++;
        }
        return backslashes % 2 == 1;
    }

    private void logicalLine(byte[] raw, int number) {
        String line;
        try {
            line = strip(UTF_8.newDecoder().decode(ByteBuffer.wrap(raw)).toString());
        } catch (CharacterCodingException e) {
            giveUp(number, "not UTF-8");
            return;
        }
        if (line.isEmpty()) {
            return;
        }
        if (line.indexOf(0) >= 0) {
            ignore(number, "a NUL byte; the line is ignored");
        } else if (line.startsWith("[")) {
            header(line, number);
        } else {
            assignment(line, number);
        }
    }

    private void header(String line, int number) {
        endSection();
        boolean safe = line.endsWith("]") && line.chars().noneMatch(UnitFileParser::isUnsafe);
        headerBroken = !safe;
        if (safe) {
            section = line.substring(1, line.length() - 1);
            sectionPlace = new UnitFilePlace(source, number);
        } else {
            giveUp(number, "broken section header " + Quote.of(line));
        }
    }

    private static boolean isUnsafe(int c) {
        return Character.isISOControl(c) || c == '"' || c == '\'' || c == '\\';
    }

    private void assignment(String line, int number) {
        if (section == null) {
            if (!headerBroken) {
                ignore(number, "an assignment outside of any section; ignored");
            }
            return;
        }
        int equals = line.indexOf('=');
        if (equals < 0) {
            ignore(number, "no '=' in " + Quote.of(line) + "; the line is ignored");
            return;
        }
        String key = strip(line.substring(0, equals));
        if (key.isEmpty()) {
            ignore(number, "no name before the '='; the line is ignored");
            return;
        }
        entryCount++;
        String value = strip(line.substring(equals + 1));
        entries.add(new UnitFile.Entry(key.intern(), value, new UnitFilePlace(source, number)));
    }

    private void endSection() {
        if (section != null) {
            sections.add(new UnitFile.Section(section, sectionPlace, entries));
            entries = new ArrayList<>();
            section = null;
        }
    }

    private void ignore(int line, String message) {
        diagnostics.add(new UnitFilePlace(source, line), Diagnostic.Kind.IGNORED, message);
    }

    private void giveUp(int line, String message) {
        switch (role) {
            case FRAGMENT ->
                    diagnostics.add(
                            new UnitFilePlace(source, line), Diagnostic.Kind.UNREADABLE, message);
            case DROP_IN -> {
                ignore(line, message + "; the rest of this drop-in is ignored");
                givenUp = true;
            }
        }
    }

    /** Removes outer blanks and tabs only, as in C: a no-break space belongs to the value. */
    private static String strip(String text) {
        int start = 0;
        int end = text.length();
        while (start < end && isBlank(text.charAt(start))) {
            start++;
        }
        while (end > start && isBlank(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(start, end);
    }

    private static boolean isBlank(char c) {
        return c == ' ' || c == '\t';
    }
}
