package io.holdfast.manager.service;

import io.holdfast.core.process.Exit;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The environment variables that describe to commands how a run of a service ended. */
final class ExitVariables {
    private ExitVariables() {}

    /**
     * Returns {@code SERVICE_RESULT}, and, if the main process has exited, {@code EXIT_CODE} and
     * {@code EXIT_STATUS}.
     *
     * @param prefix of the names
     */
    static Map<String, String> of(String prefix, ServiceResult result, Optional<Exit> main) {
        Map<String, String> variables = new LinkedHashMap<>();
        variables.put(prefix + "SERVICE_RESULT", result.toString());
        @Nullable Exit exit = main.orElse(null);
        if (exit instanceof Exit.Exited(int status)) {
            variables.put(prefix + "EXIT_CODE", "exited");
            variables.put(prefix + "EXIT_STATUS", Integer.toString(status));
        } else if (exit instanceof Exit.Killed(var signal, boolean dumped)) {
            variables.put(prefix + "EXIT_CODE", dumped ? "dumped" : "killed");
            variables.put(prefix + "EXIT_STATUS", signal.name());
        }
        return variables;
    }
}
