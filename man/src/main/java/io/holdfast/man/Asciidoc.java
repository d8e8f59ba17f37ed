package io.holdfast.man;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Converts plain text to Asciidoc, and quotes it so that none of its characters is markup. */
final class Asciidoc {
    private static final String INDENT = "  ";

    private Asciidoc() {}

    /**
     * Returns the text as part of a paragraph, in which Asciidoctor replaces only the characters
     * that XML reserves.
     */
    static String inline(String text) {
        return text.isEmpty() ? "" : "pass:c[" + text.strip().replace("]", "\\]") + "]";
    }

    /**
     * Converts lines of help: each line becomes a paragraph, and indented lines are kept verbatim.
     */
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

    /** Splits a help text into lines, which {@code %n} separates in picocli. */
    static List<String> lines(String... help) {
        List<String> lines = new ArrayList<>();
        for (String each : help) {
            lines.addAll(Arrays.asList(each.split("%n|\n", -1)));
        }
        return lines;
    }
}
