package io.holdfast.varlink.idl.tree;

import io.holdfast.varlink.json.text.JsonWriter;
import java.util.List;

/**
 * The comment in front of a member, field or value: its lines without the {@code #} and the blank
 * after it.
 */
public record Documentation(List<String> lines) {
    /** No comment. */
    public static final Documentation NONE = new Documentation(List.of());

    /**
     * Checks and copies the lines.
     *
     * @throws IllegalArgumentException if a line contains a line break, ends in white space, or is
     *     no valid Unicode
     */
    public Documentation {
        lines = List.copyOf(lines);
        for (String line : lines) {
            JsonWriter.requireUnicode(line);
            if (line.indexOf('\n') >= 0
                    || line.indexOf('\r') >= 0
                    || !line.equals(line.stripTrailing())) {
                throw new IllegalArgumentException(
                        "a comment's line holds a line break or ends in white space: " + line);
            }
        }
    }

    @Override
    public String toString() {
        return String.join("\n", lines);
    }
}
