package io.holdfast.manager.unit.file;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The configuration of systemd's own manager ({@code system.conf} and {@code user.conf}), which has
 * no effect here. Its settings are named at the start, since an administrator who has set a default
 * there relies on it. Blocking.
 *
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/systemd-system.conf.html">systemd-system.conf</a>
 */
public final class ManagerConfiguration {
    /** The folders of the file, and of the folder with its drop-ins. */
    public static final List<Path> FOLDERS =
            List.of(
                    Path.of("/etc/systemd"),
                    Path.of("/run/systemd"),
                    Path.of("/usr/local/lib/systemd"),
                    Path.of("/usr/lib/systemd"));

    private static final String SECTION = "Manager";

    private ManagerConfiguration() {}

    /**
     * Returns a line that names the settings in the files; empty if they set nothing.
     *
     * @param name {@code system.conf}
     * @param folders that may contain the file, and drop-ins in {@code system.conf.d}
     */
    public static Optional<String> ignored(String name, List<Path> folders) {
        List<Path> files = new ArrayList<>();
        for (Path folder : folders) {
            files.add(folder.resolve(name));
            files.addAll(dropIns(folder.resolve(name + ".d")));
        }
        TreeSet<String> settings =
                files.stream()
                        .filter(Files::isRegularFile)
                        .map(file -> UnitFile.read(file, UnitFile.Role.DROP_IN))
                        .flatMap(file -> file.sections().stream())
                        .filter(section -> section.name().equals(SECTION))
                        .flatMap(section -> section.entries().stream())
                        .map(UnitFile.Entry::key)
                        .collect(Collectors.toCollection(TreeSet::new));
        return settings.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        "%s: settings have no effect: %s=; set them in the units"
                                .formatted(name, String.join("=, ", settings)));
    }

    private static List<Path> dropIns(Path folder) {
        List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, "*.conf")) {
            found.forEach(files::add);
        } catch (IOException e) {
            return List.of(); // there is none
        }
        return files;
    }
}
