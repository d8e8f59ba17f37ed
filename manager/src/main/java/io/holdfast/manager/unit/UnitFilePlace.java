package io.holdfast.manager.unit;

/**
 * The place of a setting: a file and a line.
 *
 * @param source the file's path, or a name for text that has no file
 * @param line from 1; 0 for the source as a whole
 */
public record UnitFilePlace(String source, int line) {
    /** {@code source:line}, as compilers and editors write it. */
    @Override
    public String toString() {
        return line == 0 ? source : source + ":" + line;
    }
}
