package io.holdfast.manager.unit.condition;

import io.holdfast.core.sys.Libc;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.WordReader;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The conditions that compare versions, and the variables of os-release. */
final class VersionConditions {
    private static final Pattern COMPONENT =
            Pattern.compile("(systemd|glibc|kernel)(?=[\\s<>=!$]|$)");
    private static final Pattern VARIABLE = Pattern.compile("([A-Za-z_][A-Za-z0-9_]*)([<>=!$].*)");

    private VersionConditions() {}

    static boolean isKernel(String parameter, MachineFacts machine) {
        return all(parameter, machine.host().kernelRelease());
    }

    /** Compares the version of a component, of the kernel if the parameter names none. */
    static boolean isVersion(String parameter, MachineFacts machine) {
        Matcher component = COMPONENT.matcher(parameter);
        if (!component.lookingAt()) {
            return isKernel(parameter, machine);
        }
        String rest = parameter.substring(component.end());
        return switch (component.group()) {
            case "systemd" -> all(rest, ManagerScope.SYSTEMD_VERSION);
            case "glibc" -> !Libc.glibcVersion().isEmpty() && all(rest, Libc.glibcVersion());
            default -> isKernel(rest, machine);
        };
    }

    /**
     * Evaluates comparisons, all of which must hold: {@code >=5.10 <6.19}. One without an operator
     * is a pattern. In the first one blanks may follow the operator.
     */
    private static boolean all(String parameter, String actual) {
        List<String> words = new ArrayList<>(words(parameter));
        if (words.size() > 1 && Comparison.parse(words.getFirst().strip()).operand().isEmpty()) {
            String operator = words.removeFirst().strip();
            words.set(0, operator + words.getFirst());
        }
        boolean holds = true;
        for (String word : words) {
            Comparison comparison = Comparison.parse(word.strip()).or("$=");
            if (comparison.operand().isEmpty()) {
                throw Scalars.bad("a comparison of versions", word);
            }
            holds &= comparison.holdsForText(actual);
        }
        return holds;
    }

    static boolean isRelease(String parameter, MachineFacts machine) {
        boolean holds = true;
        for (String word : words(parameter)) {
            Matcher parts = VARIABLE.matcher(word);
            Comparison comparison = Comparison.parse(parts.matches() ? parts.group(2) : "");
            if (comparison.operator().isEmpty()
                    || comparison.operand().isEmpty()
                    || !word.endsWith(comparison.operator() + comparison.operand())) {
                throw Scalars.bad("a comparison of a variable of os-release", word);
            }
            holds &=
                    comparison.holdsForText(
                            machine.host().osRelease().getOrDefault(parts.group(1), ""));
        }
        return holds;
    }

    private static List<String> words(String parameter) {
        List<String> words = new ArrayList<>();
        WordReader reader = new WordReader(parameter, WordReader.Backslash.LITERAL_NEXT);
        for (String word = reader.next(); word != null; word = reader.next()) {
            words.add(word);
        }
        return words;
    }
}
