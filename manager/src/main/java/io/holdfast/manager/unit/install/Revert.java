package io.holdfast.manager.unit.install;

import io.holdfast.manager.unit.UnitName;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Puts units back into the state of the installed system: removes the drop-ins of administrators
 * and of {@code set-property}, and, of a unit that the installed system has, the files and links
 * that replace it. Blocking.
 */
final class Revert {
    private final InstallFolders folders;
    private final List<InstallChange> changes;

    /**
     * @param changes receives what is removed
     */
    Revert(InstallFolders folders, List<InstallChange> changes) {
        this.folders = folders;
        this.changes = changes;
    }

    void run(Collection<UnitName> units) {
        Set<String> marks = new HashSet<>();
        for (UnitName unit : units) {
            removeDropIns(unit);
            if (folders.path().folders().stream().anyMatch(folder -> isOfSystem(folder, unit))) {
                removeFile(folders.persistent(), unit, marks);
                removeFile(folders.runtime(), unit, marks);
            }
        }
        if (!marks.isEmpty()) {
            Stream.of(folders.runtime(), folders.persistent())
                    .forEach(folder -> new LinkFolder(folders, folder, changes).remove(marks));
        }
    }

    private void removeDropIns(UnitName unit) {
        Set<Path> places = new LinkedHashSet<>(List.of(folders.persistent(), folders.runtime()));
        folders.path().folders().stream().filter(Revert::isOfManager).forEach(places::add);
        for (Path folder : places) {
            Path dropIns = folder.resolve(unit + ".d");
            if (Files.isDirectory(dropIns, LinkOption.NOFOLLOW_LINKS)) {
                new LinkFolder(folders, folder, changes).removeFolder(unit + ".d");
            }
        }
    }

    /** Returns whether set-property and the makers of transient units write there. */
    private static boolean isOfManager(Path folder) {
        String name = String.valueOf(folder.getFileName());
        return name.endsWith(".control") || name.equals("transient");
    }

    /** Returns whether the installed system, or a generator, has a file of this unit. */
    private boolean isOfSystem(Path folder, UnitName unit) {
        Path inside = folders.asInside(folder);
        boolean isOfSystem =
                inside.startsWith("/usr")
                        || inside.startsWith("/lib")
                        || String.valueOf(folder.getFileName()).startsWith("generator");
        return isOfSystem
                && Files.isRegularFile(folder.resolve(unit.text()), LinkOption.NOFOLLOW_LINKS);
    }

    private void removeFile(Path folder, UnitName unit, Set<String> marks) {
        Path file = folder.resolve(unit.text());
        if (Files.isSymbolicLink(file) || Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            new LinkFolder(folders, folder, changes).removeFile(unit.text(), marks);
        }
    }
}
