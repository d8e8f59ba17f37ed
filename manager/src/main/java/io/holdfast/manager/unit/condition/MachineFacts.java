package io.holdfast.manager.unit.condition;

import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.SmallFile;
import io.holdfast.manager.unit.host.Host;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * The machine and the manager that conditions are evaluated for. Files of {@code /proc}, {@code
 * /sys}, {@code /etc} and {@code /run} are read when a condition needs them.
 *
 * @param root the folder that stands for {@code /} when such a file is read
 * @param account the user who runs the manager
 * @param environment the variables that the manager passes to every unit
 * @param credentials the folders of the manager's own credentials, plain and encrypted, by the
 *     variables that name them
 */
public record MachineFacts(
        Path root,
        Host host,
        ManagerScope.Account account,
        Map<String, String> environment,
        Map<String, String> credentials) {
    public MachineFacts {
        environment = Map.copyOf(environment);
        credentials = Map.copyOf(credentials);
    }

    /**
     * Returns the facts for a manager of this machine.
     *
     * @param account the user who runs the manager
     * @param environment the variables that the manager passes to every unit
     * @param own the environment of the manager's own process
     */
    public static MachineFacts of(
            Host host,
            ManagerScope.Account account,
            Map<String, String> environment,
            Map<String, String> own) {
        return new MachineFacts(Path.of("/"), host, account, environment, own);
    }

    /** Returns a path below the root. */
    Path path(String absolute) {
        return root.resolve(absolute.substring(1));
    }

    /** Returns whether a file exists below the root, links followed. */
    boolean has(String absolute) {
        return Files.exists(path(absolute));
    }

    /** Returns the text of a file below the root without outer blanks; empty if there is none. */
    String text(String absolute) {
        return SmallFile.read(path(absolute));
    }

    /**
     * Returns a field of the manager's own status in proc(5), such as {@code CapBnd}; empty if
     * there is none.
     */
    String status(String field) {
        return text("/proc/self/status")
                .lines()
                .filter(line -> line.startsWith(field + ":"))
                .findFirst()
                .map(line -> line.substring(field.length() + 1).strip())
                .orElse("");
    }
}
