package io.holdfast.manager.unit.install;

import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.unit.file.UnitLoader;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.InstallSection;
import io.holdfast.manager.unit.section.UnitReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** Finds the unit files that an operation is about. Blocking. */
final class InstallSearch {
    private static final int MAX_LINKS = 40; // as the kernel

    /**
     * A unit file.
     *
     * @param name the unit's own name, even if it was searched by an alias
     * @param file where it is on this machine, after links of its own name
     * @param isInPath whether it is in a folder of unit files, so that it needs no link there
     */
    record Found(
            UnitName name, Path file, boolean isMasked, boolean isInPath, InstallSection install) {
        /** Returns whether enabling it makes links, or enables other units. */
        boolean hasInstallInfo() {
            return !install.wantedBy().isEmpty()
                    || !install.requiredBy().isEmpty()
                    || !install.upheldBy().isEmpty()
                    || !install.aliases().isEmpty()
                    || !install.also().isEmpty();
        }

        Found requireUnmasked() {
            if (isMasked) {
                throw new InstallException(
                        InstallException.Reason.MASKED, "Unit " + file + " is masked");
            }
            return this;
        }
    }

    private final InstallFolders folders;
    private final UnitReader reader;
    private final UnitLoader loader;

    InstallSearch(InstallFolders folders, UnitReader reader) {
        this.folders = folders;
        this.reader = reader;
        this.loader = UnitLoader.scan(folders.path());
    }

    /**
     * Returns the name that a word stands for.
     *
     * @param word a unit name, or the path of a unit file
     */
    static UnitName name(String word) {
        String name = word.substring(word.lastIndexOf('/') + 1);
        return UnitName.parse(name)
                .orElseThrow(() ->
                        InstallException.invalid("\"" + word + "\" is not a valid unit name"));
    }

    /**
     * Finds a unit by its name, or by the absolute path of its file.
     *
     * @throws InstallException if there is none, or if it was made at run time
     */
    Found find(String word) {
        UnitName name = name(word);
        if (!word.contains("/")) {
            return find(name);
        }
        Path file = regular(word);
        LoadPath path = folders.path().withFirst(List.of(folder(file)));
        return found(UnitLoader.scan(path).load(name), name);
    }

    /**
     * Finds a unit that links are made for, as {@link #find(String)} does.
     *
     * @throws InstallException also if the name itself is a link of an earlier operation
     */
    Found findForLinks(String word) {
        Found unit = find(word);
        UnitName asked = name(word);
        boolean isLink = isLink(folders.persistent(), asked) || isLink(folders.runtime(), asked);
        if (!unit.name().equals(asked) && isLink) {
            throw new InstallException(
                    InstallException.Reason.LINKED,
                    "Refusing to operate on linked unit file "
                            + asked
                            + ", an alias of "
                            + unit.name());
        }
        return unit;
    }

    private boolean isLink(Path folder, UnitName name) {
        Path place = folders.path().root().followInside(folder).resolve(name.text());
        return Files.isSymbolicLink(place);
    }

    /** Returns a unit file that is named by its path. */
    Path regular(String word) {
        Path given = Path.of(word);
        if (!given.isAbsolute()) {
            throw InstallException.invalid(word + " is not an absolute path");
        }
        Path file = folders.path().root().place(given.normalize());
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            throw InstallException.noSuchUnit(word);
        }
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            throw InstallException.invalid(word + " is not a regular file");
        }
        return file;
    }

    private static Path folder(Path file) {
        return Objects.requireNonNull(file.getParent());
    }

    Found find(UnitName name) {
        return found(loader.load(name), name);
    }

    /** Returns whether a unit could be loaded, or is masked. */
    boolean isThere(UnitName name) {
        return loader.load(name).state() != UnitSource.State.NOT_FOUND;
    }

    /** Returns all names of unit files and aliases. */
    Iterable<UnitName> names() {
        return loader.names();
    }

    private Found found(UnitSource source, UnitName asked) {
        Path fragment = source.fragment().orElse(null);
        if (source.state() == UnitSource.State.NOT_FOUND || fragment == null) {
            throw InstallException.noSuchUnit(asked);
        }
        if (isMadeAtRunTime(fragment)) {
            throw new InstallException(
                    InstallException.Reason.GENERATED,
                    "Unit " + fragment + " is transient or generated");
        }
        boolean isMasked = source.state() == UnitSource.State.MASKED;
        Path file = isMasked ? fragment : linked(fragment);
        return new Found(
                source.name(), file, isMasked, isInPath(file), reader.read(source).install());
    }

    /** A unit whose text is not a file of its name was made from another file. */
    private boolean isMadeAtRunTime(Path fragment) {
        Path parent = folder(fragment);
        String name = String.valueOf(parent.getFileName());
        boolean isOfSystemd = parent.getParent() != null && parent.getParent().endsWith("systemd");
        boolean isInFolder =
                isOfSystemd && (name.equals("transient") || name.startsWith("generator"));
        boolean isOfBus =
                folders.path().root().isMachine()
                        && !isInPath(fragment)
                        && fragment.toString().contains("/dbus-1/");
        return isInFolder
                || isOfBus
                || UnitName.parse(String.valueOf(fragment.getFileName())).isEmpty();
    }

    /** Follows the links of a file to where the file itself is, not those of its folders. */
    private static Path linked(Path fragment) {
        Path file = fragment;
        for (int links = 0; links < MAX_LINKS && Files.isSymbolicLink(file); links++) {
            try {
                file = file.resolveSibling(Files.readSymbolicLink(file)).normalize();
            } catch (IOException e) {
                return file; // removed meanwhile
            }
        }
        return file;
    }

    boolean isInPath(Path file) {
        Path parent = folder(file);
        return folders.path().folders().stream()
                .anyMatch(folder -> folder.equals(parent) || isSame(folder, parent));
    }

    private static boolean isSame(Path a, Path b) {
        try {
            return Files.isSameFile(a, b);
        } catch (IOException e) {
            return false; // one is missing
        }
    }

    /**
     * Returns the unit that the links of a template are for: its {@code DefaultInstance=}, else the
     * template itself.
     */
    Found instantiated(Found unit) {
        Optional<String> instance = unit.install().defaultInstance();
        if (!unit.name().isTemplate() || instance.isEmpty()) {
            return unit;
        }
        return find(unit.name().withInstance(instance.get()));
    }
}
