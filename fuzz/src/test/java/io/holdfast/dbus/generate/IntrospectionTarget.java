package io.holdfast.dbus.generate;

import static io.holdfast.fuzz.Inputs.require;
import static io.holdfast.fuzz.Inputs.same;

import io.holdfast.fuzz.Bounds;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Introspection XML: read completely, or refused with one line that names the place. Source
 * generated from it contains nothing that others chose, except the words of comments.
 */
public final class IntrospectionTarget {
    private static final Pattern PATH =
            Pattern.compile("([A-Za-z0-9_]+/)*[A-Za-z_][A-Za-z0-9_]*\\.java");

    private IntrospectionTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, IntrospectionTarget::check);
    }

    private static void check(byte[] input) {
        try {
            List<IntrospectedInterface> read = IntrospectionReader.read("fuzzed.xml", input);
            List<SourceFile> sources = InterfaceGenerator.generate(read);
            same(sources.size(), read.size());
            same(InterfaceGenerator.generate(read), sources);
            Set<String> paths = new HashSet<>();
            for (SourceFile source : sources) {
                require(paths.add(source.path()), "no file is written twice");
                require(PATH.matcher(source.path()).matches(), "a file is below its folder");
                checkText(source.text());
            }
        } catch (IntrospectionException e) {
            String message = String.valueOf(e.getMessage());
            require(!message.contains("\n"), "a refusal is one line");
            require(message.startsWith("fuzzed.xml:"), "it names the place");
        }
    }

    private static void checkText(String text) {
        require(text.indexOf('\\') < 0, "no escape of the language");
        same(count(text, "/*"), count(text, "/**\n"));
        same(count(text, "*/"), count(text, " */\n"));
        same(count(text, "/*"), count(text, "*/"));
        same(count(text, "{"), count(text, "}"));
    }

    private static int count(String text, String wanted) {
        int found = 0;
        for (int at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
            found++;
        }
        return found;
    }
}
