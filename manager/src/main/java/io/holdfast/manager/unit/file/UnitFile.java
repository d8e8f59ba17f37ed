package io.holdfast.manager.unit.file;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.Errno;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.UnitFilePlace;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One file in the syntax of unit files, as written: sections and assignments in their order, values
 * neither unquoted nor expanded. Immutable.
 *
 * <p>It keeps the bytes of the file, which take a fraction of the memory of their sections: these
 * are needed once, when the unit is read, and later only for the place of a line.
 */
public final class UnitFile {
    /** Bytes of one line, after joining continued ones; a longer line makes the file invalid. */
    public static final int MAX_LINE = 1 << 20;

    /** Bytes of one file; a larger one cannot be used. */
    public static final int MAX_SIZE = 4 << 20;

    /** Assignments of one file; more make it invalid. */
    public static final int MAX_ENTRIES = 1 << 16;

    private static final Set<Integer> SHORTAGES = Set.of(Errno.EMFILE, Errno.ENFILE, Errno.ENOMEM);

    /** The role of a file for its unit, which decides what happens if the file cannot be used. */
    public enum Role {
        /** The unit file: without it there is no unit. */
        FRAGMENT,
        /** A file that only adds to the unit: the unit is loaded without it. */
        DROP_IN
    }

    /** A {@code [name]} and the assignments below it. */
    public record Section(String name, UnitFilePlace place, List<Entry> entries) {
        public Section {
            entries = List.copyOf(entries);
        }
    }

    /** A {@code key=value}; an empty value resets the earlier ones. */
    public record Entry(String key, String value, UnitFilePlace place) {}

    private final String source;
    private final Role role;
    private final byte[] bytes;
    private final List<Diagnostic> diagnostics;

    private UnitFile(String source, Role role, byte[] bytes, List<Diagnostic> diagnostics) {
        this.source = source;
        this.role = role;
        this.bytes = bytes;
        this.diagnostics = diagnostics;
    }

    /** Returns the file's path, or a name for text that has no file. */
    public String source() {
        return source;
    }

    /** Parses the sections, in the order of their headers; a name may be repeated. */
    public List<Section> sections() {
        return new UnitFileParser(source, role, bytes).parse().sections();
    }

    /** Returns the diagnostics about broken lines, which are not in the sections. */
    public List<Diagnostic> diagnostics() {
        return diagnostics;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof UnitFile file
                && source.equals(file.source)
                && Arrays.equals(bytes, file.bytes)
                && diagnostics.equals(file.diagnostics);
    }

    @Override
    public int hashCode() {
        return source.hashCode();
    }

    @Override
    public String toString() {
        return source;
    }

    /** Parses a fragment. Never throws, whatever the bytes are. */
    public static UnitFile parse(String source, byte[] bytes) {
        return parse(source, Role.FRAGMENT, bytes.clone());
    }

    private static UnitFile parse(String source, Role role, byte[] bytes) {
        if (bytes.length > MAX_SIZE) {
            return unusable(source, role, "larger than " + MAX_SIZE + " bytes");
        }
        List<Diagnostic> diagnostics = new UnitFileParser(source, role, bytes).parse().problems();
        return new UnitFile(source, role, bytes, diagnostics);
    }

    /** Parses the text of a fragment. Never throws. */
    public static UnitFile parse(String source, String text) {
        return parse(source, Role.FRAGMENT, text.getBytes(UTF_8));
    }

    /**
     * Reads a regular file. A file that cannot be read is returned empty, with the reason.
     *
     * @throws UncheckedIOException if it cannot be read because of a lack of descriptors or memory:
     *     a unit must not lose its sandbox because of that
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

    private static UnitFile unusable(String source, Role role, String problem) {
        UnitFilePlace place = new UnitFilePlace(source, 0);
        return new UnitFile(
                source,
                role,
                new byte[0],
                List.of(
                        switch (role) {
                            case FRAGMENT ->
                                    new Diagnostic(place, Diagnostic.Kind.UNREADABLE, problem);
                            case DROP_IN ->
                                    new Diagnostic(
                                            place,
                                            Diagnostic.Kind.IGNORED,
                                            problem + "; this drop-in is ignored");
                        }));
    }

    /**
     * Returns the sections as text that parses to them again, without comments and broken lines.
     */
    public String toText() {
        StringBuilder text = new StringBuilder();
        for (Section section : sections()) {
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
