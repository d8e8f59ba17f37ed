package io.holdfast.authority.action;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A file and line. Its text is made once, because each check's explanation contains the places of
 * all rules that were evaluated.
 */
public final class SourceLine {
    private final Path file;
    private final int line;
    private final String text;

    /**
     * Makes a place.
     *
     * @param line from 1; 0 for the file as a whole
     */
    public SourceLine(Path file, int line) {
        this.file = file;
        this.line = line;
        this.text = line == 0 ? file.toString() : file + ":" + line;
    }

    public Path file() {
        return file;
    }

    /** Returns the line, from 1; 0 for the file as a whole. */
    public int line() {
        return line;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof SourceLine place && line == place.line && file.equals(place.file);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    /** Returns {@code file:line}, as compilers and editors write it. */
    @Override
    public String toString() {
        return text;
    }
}
