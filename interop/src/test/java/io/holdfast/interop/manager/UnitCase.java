package io.holdfast.interop.manager;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Unit files, a script, and the transcript that systemd makes of it. As text:
 *
 * <pre>
 * == A unit whose assertion fails is not started
 * a.service: [Unit] AssertPathExists=/nowhere [Service] ExecStart=/bin/true
 * $ systemctl start a
 * Assertion failed on job for a.service.
 * [1]
 * $ state a
 * a.service inactive/dead success
 * </pre>
 *
 * <p>In a unit's line each section and each directive begins a line of its file; indented lines
 * follow as they are. Commands begin with {@code $}, their further lines with {@code >}. The output
 * of a command follows it, and its exit status in brackets unless that is 0. The functions of
 * {@code prelude.sh} are available, and in units and commands these words:
 *
 * <ul>
 *   <li><code>{dir}</code>, a folder for the case, and <code>{units}</code>, that of its units;
 *   <li><code>{gate} NAME</code>, a command that waits until the script calls {@code open NAME};
 *   <li><code>{note} WORDS</code>, a command that adds words to what {@code notes} prints;
 *   <li><code>{sleep}</code>, a command that only waits.
 * </ul>
 *
 * @param file the file that contains it
 * @param units the texts of unit files by their names, which may have folders
 */
record UnitCase(
        String file,
        String title,
        Map<String, String> units,
        List<String> commands,
        String transcript) {
    private static final Pattern UNIT =
            Pattern.compile(
                    "([\\w@:./\\\\-]+\\.(?:service|socket|target|slice|timer|path|mount|automount|swap|conf)): *(.*)");
    private static final Pattern DIRECTIVE =
            Pattern.compile("\\s+(?=\\[[A-Z]\\w*\\](?:\\s|$)|[A-Z][A-Za-z]*=)");

    /** Reads all cases of a file; lines before the first one are comments. */
    static List<UnitCase> parse(String file, String text) {
        List<UnitCase> cases = new ArrayList<>();
        List<String> parts = List.of(("\n" + text).split("\n== ", -1));
        for (String part : parts.subList(1, parts.size())) {
            cases.add(parseOne(file, part.strip()));
        }
        return cases;
    }

    private static UnitCase parseOne(String file, String text) {
        Map<String, String> units = new LinkedHashMap<>();
        List<String> commands = new ArrayList<>();
        StringBuilder transcript = new StringBuilder();
        List<String> lines = text.lines().toList();
        String unit = "";
        for (String line : lines.subList(1, lines.size())) {
            Matcher heading = UNIT.matcher(line);
            if (line.startsWith("$ ")) {
                commands.add(line.substring(2));
            } else if (line.startsWith("> ")) {
                commands.add(commands.removeLast() + "\n" + line.substring(2));
            } else if (commands.isEmpty() && heading.matches()) {
                unit = heading.group(1);
                units.put(unit, DIRECTIVE.matcher(heading.group(2)).replaceAll("\n") + "\n");
            } else if (commands.isEmpty() && line.startsWith(" ") && !unit.isEmpty()) {
                units.merge(unit, line.strip() + "\n", String::concat);
            } else if (commands.isEmpty()) {
                throw new IllegalArgumentException(file + ": neither unit nor command: " + line);
            }
            if (!commands.isEmpty()) {
                transcript.append(line).append('\n');
            }
        }
        return new UnitCase(file, lines.getFirst(), units, commands, transcript.toString());
    }

    /**
     * Returns the script, which writes the transcript.
     *
     * @param polls how often it polls, every 20 ms, for a condition
     */
    String script(int polls) {
        StringBuilder script =
                new StringBuilder("dir={dir} polls=" + polls + "\n. \"$dir/prelude.sh\"\n");
        for (String command : commands) {
            script.append("step '").append(command.replace("'", "'\\''")).append("'\n");
        }
        return script.append("over\n").toString();
    }

    /** Returns whether its script replaces the manager by a new process. */
    boolean renews() {
        return commands.stream().anyMatch(command -> command.matches("(?s).*\\brenew\\b.*"));
    }

    /** Returns whether its script runs a bus. */
    boolean usesBus() {
        return commands.stream().anyMatch(command -> command.matches("(?s).*\\bon_bus\\b.*"));
    }

    @Override
    public String toString() {
        return file + ": " + title;
    }
}
