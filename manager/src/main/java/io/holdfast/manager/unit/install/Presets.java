package io.holdfast.manager.unit.install;

import io.holdfast.manager.unit.SmallFile;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitIndex;
import io.holdfast.manager.unit.value.Glob;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The rules of preset files: which units a distribution enables.
 *
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/systemd.preset.html">systemd.preset</a>
 */
public final class Presets {
    private enum Action {
        ENABLE("enabled"),
        DISABLE("disabled"),
        IGNORE("ignored");

        private final String word;

        Action(String word) {
            this.word = word;
        }
    }

    private record Rule(Action action, String pattern, List<String> instances) {}

    /** What the first rule that matches says. */
    sealed interface Verdict {
        /**
         * @param units the unit itself, or instances of a template
         */
        record Enable(List<UnitName> units) implements Verdict {}

        record Disable() implements Verdict {}

        record Ignore() implements Verdict {}
    }

    private final List<Rule> rules = new ArrayList<>();

    private Presets() {}

    /**
     * Reads the files; one hides a file of the same name in a later folder. Blocking.
     *
     * @param folders highest precedence first
     */
    public static Presets read(List<Path> folders) {
        Map<String, Path> files = new TreeMap<>();
        for (Path folder : folders) {
            for (Path file : UnitIndex.list(folder)) {
                String name = String.valueOf(file.getFileName());
                if (name.endsWith(".preset")) {
                    files.putIfAbsent(name, file);
                }
            }
        }
        Presets presets = new Presets();
        files.values().stream()
                .filter(Files::isRegularFile) // a link to /dev/null hides one, too
                .forEach(file -> SmallFile.read(file).lines().forEach(presets::add));
        return presets;
    }

    /** Adds the rule of a line, if it has one. */
    private void add(String line) {
        List<String> words = Arrays.asList(line.strip().split("\\s+"));
        if (words.size() < 2) {
            return;
        }
        List<String> instances = words.subList(2, words.size());
        switch (words.getFirst()) {
            case "enable" -> rules.add(new Rule(Action.ENABLE, words.get(1), instances));
            case "disable" -> rules.add(new Rule(Action.DISABLE, words.get(1), List.of()));
            case "ignore" -> rules.add(new Rule(Action.IGNORE, words.get(1), List.of()));
            default -> {} // a comment, or a line without effect
        }
    }

    private Rule rule(UnitName unit) {
        return rules.stream()
                .filter(rule -> Glob.matches(rule.pattern(), unit.text()))
                .findFirst()
                .orElseGet(() -> new Rule(Action.ENABLE, unit.text(), List.of()));
    }

    /** Returns what becomes of a unit, as systemctl(1) prints it: enabled, disabled or ignored. */
    public String word(UnitName unit) {
        return rule(unit).action().word;
    }

    /** Returns what becomes of a unit; without a rule it is enabled. */
    Verdict of(UnitName unit) {
        Rule rule = rule(unit);
        return switch (rule.action()) {
            case ENABLE -> new Verdict.Enable(units(unit, rule.instances()));
            case DISABLE -> new Verdict.Disable();
            case IGNORE -> new Verdict.Ignore();
        };
    }

    private static List<UnitName> units(UnitName unit, List<String> instances) {
        return unit.isTemplate() && !instances.isEmpty()
                ? instances.stream().map(unit::withInstance).toList()
                : List.of(unit);
    }
}
