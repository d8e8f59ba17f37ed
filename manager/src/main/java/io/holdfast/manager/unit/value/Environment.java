package io.holdfast.manager.unit.value;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The settings for the environment of a unit's processes.
 *
 * @param assignments of {@code Environment=}, in order
 * @param files of {@code EnvironmentFile=}, in order; they take precedence over the assignments
 * @param passed names of variables that are passed on from the manager
 * @param unset names and {@code NAME=VALUE} pairs that are removed at the end
 * @param login whether HOME, LOGNAME, SHELL and USER are set ({@code SetLoginEnvironment=}); empty:
 *     if the unit has a user
 */
public record Environment(
        Map<String, String> assignments,
        List<EnvironmentFile> files,
        Set<String> passed,
        Set<String> unset,
        Optional<Boolean> login) {
    public Environment {
        assignments = Collections.unmodifiableMap(new LinkedHashMap<>(assignments));
        files = List.copyOf(files);
        passed = Set.copyOf(passed);
        unset = Set.copyOf(unset);
    }

    /** {@return whether a text has only letters, digits and {@code _}, and no digit first} */
    public static boolean isName(String text) {
        return text.matches("[A-Za-z_][A-Za-z0-9_]*");
    }

    public static boolean isValue(String text) {
        return text.chars().noneMatch(c -> (c < ' ' && c != '\t' && c != '\n') || c == 0x7f);
    }

    /** Removes the variables of {@code UnsetEnvironment=} from a complete environment. */
    public void removeUnset(Map<String, String> environment) {
        environment
                .entrySet()
                .removeIf(e ->
                        unset.contains(e.getKey())
                                || unset.contains(e.getKey() + "=" + e.getValue()));
    }
}
