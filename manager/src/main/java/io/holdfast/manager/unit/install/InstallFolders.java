package io.holdfast.manager.unit.install;

import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.file.FileRoot;
import io.holdfast.manager.unit.file.LoadPath;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The folders that the operations read and change.
 *
 * @param path of the unit files
 * @param persistent the folder of links that last
 * @param runtime the folder of links that last until the next boot
 * @param presets the folders of preset files, highest precedence first
 */
public record InstallFolders(LoadPath path, Path persistent, Path runtime, List<Path> presets) {
    public InstallFolders {
        presets = List.copyOf(presets);
    }

    /**
     * Returns the folders of a manager.
     *
     * @param path its unit files; the other folders are below the same root
     */
    public static InstallFolders of(ManagerScope scope, LoadPath path) {
        FileRoot root = path.root();
        String kind = scope.user() ? "user" : "system";
        Path etc = Path.of(scope.configurationDirectory(), "systemd");
        Path run = Path.of(scope.runtimeDirectory(), "systemd");
        List<Path> bases = new ArrayList<>(List.of(etc, run));
        for (String base : List.of("/etc", "/run", "/usr/local/lib", "/usr/lib")) {
            Path folder = Path.of(base, "systemd");
            if (!bases.contains(folder)) {
                bases.add(folder);
            }
        }
        return new InstallFolders(
                path,
                root.place(etc.resolve(kind)),
                root.place(run.resolve(kind)),
                bases.stream().map(base -> root.place(base.resolve(kind + "-preset"))).toList());
    }

    /** Returns the folder of the drop-ins that {@code systemctl set-property} makes. */
    public Path control(boolean forThisBoot) {
        Path links = forThisBoot ? runtime : persistent;
        return links.resolveSibling(links.getFileName() + ".control");
    }

    /** Returns the path of a file as the system below the root has it. */
    Path asInside(Path file) {
        return path.root().asInside(file);
    }
}
