package io.holdfast.manager.unit.file;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.Errno;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.Place;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * One file in the syntax of unit files, as written: sections and assignments in their order, values
 * neither unquoted nor expanded. Immutable.
 *
 * @param source the file's path, or a name for text that has no file
 * @param sections in the order of their headers; a name may come again
 * @param diagnostics what was broken; those lines are not among the sections
 */
public record UnitFile(String source, List<Section> sections, List<Diagnostic> diagnostics) {
    /** Bytes of one line, also after joining continued ones; at a longer one a file is given up. */
    public static final int MAX_LINE = 1 << 20;

    /** Bytes of one file; a larger one cannot be used. */
    public static final int MAX_SIZE = 4 << 20;

    /** Assignments of one file; at more it is given up. */
    public static final int MAX_ENTRIES = 1 << 16;

    private static final Set<Integer> SHORTAGES = Set.of(Errno.EMFILE, Errno.ENFILE, Errno.ENOMEM);

    /** What a file is to its unit, and so what becomes of the unit if it cannot be used. */
    public enum Role {
        /** The unit file itself: without it there is no unit. */
        FRAGMENT,
        /** What only adds to it: the unit is loaded without. */
        DROP_IN
    }

    /** A {@code [name]} and the assignments below it. */
    public record Section(String name, Place place, List<Entry> entries) {
        public Section {
            entries = List.copyOf(entries);
        }
    }

    /** A {@code key=value}; an empty value resets what came before. */
    public record Entry(String key, String value, Place place) {}

    public UnitFile {
        sections = List.copyOf(sections);
        diagnostics = List.copyOf(diagnostics);
    }

    /** Parses a fragment. Never throws, whatever the bytes are. */
    public static UnitFile parse(String source, byte[] bytes) {
        return parse(source, Role.FRAGMENT, bytes);
    }

    private static UnitFile parse(String source, Role role, byte[] bytes) {
        return new UnitFileParser(source, role, bytes).parse();
    }

    /** The same of text. Never throws. */
    public static UnitFile parse(String source, String text) {
        return parse(source, text.getBytes(UTF_8));
    }

    /**
     * Reads a regular file; one that cannot be read comes back empty, with the reason.
     *
     * @throws UncheckedIOException if it cannot be read for want of descriptors or memory: a unit
     *     must not lack its sandbox because of that
     */
    public static UnitFile read(Path file, Role role) {
        try (OpenedFile opened = OpenedFile.open(file, OpenHow.reading())) {
            return parse(file.toString(), role, opened.readFirst(MAX_SIZE + 1));
        } catch (FileException e) {
            if (SHORTAGES.contains(e.errno())) {
                throw new UncheckedIOException("unit files: " + e.getMessage(), e);
            }
            return unusable(file.toString(), role, String.valueOf(e.getReason()));
        }
    }

    static UnitFile unusable(String source, Role role, String problem) {
        Place place = new Place(source, 0);
        return new UnitFile(
                source,
                List.of(),
                List.of(
                        switch (role) {
                            case FRAGMENT ->
                                    new Diagnostic(place, Diagnostic.Kind.REFUSED, problem);
                            case DROP_IN ->
                                    new Diagnostic(
                                            place,
                                            Diagnostic.Kind.IGNORED,
                                            problem + "; this drop-in is ignored");
                        }));
    }

    /** The same sections as text that parses to them again; comments and broken lines are gone. */
    public String toText() {
        StringBuilder text = new StringBuilder();
        for (Section section : sections) {
            text.append('[').append(section.name()).append("]\n");
            for (Entry entry : section.entries()) {
                text.append(entry.key()).append('=').append(entry.value());
                // a blank keeps a backslash at the end from joining the next line
                text.append(entry.value().endsWith("\\") ? " \n" : "\n");
            }
        }
        return text.toString();
    }
}
