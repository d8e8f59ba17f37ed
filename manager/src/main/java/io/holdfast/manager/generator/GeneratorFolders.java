package io.holdfast.manager.generator;

import io.holdfast.manager.unit.ManagerScope;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The folders of generators and of what they make.
 *
 * @param units the folders of unit generators, highest precedence first
 * @param environment the folders of environment generators, highest precedence first
 * @param output the folder in which {@code generator}, {@code generator.early} and {@code
 *     generator.late} are made; the load path of the unit files has these three
 * @param fstab the fstab(5) that is read where systemd's generator for it is not installed; empty
 *     for a user's manager
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/systemd.generator.html">systemd.generator</a>
 */
public record GeneratorFolders(
        List<Path> units, List<Path> environment, Path output, Optional<Path> fstab) {
    private static final List<String> BASES =
            List.of("/run/systemd", "/etc/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd");

    public GeneratorFolders {
        units = List.copyOf(units);
        environment = List.copyOf(environment);
    }

    /** Returns the folders of the system, or of a user's manager. */
    public static GeneratorFolders of(ManagerScope scope) {
        String kind = scope.user() ? "user" : "system";
        return new GeneratorFolders(
                all(kind + "-generators"),
                all(kind + "-environment-generators"),
                Path.of(scope.runtimeDirectory(), "systemd"),
                Optional.of(Path.of("/etc/fstab")).filter(_ -> !scope.user()));
    }

    private static List<Path> all(String name) {
        return BASES.stream().map(base -> Path.of(base, name)).toList();
    }
}
