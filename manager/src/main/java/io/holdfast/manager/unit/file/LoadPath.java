package io.holdfast.manager.unit.file;

import io.holdfast.manager.unit.ManagerScope;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The folders of unit files, in the order of precedence. They need not exist.
 *
 * @param folders absolute, normalized, each once
 * @param root of the system that the unit files belong to; the folders are below it
 * @param generator makes units that no folder has
 * @param configuration of the manager that the unit files belong to
 */
public record LoadPath(
        List<Path> folders,
        FileRoot root,
        UnitGenerator generator,
        ManagerConfigurationFiles configuration) {
    /** Replaces the folders; if it ends with {@code :}, the usual ones follow. */
    public static final String VARIABLE = "SYSTEMD_UNIT_PATH";

    public LoadPath {
        Set<Path> distinct = new LinkedHashSet<>();
        folders.forEach(folder -> distinct.add(folder.toAbsolutePath().normalize()));
        folders = List.copyOf(distinct);
    }

    /**
     * Creates a path of folders of this machine's own unit files, for a manager without
     * configuration.
     */
    public LoadPath(List<Path> folders) {
        this(folders, FileRoot.MACHINE, UnitGenerator.NONE, ManagerConfigurationFiles.NONE);
    }

    /** Returns the same folders of another system. */
    public LoadPath below(FileRoot other) {
        return new LoadPath(
                folders.stream().map(other::place).toList(),
                other,
                generator,
                configuration.below(other));
    }

    /** Returns the folders of the system's manager. */
    public static LoadPath system(Map<String, String> environment) {
        return fromVariable(
                environment,
                List.of(
                        "/etc/systemd/system.control",
                        "/run/systemd/system.control",
                        "/run/systemd/transient",
                        "/run/systemd/generator.early",
                        "/etc/systemd/system",
                        "/etc/systemd/system.attached",
                        "/run/systemd/system",
                        "/run/systemd/system.attached",
                        "/run/systemd/generator",
                        "/usr/local/lib/systemd/system",
                        "/usr/lib/systemd/system",
                        "/run/systemd/generator.late"),
                ManagerConfigurationFiles.system());
    }

    /** Returns the folders of a user's manager. */
    public static LoadPath user(Map<String, String> environment) {
        ManagerScope scope = ManagerScope.user(environment);
        String config = scope.configurationDirectory() + "/systemd/";
        String run = scope.runtimeDirectory() + "/systemd/";
        List<String> folders = new ArrayList<>();
        folders.addAll(
                List.of(
                        config + "user.control",
                        run + "user.control",
                        run + "transient",
                        run + "generator.early",
                        config + "user"));
        addEach(folders, environment.getOrDefault("XDG_CONFIG_DIRS", "/etc/xdg"));
        folders.addAll(
                List.of(
                        "/etc/systemd/user",
                        run + "user",
                        "/run/systemd/user",
                        run + "generator",
                        scope.sharedDataDirectory() + "/systemd/user"));
        addEach(folders, environment.getOrDefault("XDG_DATA_DIRS", "/usr/local/share:/usr/share"));
        folders.addAll(
                List.of(
                        "/usr/local/lib/systemd/user",
                        "/usr/lib/systemd/user",
                        run + "generator.late"));
        return fromVariable(environment, folders, ManagerConfigurationFiles.user(scope));
    }

    private static void addEach(List<String> folders, String list) {
        for (String base : list.split(":")) {
            if (base.startsWith("/")) {
                folders.add(base + "/systemd/user");
            }
        }
    }

    private static LoadPath fromVariable(
            Map<String, String> environment,
            List<String> usual,
            ManagerConfigurationFiles configuration) {
        String variable = environment.getOrDefault(VARIABLE, "");
        if (variable.isEmpty()) {
            return of(usual, configuration);
        }
        List<String> folders = new ArrayList<>(Arrays.asList(variable.split(":")));
        if (variable.endsWith(":")) {
            folders.addAll(usual);
        }
        return of(folders, configuration);
    }

    private static LoadPath of(
            Collection<String> folders, ManagerConfigurationFiles configuration) {
        List<Path> paths = new ArrayList<>();
        for (String folder : folders) {
            try {
                if (!folder.isEmpty()) {
                    paths.add(Path.of(folder));
                }
            } catch (InvalidPathException e) {
                // from the environment; such a folder cannot exist
            }
        }
        return new LoadPath(paths).withConfiguration(configuration);
    }

    /** Returns a path that starts with these folders, as {@code --units DIR} requests. */
    public LoadPath withFirst(List<Path> first) {
        List<Path> all = new ArrayList<>(first);
        all.addAll(folders);
        return new LoadPath(all, root, generator, configuration);
    }

    /** Returns the same folders, with another generator of units that they do not have. */
    public LoadPath withGenerator(UnitGenerator other) {
        return new LoadPath(folders, root, other, configuration);
    }

    /** Returns the same folders, with the configuration of another manager. */
    public LoadPath withConfiguration(ManagerConfigurationFiles other) {
        return new LoadPath(folders, root, generator, other);
    }
}
