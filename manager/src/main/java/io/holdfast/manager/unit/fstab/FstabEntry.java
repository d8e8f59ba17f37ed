package io.holdfast.manager.unit.fstab;

import io.holdfast.manager.unit.value.MountOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One entry of fstab(5), as getmntent(3) reads it.
 *
 * @param what the first field, such as {@code UUID=1-2}
 * @param where the mount point; "" if it is missing
 * @param type of the file system; "" if it is missing
 * @param pass the order in which it is checked at boot; 0: it is not
 */
record FstabEntry(String what, String where, String type, MountOptions options, int pass) {
    private static final int WHERE = 1;
    private static final int TYPE = 2;
    private static final int OPTIONS = 3;
    private static final int PASS = 5;
    private static final Pattern BLANKS = Pattern.compile("[ \t]+");
    private static final Pattern ESCAPED = Pattern.compile("\\\\(040|011|012|134|\\\\)");

    /** Returns the entries of a file, without its comments. */
    static List<FstabEntry> parse(String text) {
        List<FstabEntry> entries = new ArrayList<>();
        for (String line : text.split("\n")) {
            String entry = line.strip();
            if (!entry.isEmpty() && !entry.startsWith("#")) {
                String[] fields = BLANKS.split(entry);
                entries.add(
                        new FstabEntry(
                                field(fields, 0),
                                field(fields, WHERE),
                                field(fields, TYPE),
                                MountOptions.parse(field(fields, OPTIONS)),
                                number(field(fields, PASS))));
            }
        }
        return entries;
    }

    private static String field(String[] fields, int i) {
        return i < fields.length ? decoded(fields[i]) : "";
    }

    private static int number(String field) {
        return field.matches("[0-9]{1,9}") ? Integer.parseInt(field) : 0;
    }

    /** Decodes what would separate fields or lines: blanks, line ends and backslashes. */
    private static String decoded(String field) {
        return ESCAPED.matcher(field)
                .replaceAll(found ->
                        Matcher.quoteReplacement(
                                switch (found.group(1)) {
                                    case "040" -> " ";
                                    case "011" -> "\t";
                                    case "012" -> "\n";
                                    default -> "\\";
                                }));
    }

    /** Returns whether the last one of two contrary options is the first one. */
    boolean isSet(String option, String contrary) {
        return options.options().stream()
                .filter(each -> each.equals(option) || each.equals(contrary))
                .reduce((_, later) -> later)
                .filter(option::equals)
                .isPresent();
    }
}
