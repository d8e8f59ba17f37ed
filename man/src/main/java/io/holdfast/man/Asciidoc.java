package io.holdfast.man;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Plain text as Asciidoc, in which nothing of it is markup. */
final class Asciidoc {
    private static final String INDENT = "  ";

    private Asciidoc() {}

    /** The text as a part of a paragraph: only the characters that XML reserves are replaced. */
    static String inline(String text) {
        return text.isEmpty() ? "" : "pass:c[" + text.strip().replace("]", "\\]") + "]";
    }

    /** Lines of help: each is a paragraph, and indented ones are kept as they are. */
    static String blocks(List<String> lines) {
        StringBuilder text = new StringBuilder();
        List<String> verbatim = new ArrayList<>();
        for (String line : lines) {
            if (line.startsWith(INDENT)) {
                verbatim.add(line.stripIndent());
            } else if (!line.isBlank()) {
                text.append(verbatim(verbatim)).append(inline(line)).append("\n\n");
                verbatim.clear();
            }
        }
        return text.append(verbatim(verbatim)).toString().strip();
    }

    private static String verbatim(List<String> lines) {
        return lines.isEmpty() ? "" : "----\n" + String.join("\n", lines) + "\n----\n\n";
    }

    /** The lines of a help text, which picocli separates by {@code %n}. */
    static List<String> lines(String... help) {
        List<String> lines = new ArrayList<>();
        for (String each : help) {
            lines.addAll(Arrays.asList(each.split("%n|\n", -1)));
        }
        return lines;
    }
}
