package io.holdfast.dbus.generate;

import java.util.ArrayList;
import java.util.List;

/**
 * A Javadoc comment with texts of untrusted origin: no text can end the comment, form a tag or an
 * escape of the language, or be invisible.
 */
final class JavadocComment {
    private static final int WIDTH = 96;

    private final List<String> paragraphs = new ArrayList<>();

    /** Adds a paragraph of our own, in Javadoc syntax. */
    JavadocComment add(String paragraph) {
        paragraphs.add(paragraph);
        return this;
    }

    /** Adds an untrusted text, unless it is blank. */
    JavadocComment quote(String text) {
        String quoted = escaped(text);
        if (!quoted.isEmpty()) {
            paragraphs.add(quoted);
        }
        return this;
    }

    /** Escapes an untrusted text into one line, for a tag. */
    static String escaped(String text) {
        StringBuilder escaped = new StringBuilder();
        text.codePoints()
                .forEach(c -> {
                    switch (c) {
                        case '&' -> escaped.append("&amp;");
                        case '<' -> escaped.append("&lt;");
                        case '>' -> escaped.append("&gt;");
                        case '@' -> escaped.append("&#64;");
                        case '\\' -> escaped.append("&#92;");
                        case '{' -> escaped.append("&#123;");
                        case '}' -> escaped.append("&#125;");
                        case '*' -> escaped.append("&#42;");
                        default -> {
                            if (isVisible(c)) {
                                escaped.appendCodePoint(c);
                            } else if (!escaped.isEmpty() && !endsWithBlank(escaped)) {
                                escaped.append(' ');
                            }
                        }
                    }
                });
        return escaped.toString().strip();
    }

    private static boolean endsWithBlank(StringBuilder text) {
        return text.charAt(text.length() - 1) == ' ';
    }

    /** Returns whether the character is visible: one that moves, hides or reorders text is not. */
    private static boolean isVisible(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SPACE_SEPARATOR,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED ->
                    false;
            default -> true;
        };
    }

    /**
     * Writes the comment.
     *
     * @param indent the text before each line
     * @param tags the tags, each a line, as {@code @return …}
     */
    void write(StringBuilder out, String indent, List<String> tags) {
        out.append(indent).append("/**\n");
        for (int i = 0; i < paragraphs.size(); i++) {
            if (i > 0) {
                out.append(indent).append(" *\n");
            }
            wrap(out, indent + " * ", (i > 0 ? "<p>" : "") + paragraphs.get(i));
        }
        if (!tags.isEmpty()) {
            out.append(indent).append(" *\n");
        }
        tags.forEach(tag -> wrap(out, indent + " * ", tag));
        out.append(indent).append(" */\n");
    }

    private static void wrap(StringBuilder out, String prefix, String text) {
        StringBuilder line = new StringBuilder(prefix);
        for (String word : text.split(" ")) {
            if (line.length() > prefix.length() && line.length() + word.length() >= WIDTH) {
                out.append(line.toString().stripTrailing()).append('\n');
                line.setLength(prefix.length());
            }
            line.append(word).append(' ');
        }
        out.append(line.toString().stripTrailing()).append('\n');
    }
}
