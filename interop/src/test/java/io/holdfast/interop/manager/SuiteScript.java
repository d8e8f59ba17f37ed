package io.holdfast.interop.manager;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What {@code suite.txt} states about a script of systemd's own tests.
 *
 * @param name of the file
 * @param statement that it runs, or what is missing
 * @param edits of sed(1) that leave out parts of it, each with the reason
 */
record SuiteScript(String name, String statement, Map<String, String> edits) {
    private static final Pattern RUNS = Pattern.compile("runs(?: with (.+))?");

    /** Returns all scripts by their names. */
    static Map<String, SuiteScript> all() {
        Map<String, SuiteScript> scripts = new TreeMap<>();
        for (String line : CaseFiles.resource("suite.txt").lines().toList()) {
            if (line.startsWith("#")) {
                continue;
            }
            String[] parts = line.split(" \\| ", 2);
            assertThat(parts).as(line).hasSize(2);
            String[] words = parts[0].split(": ", 2);
            if (words.length == 2) {
                SuiteScript script = Objects.requireNonNull(scripts.get(words[0]), line);
                assertThat(script.edits().put(words[1], parts[1])).as(line).isNull();
            } else {
                SuiteScript script = new SuiteScript(words[0], parts[1], new LinkedHashMap<>());
                assertThat(scripts.put(words[0], script)).as(line).isNull();
            }
        }
        return scripts;
    }

    boolean isRunning() {
        return RUNS.matcher(statement).matches();
    }

    /** Returns the programs that it needs, as paths from /usr/bin. */
    List<String> programs() {
        Matcher line = RUNS.matcher(statement);
        assertThat(line.matches()).isTrue();
        return line.group(1) == null ? List.of() : List.of(line.group(1).split(", "));
    }

    /** Returns the row of a table for users. */
    String row(String prefix) {
        List<String> texts = new ArrayList<>();
        if (isRunning()) {
            texts.add(edits.isEmpty() ? "runs" : "runs in part:");
            texts.addAll(edits.values());
        } else {
            texts.add("is left out: " + statement);
        }
        String shortName = name.substring(prefix.length(), name.length() - ".sh".length());
        return "| `%s` | %s |".formatted(shortName, String.join(" ", texts));
    }
}
