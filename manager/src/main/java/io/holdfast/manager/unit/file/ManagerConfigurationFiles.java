package io.holdfast.manager.unit.file;

import io.holdfast.manager.unit.ManagerScope;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The places of a manager's configuration: a file, and drop-ins beside it.
 *
 * @param name {@code system.conf} or {@code user.conf}
 * @param folders that may contain the file, and the folder of its drop-ins ({@code system.conf.d});
 *     highest precedence first
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/systemd-system.conf.html">systemd-system.conf</a>
 */
public record ManagerConfigurationFiles(String name, List<Path> folders) {
    /** No file. */
    public static final ManagerConfigurationFiles NONE =
            new ManagerConfigurationFiles("system.conf", List.of());

    private static final List<Path> FOLDERS =
            List.of(
                    Path.of("/etc/systemd"),
                    Path.of("/run/systemd"),
                    Path.of("/usr/local/lib/systemd"),
                    Path.of("/usr/lib/systemd"));

    public ManagerConfigurationFiles {
        folders = List.copyOf(folders);
    }

    /** Returns the places of the system's manager. */
    static ManagerConfigurationFiles system() {
        return ofSystem("system.conf");
    }

    /** Returns the places of a file that configures the system, such as {@code journald.conf}. */
    public static ManagerConfigurationFiles ofSystem(String name) {
        return new ManagerConfigurationFiles(name, FOLDERS);
    }

    /** Returns the places of a user's manager. */
    static ManagerConfigurationFiles user(ManagerScope scope) {
        List<Path> folders = new ArrayList<>(FOLDERS);
        folders.addFirst(Path.of(scope.configurationDirectory(), "systemd"));
        return new ManagerConfigurationFiles("user.conf", folders);
    }

    /** Returns the same places of another system. */
    ManagerConfigurationFiles below(FileRoot root) {
        return new ManagerConfigurationFiles(name, folders.stream().map(root::place).toList());
    }

    /**
     * Reads the files: the first one of this name, then the drop-ins in the order of their names. A
     * drop-in hides one of the same name in a folder of lower precedence. Blocking.
     */
    public List<UnitFile> read() {
        List<Path> files = new ArrayList<>();
        Optional<Path> main =
                folders.stream()
                        .map(folder -> folder.resolve(name))
                        .filter(Files::exists)
                        .findFirst();
        main.ifPresent(files::add);
        Map<String, Path> dropIns = new TreeMap<>();
        for (Path folder : folders) {
            for (Path dropIn : dropIns(folder.resolve(name + ".d"))) {
                dropIns.putIfAbsent(String.valueOf(dropIn.getFileName()), dropIn);
            }
        }
        files.addAll(dropIns.values());
        return files.stream()
                .filter(Files::isRegularFile) // a link to /dev/null hides one, too
                .map(file -> UnitFile.read(file, UnitFile.Role.DROP_IN))
                .toList();
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
