package io.holdfast.bus.config;

/**
 * A position in a configuration.
 *
 * @param source the file's path, or a name for a source that is not a file
 * @param line from 1, where the element's tag ends; 0 for the source as a whole
 */
public record ConfigPlace(String source, int line) {
    /** Returns {@code source:line}, as compilers and editors write it. */
    @Override
    public String toString() {
        return line == 0 ? source : source + ":" + line;
    }
}
