package io.holdfast.manager.unit.value;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a unit says about the environment of its processes.
 *
 * @param assignments of {@code Environment=}, in order
 * @param files of {@code EnvironmentFile=}, in order; they win over the assignments
 * @param passed names that are taken over from the manager
 * @param unset names and {@code NAME=VALUE} pairs that are removed in the end
 */
public record Environment(
        Map<String, String> assignments,
        List<EnvironmentFile> files,
        Set<String> passed,
        Set<String> unset) {
    public Environment {
        assignments = Collections.unmodifiableMap(new LinkedHashMap<>(assignments));
        files = List.copyOf(files);
        passed = Set.copyOf(passed);
        unset = Set.copyOf(unset);
    }

    /** Letters, digits and {@code _}, no digit in front. */
    public static boolean isName(String text) {
        return text.matches("[A-Za-z_][A-Za-z0-9_]*");
    }

    public static boolean isValue(String text) {
        return text.chars().noneMatch(c -> (c < ' ' && c != '\t' && c != '\n') || c == 0x7f);
    }

    /** Removes from a finished environment what {@code UnsetEnvironment=} names. */
    public void removeUnset(Map<String, String> environment) {
        environment
                .entrySet()
                .removeIf(e ->
                        unset.contains(e.getKey())
                                || unset.contains(e.getKey() + "=" + e.getValue()));
    }
}
