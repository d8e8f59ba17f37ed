package io.holdfast.authority.action;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where something stands. The text of it is made once, for each check tells the places of all the
 * rules that it asked.
 */
public final class Place {
    private final Path file;
    private final int line;
    private final String text;

    /**
     * @param line from 1; 0 for the file as a whole
     */
    public Place(Path file, int line) {
        this.file = file;
        this.line = line;
        this.text = line == 0 ? file.toString() : file + ":" + line;
    }

    /** The file that it stands in. */
    public Path file() {
        return file;
    }

    /** The line, from 1; 0 for the file as a whole. */
    public int line() {
        return line;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Place place && line == place.line && file.equals(place.file);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    /** {@code file:line}, as compilers and editors write it. */
    @Override
    public String toString() {
        return text;
    }
}
